// Makes the pictures of README and docs that take no training anew: by the examples, which give the same bytes each time, and those of the page. `npm run figures`

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Programs in `examples` with their flags, and the pictures that they make in `docs/images`. */
const FIGURES = [
  ['plot-masks.mjs --kernel 7 --type A', 'masks-7x7-A'],
  ['plot-masks.mjs --kernel 3 --type B', 'masks-3x3-B'],
  ['receptive-field.mjs --blocks 3', 'receptive-field-plain.svg'],
  ['receptive-field.mjs --blocks 3 --gated', 'receptive-field-gated.svg'],
  ['sample.mjs --model examples/models/digits --seed 1', 'model-digits.png'],
  ['sample.mjs --model examples/models/digits --complete digits --seed 1', 'model-digits-completions.png'],
  ['sample.mjs --model examples/models/digits-conditional --images 12 --seed 1', 'digits-conditional.png'],
  ['sample.mjs --model examples/models/emoji --seed 1', 'model-emoji.png'],
  ['sample.mjs --model examples/models/emoji --complete emoji --seed 1', 'emoji-completions.png'],
  ['heat-map.mjs --model examples/models/digits --data digits', 'heat-map-digits.png'],
  ['heat-map.mjs --model examples/models/emoji --data emoji', 'heat-map-emoji.png'],
];

mkdirSync(`${root}/docs/images`, { recursive: true });
for (const [command, name] of FIGURES) {
  const [script, ...flags] = command.split(' ');
  const args = [`examples/${script}`, ...flags, '--out', `docs/images/${name}`];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`node ${args.join(' ')}: ${stderr}`);
  console.log(`docs/images/${name}`);
}
await import('./page-pictures.mjs');
