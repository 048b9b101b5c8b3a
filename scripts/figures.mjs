// Remakes the pictures of README and docs that show what models do, by running examples: `npm run figures`. Drawings
// that explain are kept as they are, and pictures of docs/results/index.md need longer training.

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { magnetizationSvg, natsSvg } from './result-figures.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Programs in `examples` with their flags, and their pictures in `docs/images`. */
const FIGURES = [
  ['pictures.mjs masks --kernel 7 --type A', 'masks-7x7-A'],
  ['pictures.mjs masks --kernel 3 --type B', 'masks-3x3-B'],
  ['pictures.mjs field --blocks 3', 'receptive-field-plain.svg'],
  ['pictures.mjs field --blocks 3 --gated', 'receptive-field-gated.svg'],
  ...['plain', 'row-lstm', 'diagonal-bi-lstm'].map((block) => [
    `pictures.mjs field --blocks 1 --first-kernel 3 --height 8 --width 15${block === 'plain' ? '' : ` --block ${block}`}`,
    `receptive-field-1-${block}.svg`,
  ]),
  ['sample.mjs --model models/digits --seed 1', 'model-digits.png'],
  ['sample.mjs --model models/digits --complete digits --seed 1', 'model-digits-completions.png'],
  ['sample.mjs --model models/digits-conditional --images 12 --seed 1', 'digits-conditional.png'],
  ['sample.mjs --model models/clothes.pixelcnn --images 8 --seed 1', 'model-clothes.png'],
  ['sample.mjs --model models/clothes.pixelcnn --complete fashion-mnist --seed 1', 'clothes-completions.png'],
  ['sample.mjs --model models/binarized-mnist.pixelcnn --images 25 --seed 1', 'model-binarized-mnist.png'],
  ['sample.mjs --model models/mnist-256.pixelcnn --images 64 --seed 1', 'model-mnist-256.png'],
  ['sample.mjs --model models/fashion-256.pixelcnn --images 64 --seed 1', 'model-fashion-256.png'],
  ['sample.mjs --model models/emoji-32.pixelcnn --images 8 --seed 1', 'model-emoji-32.png'],
  ['sample.mjs --model models/emoji --seed 1', 'model-emoji.png'],
  ['sample.mjs --model models/emoji --complete emoji --seed 1', 'emoji-completions.png'],
  [
    'sample.mjs --model models/digits --temperatures 0,0.5,0.8,1,1.3 --images 12 --seed 1',
    'temperatures-digits.png',
  ],
  [
    'sample.mjs --model models/emoji --temperatures 0,0.5,0.8,1,1.3 --images 12 --seed 1',
    'temperatures-emoji.png',
  ],
  ['pictures.mjs bits --model models/digits --data digits', 'heat-map-digits.png'],
  ['pictures.mjs bits --model models/emoji --data emoji', 'heat-map-emoji.png'],
  ['tiles/draw.mjs --maps 4', 'tiles.png'],
  ['tiles/draw.mjs --connect --maps 4', 'tiles-connected.png'],
];

/** Pictures of the quick start's model, and their names in `docs/images`. */
const OF_QUICKSTART = [
  ['samples.png', 'digits-samples.png'],
  ['completions.png', 'digits-completions.png'],
];

/** Pictures that `complete.mjs look-ahead` makes. */
const OF_LOOK_AHEAD = ['digits-hole', 'emoji-right'].map((name) => [`${name}.png`, `look-ahead-${name}.png`]);

/** Runs a program of `examples`, given the words of its command and where it writes. */
function run(command, out) {
  const [script, ...flags] = command.split(' ');
  const args = [`examples/${script}`, ...flags, '--out', out];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`node ${args.join(' ')}: ${stderr}`);
}

mkdirSync(join(root, 'docs/images'), { recursive: true });
for (const [command, name] of FIGURES) {
  run(command, `docs/images/${name}`);
  console.log(`docs/images/${name}`);
}

const CHARTS = { 'results-binarized.svg': natsSvg, 'results-ising-magnetization.svg': magnetizationSvg };
for (const [name, draw] of Object.entries(CHARTS)) {
  writeFileSync(join(root, 'docs/images', name), await draw());
  console.log(`docs/images/${name}`);
}

for (const [command, pictures] of [
  ['quickstart.mjs', OF_QUICKSTART],
  ['complete.mjs look-ahead', OF_LOOK_AHEAD],
]) {
  const out = mkdtempSync(join(tmpdir(), 'figures-'));
  try {
    run(command, out);
    for (const [made, name] of pictures) {
      copyFileSync(join(out, made), join(root, 'docs/images', name));
      console.log(`docs/images/${name}`);
    }
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

await import('./page-pictures.mjs');
