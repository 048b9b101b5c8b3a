// Trains networks that draw pictures pixel by pixel, four pixels at a place, or a smaller picture first and then what it lacks, and
// compares them: nats of test pictures, seconds a picture, and pictures. docs/results/larger-pictures.md says what came out.
//
//   npm run build && node research/multi-scale/compare.mjs --data data/characters-48 [--steps 1500] [--out runs/multi-scale] [--way 1]
//
// Steps are those of the first way; the others get as many as take as long. Ctrl-C ends training after a step; the same command goes on.
// --way trains one of them alone, counted from 1, and measures nothing, so that each may have a core.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { bitsPerDim, gatedPixelCNN, toPortable } from 'pixelcnn-layers';
import { imageBatches, sliceImages } from 'pixelcnn-layers/data';
import { costOf, logProb, sample } from 'pixelcnn-layers/runtime';
import { readDataset } from '../../kit/data/datasets.mjs';
import { gridPng } from '../../kit/pictures/png.mjs';
import { useBackend } from '../../kit/runs/backend.mjs';
import { startTrainer } from '../../kit/runs/trainer.mjs';
import { readFlags } from '../../tests/bench/lib/benchmark.mjs';
import { markdownTable } from '../../tests/bench/lib/report.mjs';
import { timeInTurn } from '../../tests/bench/lib/timing.mjs';
import { adam } from '../vq/adam.mjs';
import { RATE, train } from '../vq/training.mjs';

/**
 * The ways, each a chain of networks. With `shrunk: k`, a network sees only every 2^k-th row and column of a picture. With `given`, it
 * draws four pixels at a place, a square of 2x2 in the order of rows, of which so many are given: one of each square is the smaller
 * picture. `pace` is how many steps it gets in the time of one of the first network.
 */
const WAYS = {
  'pixel by pixel': [{ shrunk: 0, hiddenDim: 16, numBlocks: 5, pace: 1 }],
  'pixel by pixel, smaller': [{ shrunk: 0, hiddenDim: 8, numBlocks: 5, pace: 2 }],
  'four pixels at a place': [{ shrunk: 0, given: 0, hiddenDim: 3, numBlocks: 5, pace: 2.8 }],
  'two scales': [
    { shrunk: 1, hiddenDim: 10, numBlocks: 4, pace: 1.75 },
    { shrunk: 0, given: 1, hiddenDim: 3, numBlocks: 4, pace: 2.1 },
  ],
};

/** Side of the window of the smaller picture that a network sees around each of its places. */
const WINDOW = 7;
const BATCH = 16;
const LEVELS = 2;
const IMAGES = 1000; // of the test, at most

const flags = readFlags({ data: '', out: 'runs/multi-scale', steps: 1500, way: 0 });
await useBackend('wasm');
const dataset = await readDataset('npy', { path: flags.data, levels: LEVELS });

// Ctrl-C ends training after the current step.
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort());

/** Every 2^k-th row and column of pictures, [N,H,W,1] -> [N,h,w,1]. */
function shrink({ data, shape: [n, height, width] }, k) {
  const shape = [n, height >> k, width >> k, 1];
  const at = (i) => {
    const [picture, row, column] = [
      Math.floor(i / (shape[1] * shape[2])),
      Math.floor(i / shape[2]) % shape[1],
      i % shape[2],
    ];
    return data[(picture * height + (row << k)) * width + (column << k)];
  };
  return {
    data: Uint8Array.from({ length: n * shape[1] * shape[2] }, (_, i) => at(i)),
    shape,
    levels: LEVELS,
  };
}

/** Squares of 2x2 pixels as channels, [N,2h,2w,1] -> [N,h,w,4]. */
function squares({ data, shape: [n, height, width] }) {
  const shape = [n, height / 2, width / 2, 4];
  const at = (i) => {
    const [place, part] = [Math.floor(i / 4), i % 4];
    const [row, column] = [Math.floor(place / shape[2]), place % shape[2]]; // rows of all pictures
    return data[(2 * row + (part >> 1)) * width + 2 * column + (part & 1)];
  };
  return { data: Uint8Array.from({ length: data.length }, (_, i) => at(i)), shape, levels: LEVELS };
}

/** The pictures of which these are squares, [N,h,w,4] -> [N,2h,2w,1]. */
function fromSquares({ data, shape: [n, height, width] }) {
  const pictures = new Uint8Array(data.length);
  for (const [i, value] of data.entries()) {
    const [place, part] = [Math.floor(i / 4), i % 4];
    const [row, column] = [Math.floor(place / width), place % width];
    pictures[(2 * row + (part >> 1)) * 2 * width + 2 * column + (part & 1)] = value;
  }
  return { data: pictures, shape: [n, 2 * height, 2 * width, 1] };
}

/** Some channels of levels, [N,h,w,C] -> [N,h,w,to-from]. */
function channels({ data, shape }, from, to) {
  const inside = data.filter((_, i) => i % shape[3] >= from && i % shape[3] < to);
  return { data: inside, shape: [...shape.slice(0, 3), to - from] };
}

/** What a network sees around each place of a smaller picture, [N,h,w,1] -> [N,h,w,49]. */
const windowsOf = (smaller) =>
  tf.tidy(() =>
    tf.conv2d(smaller, tf.reshape(tf.eye(WINDOW ** 2), [WINDOW, WINDOW, 1, WINDOW ** 2]), 1, 'same'),
  );

/** The same of levels, for the runtime. */
async function windowsOfLevels({ data, shape }) {
  const windows = tf.tidy(() => windowsOf(tf.tensor4d(data, shape, 'float32')));
  const found = { data: await windows.data(), shape: windows.shape };
  windows.dispose();
  return found;
}

/** The pictures of a network, as it reads them: [N,h,w,1], or [N,h,w,4] of which the first may be given. */
const picturesOf = ({ shrunk, given }, images) => {
  const seen = shrink(images, shrunk);
  return given === undefined ? seen : squares(seen);
};

/** Trains a network, or goes on. */
async function trained(way, index, network) {
  const { given = 0, hiddenDim, numBlocks, pace } = network;
  const pictures = picturesOf(network, dataset.train);
  const [, height, width, parts] = pictures.shape;
  let trainer;
  console.log(`${way}, network ${index + 1}`);
  const { model, isDone } = await train({
    directory: join(flags.out, `${way.replaceAll(/,? /g, '-')}-${index + 1}`),
    steps: Math.round(pace * flags.steps),
    every: 250,
    unit: 'bits/dim',
    signal: interrupt.signal,
    create() {
      const args = { hiddenDim, numBlocks, outDim: 32, levels: LEVELS, seed: 1 };
      const imageShape = [height, width, parts - given];
      const model = gatedPixelCNN({
        ...args,
        imageShape,
        ...(given > 0 && { conditionMapSize: WINDOW ** 2 }),
      });
      model.compile({ optimizer: adam(RATE), loss: bitsPerDim });
      return model;
    },
    async begin(model, firstStep) {
      trainer = await startTrainer(model, 1, BATCH);
      const batches = imageBatches(pictures, { batchSize: BATCH, seed: 1, firstStep })[Symbol.iterator]();
      return async () => {
        const { xs, ys } = batches.next().value; // [B,h,w,C], both
        const [first, drawn] = tf.split(xs, [given, parts - given], 3); // [B,h,w,given] and [B,h,w,C-given]
        const inputs = given > 0 ? [drawn, windowsOf(first)] : drawn;
        const [other, targets] = tf.split(ys, [given, parts - given], 3);
        const bits = await trainer.trainOnBatch(inputs, targets);
        tf.dispose([xs, ys, first, other, inputs, targets]);
        return bits;
      };
    },
  }).finally(() => trainer?.dispose());
  if (!isDone) process.exit();
  return { ...network, count: model.countParams(), portable: await toPortable(model) };
}

/** -log p of each test picture in nats, the sum over the networks. */
async function natsOf(networks, images) {
  const sums = new Float64Array(images.shape[0]);
  for (const network of networks) {
    const pictures = picturesOf(network, images);
    const { given = 0 } = network;
    const drawn = channels(pictures, given, pictures.shape[3]);
    const condition = given > 0 ? await windowsOfLevels(channels(pictures, 0, given)) : undefined;
    const logProbs = await logProb(network.portable, drawn, { condition });
    for (const [i, value] of logProbs.entries()) sums[i] -= value;
  }
  return sums;
}

/** Draws pictures by a chain of networks, [N,H,W,1]. */
async function draw(networks, numImages, seed) {
  let pictures;
  for (const { portable, given } of networks) {
    const condition = given > 0 ? await windowsOfLevels(pictures) : undefined;
    const drawn = await sample(portable, condition ? { condition, seed } : { numImages, seed });
    if (given === undefined) pictures = drawn;
    else pictures = fromSquares(given > 0 ? beside(pictures, drawn) : drawn);
  }
  return pictures;
}

/** Channels of two arrays beside each other, [N,h,w,1] and [N,h,w,3] -> [N,h,w,4]. */
function beside(first, rest) {
  const data = new Uint8Array(first.data.length * 4);
  for (let place = 0; place < first.data.length; place++) {
    data[4 * place] = first.data[place];
    data.set(rest.data.subarray(3 * place, 3 * place + 3), 4 * place + 1);
  }
  return { data, shape: [...first.shape.slice(0, 3), 4] };
}

await mkdir(flags.out, { recursive: true });
const chosen = Object.entries(WAYS).filter((_, i) => flags.way === 0 || i === flags.way - 1);
const ways = {};
for (const [way, networks] of chosen) {
  ways[way] = [];
  for (const [index, network] of networks.entries()) ways[way].push(await trained(way, index, network));
}
if (flags.way !== 0) process.exit();

const tested = sliceImages(dataset.test, 0, Math.min(IMAGES, dataset.test.shape[0]));
const rows = [];
const natsOfWays = {};
const mean = (numbers) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
const draws = (count) =>
  Object.fromEntries(Object.entries(ways).map(([way, networks]) => [way, () => draw(networks, count, 1)]));
const [one, sixteen] = [await timeInTurn(draws(1)), await timeInTurn(draws(16))];
for (const [way, networks] of Object.entries(ways)) {
  const nats = await natsOf(networks, tested);
  natsOfWays[way] = Array.from(nats);
  const error = Math.sqrt(mean(nats.map((x) => (x - mean(nats)) ** 2)) / (nats.length - 1));
  const { data, shape } = await draw(networks, 24, 2);
  const png = gridPng({ images: data, imageShape: shape.slice(1), levels: LEVELS, columns: 12, scale: 2 });
  await writeFile(join(flags.out, `${way.replaceAll(/,? /g, '-')}.png`), png);
  const multiplications = networks.reduce(
    (sum, { portable }) => sum + costOf(portable, { numImages: 1 }).multiplications,
    0,
  );
  rows.push([
    way,
    networks.map(({ count }) => count.toLocaleString('en')).join(' + '),
    `${(multiplications / 1e6).toFixed(0)} M`,
    `${mean(nats).toFixed(1)} ± ${error.toFixed(1)}`,
    one[way].median.toFixed(0),
    (sixteen[way].median / 16).toFixed(1),
  ]);
}
await writeFile(join(flags.out, 'nats.json'), JSON.stringify(natsOfWays)); // of each test picture
console.log(
  markdownTable(
    [
      'way',
      'weights',
      'multiplications a picture',
      'test, nats a picture',
      'one alone, ms',
      'each of 16, ms',
    ],
    rows,
  ),
);
