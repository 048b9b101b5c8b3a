// Tells images of another kind by likelihood ratios: `node research/out-of-distribution.mjs --help`.

import { createPool } from 'pixelcnn-layers/runtime';
import { DATASETS } from '../kit/data/datasets.mjs';
import { inLevels, readForModel } from '../kit/data/model-data.mjs';
import { pickImages } from '../kit/data/pick-images.mjs';
import { command, oneOf, outputFile, repeated, stop, text, wholeNumber } from '../kit/flags.mjs';
import { auroc, aurocError } from '../kit/models/auroc.mjs';
import { loadPortable } from '../kit/models/saved-model.mjs';
import { histogramChart } from '../kit/pictures/chart.mjs';
import { useBackend } from '../kit/runs/backend.mjs';
import { prepareFile, writeWhole } from '../kit/runs/files.mjs';

/** Of a model's own images, so many have a usual score. */
const USUAL = 0.95;

const flags = command(
  'research/out-of-distribution.mjs',
  `Tells images of another data set from those of a model's own, by their likelihood, and by its ratio to the likelihood under a
background model: a network trained on the same images, some of whose pixels are random (train.py has a flag for that), or a
network that sees only neighbours. Ren et al. 2019, https://arxiv.org/abs/1906.02845.`,
)
  .requiredOption(
    '--model <path>',
    'a saved model, a run, or a .pixelcnn file; one of classes is asked for the likeliest class of each image',
    text('a model'),
  )
  .requiredOption(
    '--background <path>',
    'the same, of as many levels; can be given several times',
    repeated(text('a model')),
  )
  .requiredOption('--data <name>', 'what they were trained on', oneOf(DATASETS))
  .requiredOption('--other <name>', 'what is to be told from it', oneOf(DATASETS))
  .option('--path <path>', 'where the data are, for data sets that are not found by themselves')
  .option('--other-path <path>', 'the same, of the others')
  .option('--images <n>', 'test images of each, evenly spread', wholeNumber(2), 1000)
  .option('--out <file>', 'a picture, SVG', outputFile(), 'out/out-of-distribution.svg')
  .parse()
  .opts();
const { model: path, images: numImages, out } = flags;
const names = [flags.data, flags.other];
if (!out.endsWith('.svg')) stop(`--out: wanted a file that ends in .svg, got ${out}`);

await useBackend('cpu');
const model = await load('--model', path);
const backgrounds = [];
for (const one of flags.background) backgrounds.push(await load('--background', one, model));
const sets = [await testImages(names[0], flags.path), await testImages(names[1], flags.otherPath)];
await prepareFile(out);

/** A model without conditions but classes, of the size and levels of another. */
async function load(flag, from, like) {
  const loaded = await loadPortable(from, flag);
  const others = loaded.conditions.filter(({ kind }) => kind !== 'class');
  if (others.length > 0) stop(`${flag}: wanted a model without conditions other than classes, got ${from}`);
  const [size, wanted] = [loaded, like ?? loaded].map(({ imageShape, levels }) => `${imageShape.join('x')} and ${levels} levels`); // biome-ignore format: one line
  if (size !== wanted) stop(`${flag}: wanted a model of ${wanted}, as --model, got ${size}`);
  return loaded;
}

/** Test images of a data set, evenly spread, in the model's levels. */
async function testImages(name, where) {
  const { test } = await readForModel(name, where, model);
  const [count] = test.shape;
  if (numImages > count) stop(`--images: ${name} has ${count} test images, got '${numImages}'`);
  const spread = Array.from({ length: numImages }, (_, i) => Math.floor(((i + 0.5) * count) / numImages));
  return inLevels(pickImages(test, spread), model);
}

// Bits per dimension of each image, [N], negative where the first is likelier

const size = sets[0].shape.slice(1).reduce((product, side) => product * side, 1);
const pool = createPool();
const bitsOf = async (of) => {
  const all = [];
  for (const set of sets) all.push(await leastBits(of, set));
  return all;
};
/** Those of the likeliest class, where the model has classes. */
async function leastBits(of, set) {
  const [{ numClasses } = {}] = of.conditions;
  const bits = new Array(numImages).fill(Number.POSITIVE_INFINITY);
  for (let k = 0; k < (numClasses ?? 1); k++) {
    const nats = await pool.logProb(of, set, numClasses === undefined ? {} : { condition: new Array(numImages).fill(k) }); // biome-ignore format: one line
    for (const [n, value] of nats.entries()) bits[n] = Math.min(bits[n], -value / (size * Math.LN2));
  }
  if (!bits.every(Number.isFinite)) stop('a model gives images no likelihood: its weights are broken');
  return bits;
}
const bits = await bitsOf(model);
const scores = [{ title: 'likelihood', xTitle: 'bits per dimension', values: bits }];
for (const [i, background] of backgrounds.entries()) {
  const without = await bitsOf(background);
  scores.push({
    title: `ratio to ${flags.background[i]}`,
    xTitle: 'bits per dimension saved, relative to the background model',
    values: bits.map((own, k) => own.map((one, n) => without[k][n] - one)),
  });
}
await pool.dispose();

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
/** The share of scores outside the middle of others, on either side. */
function unusual(scores, own) {
  const sorted = Float64Array.from(own).sort();
  const outside = Math.floor(((1 - USUAL) / 2) * sorted.length);
  const [least, most] = [sorted[outside], sorted.at(-1 - outside)];
  return scores.filter((score) => score < least || score > most).length / scores.length;
}
const width = Math.max(...scores.map(({ title }) => title.length), 48);
const row = (cells) => console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(width) : cell.padStart(14))).join('')); // biome-ignore format: one line
row([`bits per dimension, ${numImages} test images of each`, ...names, 'AUROC', 'its error', 'unusual']);
for (const { title, values } of scores) {
  // Own images are likelier, so take fewer bits, and save more.
  const [own, others] = title === 'likelihood' ? values.map((some) => some.map((one) => -one)) : values;
  const area = auroc(own, others);
  row([
    title,
    ...values.map((some) => mean(some).toFixed(3)),
    area.toFixed(3),
    aurocError(area, numImages, numImages).toFixed(3),
    `${(100 * unusual(others, own)).toFixed(1)} %`,
  ]);
}
console.log(`unusual: the share of ${names[1]} outside the range of ${100 * USUAL} % of ${names[0]}`);
const groups = (values) => values.map((some, k) => ({ name: names[k], values: some }));
await writeWhole(out, histogramChart(scores.map(({ title, xTitle, values }) => ({ title, xTitle, groups: groups(values) })))); // biome-ignore format: one line
console.log(`written to ${out}`);
