// Completes images with look-ahead, which takes later given values into account, and without: `node
// examples/look-ahead.mjs --help`.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sliceImages } from 'pixelcnn-layers/data';
import { createPool, logProb, readPortable } from 'pixelcnn-layers/runtime';
import { inLevels, readForModel } from '../kit/data/model-data.mjs';
import { outputDirectory, parseFlags, wholeNumber } from '../kit/flags/flags.mjs';
import { gridPng } from '../kit/pictures/png.mjs';
import { prepareFile, writeWhole } from '../kit/runs/files.mjs';
import { BRIDGE, mapsOf, ROAD, SIDE } from './tiles/tiles.mjs';

const help = `Draws missing parts with look-ahead and without: roads through a given tile, holes in digits, halves of emoji.

  node examples/look-ahead.mjs

  --particles N   of each image, for the pictures (64)
  --maps N        in the table of roads (128)
  --seed N        (1)
  --out DIR       where the pictures go (out/look-ahead)
  --help          prints this
`;
const flags = parseFlags(
  {
    particles: { type: 'string', default: '64' },
    maps: { type: 'string', default: '128' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: 'out/look-ahead' },
    help: { type: 'boolean' },
  },
  help,
  process.argv.slice(2),
);
const particles = wholeNumber('--particles', flags.particles, 1);
const numMaps = wholeNumber('--maps', flags.maps, 1);
const seed = wholeNumber('--seed', flags.seed, 0);
const out = outputDirectory('--out', flags.out);
const readModel = async (name) =>
  readPortable(await readFile(new URL(`models/${name}.pixelcnn`, import.meta.url)));

const pool = createPool();
await roads();
await completions('digits-hole', 'digits', (row, column) => row < 2 || row > 5 || column < 2 || column > 5);
await completions('digits-lower', 'digits', (row) => row >= 4);
await completions('emoji-right', 'emoji', (_, column) => column >= 8);
await pool.dispose();

/** Counts in how many maps a road leads to a road tile that is given on the east edge. */
async function roads() {
  const model = await readModel('tiles');
  const place = 5 * SIDE + SIDE - 1;
  const shape = [numMaps, SIDE, SIDE, 1];
  const at = (value) =>
    Uint8Array.from({ length: numMaps * SIDE ** 2 }, (_, i) => (i % SIDE ** 2 === place ? value : 0));
  const given = { initial: { data: at(ROAD), shape }, known: { data: at(1), shape } };
  console.log('particles  a road leads there  log p of the tile');
  for (const lookAhead of [0, 16, 64, 256]) {
    const drawn = await pool.sample(model, { ...given, seed, lookAhead, withLogProb: true });
    const leads = (map) => [place - SIDE, place - 1].some((side) => [ROAD, BRIDGE].includes(map[side]));
    const share = mapsOf(drawn.images.data).filter(leads).length / numMaps;
    const told = drawn.logGiven === undefined ? '' : logMean(drawn.logGiven).toFixed(2);
    console.log(`${String(lookAhead).padStart(9)}${`${(100 * share).toFixed(0)} %`.padStart(19)}${told.padStart(20)}`); // biome-ignore format: one line
  }
}

/** The logarithm of the mean of e^x, for logarithms of estimates. */
function logMean(x) {
  const max = Math.max(...x);
  return max + Math.log(x.reduce((sum, one) => sum + Math.exp(one - max), 0) / x.length);
}

/** Four test images from all over the set, each with six completions without look-ahead, and below them six with it. */
async function completions(name, data, isKnown) {
  const [numImages, copies] = [4, 6];
  const model = await readModel(data);
  const test = inLevels((await readForModel(data, undefined, model)).test, model);
  const [all, ...imageShape] = test.shape;
  const firsts = Array.from({ length: numImages }, (_, n) => Math.floor(((n + 0.5) * all) / numImages));
  const picked = firsts.map((first) => sliceImages(test, first, first + 1));
  const originals = Uint8Array.from(picked.flatMap((one) => [...one.data]));
  const [, width, channels] = imageShape;
  const values = originals.length / numImages;
  const known = Uint8Array.from({ length: values }, (_, i) =>
    Number(isKnown(Math.floor(i / (width * channels)), Math.floor(i / channels) % width)),
  );
  const first = known.indexOf(0);
  const repeated = (of) => Uint8Array.from({ length: copies * originals.length }, (_, i) => of(Math.floor(i / (copies * values)) * values + (i % values))); // biome-ignore format: one line
  const shape = [numImages * copies, ...imageShape];
  const initial = { data: repeated((i) => originals[i]), shape };
  const kept = { data: repeated((i) => known[i % values]), shape };
  const rows = [[], [], [], []];
  for (const lookAhead of [0, particles]) {
    const drawn = await pool.sample(model, { initial, known: kept, seed, lookAhead });
    const nats = await logProb(model, drawn, { perValue: true });
    const later = (i) => i % values > first && known[i % values] === 1; // given after what was drawn
    const sum = nats.reduce((total, one, i) => total + (later(i) ? one : 0), 0);
    console.log(`${name}: ${(sum / (numImages * copies)).toFixed(1)} nats, log p of what is given later, with ${lookAhead} particles`); // biome-ignore format: one line
    for (let n = 0; n < numImages; n++) {
      const ofImage = drawn.data.subarray(n * copies * values, (n + 1) * copies * values);
      rows[n].push(originals.subarray(n * values, (n + 1) * values), ofImage);
    }
  }
  const images = rows.flat().flatMap((part) => [...part]);
  const marks = images.map((_, i) => (Math.floor(i / values) % (1 + copies) === 0 ? 1 : known[i % values]));
  const file = join(out, `${name}.png`);
  await prepareFile(file);
  const scale = Math.round(80 / imageShape[0]);
  await writeWhole(file, gridPng({ images, known: marks, imageShape, levels: model.levels, palette: model.palette, columns: 1 + copies, scale })); // biome-ignore format: one line
  console.log(`written to ${file}`);
}
