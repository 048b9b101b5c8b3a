// Draws maps without tfjs, counts the rules that they break, and paints some: `node examples/tiles/draw.mjs`.

import { readFile } from 'node:fs/promises';
import { createPool, readPortable } from 'pixelcnn-layers/runtime';
import { pngOf } from '../lib/drawing.mjs';
import { prepareFile, writeWhole } from '../lib/files.mjs';
import { outputFile, parseFlags, pathTo, wholeNumber } from '../lib/flags.mjs';
import { shapesOf, TILE_PIXELS } from './art.mjs';
import { makeMaps } from './generator.mjs';
import { brokenRules, RULES } from './rules.mjs';
import { mapsOf, SIDE } from './tiles.mjs';

const help = `Draws maps at several temperatures, and counts the rules that they break, beside the generator's own maps.

  node examples/tiles/draw.mjs

  --model FILE   as train.mjs writes it (examples/models/tiles.pixelcnn)
  --maps N       to draw at each temperature (500)
  --seed N       (1)
  --out FILE     a picture of the generator's first maps, and below them of those drawn at temperature 0.7 (out/tiles.png)
  --help         prints this
`;
const text = (fallback) => ({ type: 'string', default: fallback });
const flags = parseFlags(
  {
    model: text('examples/models/tiles.pixelcnn'),
    maps: text('500'),
    seed: text('1'),
    out: text('out/tiles.png'),
    help: { type: 'boolean' },
  },
  help,
  process.argv.slice(2),
);
const numImages = wholeNumber('--maps', flags.maps, 4);
const seed = wholeNumber('--seed', flags.seed, 0);
const out = outputFile('--out', flags.out);
const model = readPortable(await readFile(pathTo('a model', '--model', flags.model)));
await prepareFile(out);

const SHOWN = 0.7; // the temperature of the maps in the picture
const pool = createPool();
const own = mapsOf(makeMaps(numImages, seed));
let drawn; // at that temperature
console.log(table(['', 'flawless', 'broken', ...Object.keys(RULES)]));
console.log(table(['generator', ...countsOf(own)]));
for (const temperature of [1, 0.9, 0.8, SHOWN, 0.6]) {
  const maps = mapsOf((await pool.sample(model, { numImages, seed, temperature })).data);
  if (temperature === SHOWN) drawn = maps;
  console.log(table([`temperature ${temperature}`, ...countsOf(maps)]));
}
await pool.terminate();

/** The share of maps that keep all rules, and how often a map breaks any, and each of them. */
function countsOf(maps) {
  const broken = maps.map(brokenRules);
  const flawless = broken.filter(({ length }) => length === 0).length / maps.length;
  const perMap = (rule) => broken.flat().filter((breach) => breach.rule === rule).length / maps.length;
  const rules = Object.keys(RULES).map(perMap);
  const sum = broken.flat().length / maps.length;
  return [`${(100 * flawless).toFixed(0)} %`, ...[sum, ...rules].map((count) => count.toFixed(2))];
}

function table([name, ...cells]) {
  return name.padEnd(16) + cells.map((cell) => cell.padStart(9)).join('');
}

const COLUMNS = 4;
const GAP = TILE_PIXELS;
const pitch = SIDE * TILE_PIXELS + GAP; // from one map to the next
const shapes = [own, drawn].flatMap((maps, row) =>
  maps.slice(0, COLUMNS).flatMap((map, column) => {
    const [left, top] = [column * pitch, row * (pitch + GAP)];
    return shapesOf(map).map((shape) => ({ ...shape, x: left + shape.x, y: top + shape.y }));
  }),
);
await writeWhole(out, pngOf({ width: COLUMNS * pitch - GAP, height: 2 * pitch, shapes }));
console.log(`written to ${out}`);
