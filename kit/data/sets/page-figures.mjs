/**
 * Measures what demo and the cards say of models that are trained anew from time to time, and writes it there: into
 * demo/model-figures.mjs, and into the row "figure" of a card in models/. Once the file of a model, or of its background model, is
 * another, run it for that model:
 *
 *     node kit/data/sets/page-figures.mjs --model digits-28 --mnist DIR
 *     node kit/data/sets/page-figures.mjs --model clothes [--fashion-mnist DIR]
 *     node kit/data/sets/page-figures.mjs --model binarized-mnist --binarized-mnist DIR
 *
 * `--model` may be there several times. With `--figure ratio` it measures only how much likelier test images are than by the background model, with
 * `--figure bits` only the rest. `--bits-images` and `--ratio-images` say of how many test images, spread evenly: by default of all, and of 1,000, since
 * the likeliest class of each is looked for. That is 10,000 passes for either figure: a few minutes on two quiet cores.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { quantize } from 'pixelcnn-layers/data';
import { createPool, loadPortable } from 'pixelcnn-layers/runtime';
import { modelURL } from 'pixelcnn-models';
import { FIGURES } from '../../../demo/model-figures.mjs';
import { writeWhole } from '../../runs/files.mjs';
import { readDataset } from '../datasets.mjs';
import { pickImages } from '../pick-images.mjs';

/** Of the test images, so many are usual. */
const SHARE = 0.95;
const BATCH = 100;
/** The data set of each model, and what quantizes it, where something does. */
const MEASURED = {
  clothes: { data: 'fashion-mnist', levels: 16 },
  'digits-28': { data: 'mnist', levels: 16 },
  'binarized-mnist': { data: 'binarized-mnist', levels: 2 },
};
const CLASSES = 10;

const text = { type: 'string' };
const { values: flags } = parseArgs({
  options: {
    model: { ...text, multiple: true },
    figure: text,
    'bits-images': text,
    'ratio-images': { ...text, default: '1000' },
    mnist: text,
    'fashion-mnist': text,
    'binarized-mnist': text,
  },
});
const names = flags.model ?? [];
assert(names.length > 0, `wanted --model, ${Object.keys(MEASURED).join(' or ')}`);
for (const name of names) assert(MEASURED[name], `--model: wanted ${Object.keys(MEASURED)}, got '${name}'`);
assert([undefined, 'bits', 'ratio'].includes(flags.figure), `--figure: wanted bits or ratio`);

const pool = createPool();
try {
  for (const name of names) {
    const { data, levels } = MEASURED[name];
    const { test } = await readDataset(data, { path: flags[data] });
    const images = test.levels === levels ? test : quantize(test, levels);
    if (flags.figure !== 'ratio') await measureBits(name, images);
    if (flags.figure !== 'bits' && name !== 'binarized-mnist') await measureRatio(name, images);
    await writeFigures();
  }
} finally {
  await pool.dispose();
}

/** Bits per dimension, or nats an image, each image given its class where the model takes one. */
async function measureBits(name, all) {
  const images = spread(all, Number(flags['bits-images'] ?? all.shape[0]));
  const [count, ...imageShape] = images.shape;
  const size = imageShape.reduce((product, side) => product * side, 1);
  const model = await read(name);
  const takesClass = model.conditions.length > 0;
  const nats = await logProbs(`${name}: bits`, model, images, takesClass ? images.labels : undefined);
  const mean = -nats.reduce((sum, value) => sum + value, 0) / count;
  const perDim = (mean / size) * Math.LOG2E;
  console.log(`${name}: ${mean.toFixed(2)} nats an image, ${perDim.toFixed(4)} bits/dim of ${count} images`);
  if (takesClass) FIGURES[name].testBits = Number(perDim.toFixed(3));
  else FIGURES[name].nats = Number(mean.toFixed(2));
  await writeCard(name, count === all.shape[0] ? { mean, perDim } : null);
}

/** How many fewer bits per dimension most test images take, as of their likeliest class, than by the background model. */
async function measureRatio(name, all) {
  const images = spread(all, Number(flags['ratio-images']));
  const [count, ...imageShape] = images.shape;
  const size = imageShape.reduce((product, side) => product * side, 1);
  const model = await read(name);
  const background = await logProbs(`${name}: background`, await read(`${name}-background`), images);
  const likeliest = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  for (let k = 0; k < CLASSES; k++) {
    const nats = await logProbs(`${name}: as class ${k}`, model, images, new Uint8Array(count).fill(k));
    for (const [i, value] of nats.entries()) likeliest[i] = Math.max(likeliest[i], value);
  }
  const perDim = (nats) => (nats / size) * Math.LOG2E;
  FIGURES[name].usualRatio = rangeOf(likeliest.map((value, i) => perDim(value - background[i])));
  console.log(`${name}: of ${count} images`, FIGURES[name]);
}

/** Between which most values are, rounded outwards. */
function rangeOf(values) {
  const sorted = values.sort();
  const outside = Math.floor(((1 - SHARE) / 2) * sorted.length);
  const [low, high] = [sorted[outside], sorted[sorted.length - 1 - outside]];
  return [Math.floor(1000 * low) / 1000, Math.ceil(1000 * high) / 1000];
}

/** Log p of each image, in nats. */
async function logProbs(what, model, images, classes) {
  const [count, ...imageShape] = images.shape;
  const size = imageShape.reduce((product, side) => product * side, 1);
  const nats = new Float64Array(count);
  for (let from = 0; from < count; from += BATCH) {
    const to = Math.min(count, from + BATCH);
    const part = { data: images.data.slice(from * size, to * size), shape: [to - from, ...imageShape] };
    const condition = classes && { condition: Array.from(classes.slice(from, to)) };
    nats.set(await pool.logProb(model, part, { ...condition }), from);
    if (process.stderr.isTTY) process.stderr.write(`\r${what}: ${to} of ${count} \x1b[K`);
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  return nats;
}

/** So many images, evenly spread: the first of a set may be easier than the last. */
function spread(images, count) {
  const all = images.shape[0];
  assert(count >= 1 && count <= all, `wanted 1 to ${all} images, got ${count}`);
  if (count === all) return images;
  return pickImages(
    images,
    Array.from({ length: count }, (_, i) => Math.floor((i * all) / count)),
  );
}

async function read(name) {
  return loadPortable(modelURL(name));
}

async function writeFigures() {
  const lines = Object.entries(FIGURES).map(([name, figures]) => {
    const key = name.includes('-') ? `'${name}'` : name;
    const values = Object.entries(figures).map(
      ([figure, value]) => `${figure}: ${JSON.stringify(value).replaceAll(',', ', ')}`,
    );
    return `  ${key}: { ${values.join(', ')} },\n`;
  });
  const source = `/** What kit/data/sets/page-figures.mjs has measured of models that are trained anew from time to time; it writes this file. */\nexport const FIGURES = {\n${lines.join('')}};\n`;
  await writeWhole(fileURLToPath(new URL('../../../demo/model-figures.mjs', import.meta.url)), source);
}

/**
 * The figures of a card's row "figure": of the test images that come with the repository, and of all where they are measured.
 *
 * @param {string} name
 * @param {{ mean: number, perDim: number } | null} ofAll
 */
async function writeCard(name, ofAll) {
  const file = fileURLToPath(new URL(`../../../models/${name}.md`, import.meta.url));
  const card = await readFile(file, 'utf8');
  const [row] = /^\| figure \|.*$/m.exec(card);
  const own = await ownBits(name);
  let now = row;
  if (ofAll !== null)
    now = now
      .replace(/\S+ nats an image/, `${ofAll.mean.toFixed(2)} nats an image`)
      .replace(/\S+ bits\/dim/, `${ofAll.perDim.toFixed(3)} bits/dim`);
  if (own !== null)
    now = now.replace(/\S+ on the \d+ that come/, `${own.bits.toFixed(3)} on the ${own.count} that come`);
  await writeWhole(file, card.replace(row, now));
}

/** Bits per dimension of the test images of the page, where it has such. */
async function ownBits(name) {
  const [data, labels] = await Promise.all(
    ['images', 'labels'].map((what) => readFile(new URL(`${name}-test-${what}.u8`, import.meta.url))),
  ).catch(() => []);
  if (data === undefined) return null;
  const model = await read(name);
  const images = { data: new Uint8Array(data), shape: [labels.length, ...model.imageShape] };
  const nats = await logProbs(`${name}: of the page`, model, images, labels);
  return {
    bits: (-nats.reduce((sum, one) => sum + one, 0) / data.length) * Math.LOG2E,
    count: labels.length,
  };
}
