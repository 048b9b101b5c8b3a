// Completes digits by a model of orientations, beside one order with look-ahead and without: `node examples/orders.mjs --help`.

import { sliceImages } from 'pixelcnn-layers/data';
import { createPool } from 'pixelcnn-layers/runtime';
import { inLevels, readForModel } from '../kit/data/model-data.mjs';
import { outputFile, parseFlags, stop, wholeNumber } from '../kit/flags/flags.mjs';
import { conditionsOf, networkOf, numElements } from '../kit/models/image-model.mjs';
import { SYMMETRIES } from '../kit/models/orientations.mjs';
import { loadPortable } from '../kit/models/saved-model.mjs';
import { turned } from '../kit/models/turned.mjs';
import { gridPng } from '../kit/pictures/png.mjs';
import { useBackend } from '../kit/runs/backend.mjs';
import { prepareFile, writeWhole } from '../kit/runs/files.mjs';

const help = `Completes test digits by a model of orientations: in those in which all given pixels come first. Beside it, one order with
look-ahead, and without. Prints what the true missing pixels cost in each, and what whole images do.

  node examples/orders.mjs

  --model PATH    of orientations, without classes: a run, or a .pixelcnn file (examples/models/digits-orders.pixelcnn)
  --one PATH      a model of one order (the same, in one orientation)
  --particles N   of look-ahead (64)
  --images N      test images of which parts are missing, in the table (32)
  --seed N        (1)
  --out FILE      the picture (out/orders.png)
  --help          prints this
`;
const text = { type: 'string' };
const flags = parseFlags({ model: text, one: text, particles: text, images: text, seed: text, out: text, help: { type: 'boolean' } }, help, process.argv.slice(2)); // biome-ignore format: one line
const path = flags.model ?? 'examples/models/digits-orders.pixelcnn';
const particles = wholeNumber('--particles', flags.particles ?? '64', 1);
const seed = wholeNumber('--seed', flags.seed ?? '1', 0);
const out = outputFile('--out', flags.out ?? 'out/orders.png');

await useBackend('cpu');
const model = await loadPortable(path);
const { symmetries = [], asCondition } = model.symmetry ?? {};
const elements = numElements({ symmetries });
if (!asCondition || String(symmetries) !== String(SYMMETRIES[elements]) || conditionsOf(model).length > 0)
  stop(`--model: wanted a model of orientations, without classes, got ${path}`);
const network = networkOf(model);
const one = flags.one === undefined ? network : await loadPortable(flags.one);
const inOrder = flags.one === undefined ? { condition: 0 } : {};

const dataset = await readForModel('digits', undefined, model);
const test = inLevels(dataset.test, model);
const [count, height, width, channels] = test.shape;
const values = height * width * channels;
const numImages = wholeNumber('--images', flags.images ?? '32', 2, count);
await prepareFile(out);

/** What is given, by row and column. */
const PARTS = {
  'upper half': (row) => row < height / 2,
  'lower half': (row) => row >= height / 2,
  'left half': (_, column) => column < width / 2,
  'right half': (_, column) => column >= width / 2,
  'all but a quarter, left': (_, column) => column >= width / 4,
};
const COPIES = 4; // completions of an image in a group of the picture

const pool = createPool();
await wholeImages();
const rows = [];
console.log(`\nbits of a missing value: means of ${numImages} images, and their standard errors`);
print('given', ['by orientation', `${particles} particles`, 'ignoring']);
for (const [n, name] of Object.keys(PARTS).entries()) {
  print(name, await bitsOfMissing(PARTS[name]));
  rows.push(await completions(PARTS[name], Math.floor(((n + 0.5) * count) / 5)));
}
await pool.dispose();
const [images, known] = [0, 1].map((i) => rows.flatMap((row) => row[i]));
const columns = 3 * (1 + COPIES);
await writeWhole(out, gridPng({ images, known, imageShape: [height, width, channels], levels: model.levels, palette: model.palette, columns, scale: 8 })); // biome-ignore format: one line
console.log(
  `${particles} particles in one order give an estimate: the more there are, the less it is too low`,
);
console.log(`written to ${out}: each digit, then completed by orientation; with ${particles} particles in one order; ignoring what comes later`); // biome-ignore format: one line

function print(name, cells) {
  const texts = cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(3) : cell));
  console.log(name.padEnd(24) + texts.map((cell) => cell.padStart(18)).join(''));
}

/** Bits per dimension of whole images: in one order, in each orientation, and averaged over all. */
async function wholeImages() {
  const bits = async (of, set, options) => mean(await pool.logProb(of, set, options)) / (-values * Math.LN2);
  const each = [];
  for (let element = 0; element < elements; element++)
    each.push(await bits(network, turned(test, element), { condition: element }));
  console.log(`bits/dim of ${count} test images`);
  if (flags.one !== undefined) print('a model of one order', [await bits(one, test)]);
  print('in one orientation', [mean(each), `  mean of ${each.map((of) => of.toFixed(3)).join(' ')}`]);
  print('averaged over all', [await bits(model, test)]);
}

/** What the true missing values of the first images cost, given the rest: exactly, estimated, and given only what precedes them. */
async function bitsOfMissing(isGiven) {
  const set = sliceImages(test, 0, numImages);
  const known = maskOf(isGiven, numImages);
  const numGiven = sum(known) / numImages;
  const [ofGiven, ofAll] = [[], []]; // log p in the orientations in which the given values come first
  for (let element = 0; element < elements; element++) {
    const { data } = turned({ ...set, data: known }, element);
    if (data.subarray(0, numGiven).includes(0)) continue;
    const nats = await pool.logProb(network, turned(set, element), { condition: element, perValue: true });
    ofGiven.push(sumsOf(nats, (place) => place < numGiven));
    ofAll.push(sumsOf(nats, () => true));
  }
  const logMean = (inEach, n) => logMeanExp(inEach.map((nats) => nats[n]));
  const exact = Array.from({ length: numImages }, (_, n) => logMean(ofAll, n) - logMean(ofGiven, n));

  const perValue = await pool.logProb(one, set, { ...inOrder, perValue: true });
  const given = { initial: set, known: { data: known, shape: set.shape } };
  const { logGiven } = await pool.sample(one, { ...given, ...inOrder, seed, lookAhead: particles, withLogProb: true }); // biome-ignore format: one line
  const estimates = sumsOf(perValue, () => true).map((all, n) => all - logGiven[n]);
  const ignoring = sumsOf(perValue, (place) => known[place] === 0);
  return [exact, estimates, ignoring].map((nats) =>
    withError(nats.map((one) => one / ((numGiven - values) * Math.LN2))),
  );
}

/** A mean, and its standard error. */
function withError(xs) {
  const center = mean(xs);
  const error = Math.sqrt(sum(xs.map((x) => (x - center) ** 2)) / (xs.length * (xs.length - 1)));
  return `${center.toFixed(3)} +- ${error.toFixed(3)}`;
}

/** A row of the picture, as levels and whether each is given: a test image and its completions, in three ways. */
async function completions(isGiven, index) {
  const original = test.data.subarray(index * values, (index + 1) * values);
  const shape = [COPIES, ...test.shape.slice(1)];
  const known = maskOf(isGiven, COPIES);
  const initial = { data: known.map((_, i) => original[i % values]), shape };
  const given = { initial, known: { data: known, shape }, seed };
  const drawn = [
    await pool.sample(model, given),
    await pool.sample(one, { ...given, ...inOrder, lookAhead: particles }),
    await pool.sample(one, { ...given, ...inOrder }),
  ];
  const marks = [...original.map(() => 1), ...known];
  return [drawn.flatMap(({ data }) => [...original, ...data]), drawn.flatMap(() => marks)];
}

function maskOf(isGiven, copies) {
  const at = (place) => isGiven(Math.floor(place / (width * channels)), Math.floor(place / channels) % width);
  return Uint8Array.from({ length: copies * values }, (_, i) => Number(at(i % values)));
}

/** The sum over the places of each image that are wanted, [N]. */
function sumsOf(nats, isWanted) {
  const sums = new Array(nats.length / values).fill(0);
  for (const [i, one] of nats.entries()) if (isWanted(i % values)) sums[Math.floor(i / values)] += one;
  return sums;
}

function sum(xs) {
  return xs.reduce((total, x) => total + x, 0);
}

function mean(xs) {
  return sum(xs) / xs.length;
}

function logMeanExp(xs) {
  const max = Math.max(...xs);
  return max + Math.log(mean(xs.map((x) => Math.exp(x - max))));
}
