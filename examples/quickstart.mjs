// Trains a PixelCNN on 8x8 handwritten digits, then draws new digits and completes halves of real ones.
// Half a minute, nothing to download: `npm run quickstart`, or `node examples/quickstart.mjs --help` for the flags.
//
// It ends with bits per dimension (one dimension is one pixel) of the test images, 1.875 with the defaults, beside those of `uniform`, to
// which all 17 levels are equally likely, 4.087, and of `histogram`, which knows how frequent each level is, but not its neighbours, 2.961.

import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import {
  bitsPerDim,
  exponentialDecay,
  logProb,
  pixelCNN,
  sample,
  scheduleLearningRate,
} from 'pixelcnn-layers';
import { imageBatches } from 'pixelcnn-layers/data';
import { fileSystem } from 'pixelcnn-layers/node';
import { readDataset } from '../kit/data/datasets.mjs';
import { command, oneOf, outputDirectory, wholeNumber } from '../kit/flags.mjs';
import { histogramBits, uniformBits } from '../kit/models/baselines.mjs';
import { lineChart } from '../kit/pictures/chart.mjs';
import { gridPng } from '../kit/pictures/png.mjs';
import { BACKENDS, useBackend } from '../kit/runs/backend.mjs';
import { sweep, writeWhole } from '../kit/runs/files.mjs';
import { trainingProgress } from '../kit/runs/progress.mjs';
import { lockRun } from '../kit/runs/run-lock.mjs';
import { seedWeights } from '../kit/weights/weights.mjs';

const { steps, seed, backend, batch, evalImages, out } = command(
  'examples/quickstart.mjs',
  'Trains a PixelCNN on 8x8 handwritten digits, then draws new digits and completes halves of real ones.',
)
  .option('--steps <n>', 'training steps', wholeNumber(1), 3000)
  .option('--seed <n>', 'same seed, backend and machine, same figures and images', wholeNumber(0), 1)
  .option(
    '--backend <name>',
    'what computes; webgpu: see kit/node-webgpu; tensorflow: npm run build:tfjs-node, or install @tensorflow/tfjs-node',
    oneOf(BACKENDS),
    'wasm',
  )
  .option('--batch <n>', 'images a step, at most 1500', wholeNumber(1, 1500), 16)
  .option(
    '--eval-images <n>',
    'test images that the figures are of, the first N: fewer take less time',
    wholeNumber(1, 297),
    297,
  )
  .option('--out <dir>', 'where the results go', outputDirectory(), 'out/quickstart')
  .parse()
  .opts();
const evaluations = 10;
const smoothing = 0.98; // of the training loss that is shown: about the last 50 steps

lockRun(out); // two runs at a time would mix their files
await sweep(out, (name) => /^(metrics\.csv|curve\.svg|samples\.png|completions\.png)$/.test(name)); // left by a killed run
await useBackend(backend);

// Data: bytes 0..16, [N,8,8,1]

const { train, test } = await readDataset('digits');
const [, ...imageShape] = test.shape;
const { levels } = test;
const toTensor = (bytes) => tf.tensor4d(bytes, [bytes.length / 64, ...imageShape], 'int32');
const testImages = toTensor(test.data);
const evaluated = toTensor(test.data.subarray(0, evalImages * 64)); // for all figures
const uniform = uniformBits(levels);
const histogram = histogramBits(train.data, await evaluated.data(), levels);

// Model: images in [0, 1] -> logits [N,8,8,1,17]

const model = pixelCNN({
  imageShape,
  levels,
  firstKernelSize: 5,
  hiddenDim: 16,
  outDim: 32,
  numBlocks: 3,
});
seedWeights(model, seed);
const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-7);
const schedule = scheduleLearningRate(optimizer, exponentialDecay());
model.compile({ optimizer, loss: bitsPerDim });

/** Bits per dimension over test images. */
async function testBits(model) {
  const nats = await logProb(model, evaluated, { batchSize: 99 });
  const total = (await nats.data()).reduce((sum, value) => sum + value, 0);
  nats.dispose();
  return -total / (evaluated.size * Math.LN2);
}

console.log(`${evalImages} test and ${train.shape[0]} training images, ${levels} levels`);
console.log(`${model.countParams()} parameters, ${steps} steps of ${batch} images, seed ${seed}, ${backend}`);

// Training

const batches = imageBatches(train, { batchSize: batch, seed });
const progress = trainingProgress(steps);
const trainCurve = [];
const testCurve = [];
const metrics = ['step,train_bits_per_dim,test_bits_per_dim,seconds'];
const start = performance.now();
let sum = 0;
let step = 0;

for (const { xs, ys } of batches) {
  schedule.beforeStep();
  const bits = await model.trainOnBatch(xs, ys);
  tf.dispose([xs, ys]);
  step += 1;

  sum = smoothing * sum + (1 - smoothing) * bits;
  const trainBits = sum / (1 - smoothing ** step); // an average even after few steps
  progress.update(step, trainBits);
  if (step % Math.ceil(steps / 300) === 0) trainCurve.push({ x: step, y: trainBits });

  if (step % Math.ceil(steps / evaluations) === 0 || step === steps) {
    const bits = await testBits(model);
    testCurve.push({ x: step, y: bits });
    const seconds = (performance.now() - start) / 1000;
    metrics.push([step, trainBits.toFixed(4), bits.toFixed(4), seconds.toFixed(2)].join());
  }
  await setImmediate(); // lets timers run: the progress line has one
  if (step === steps) break;
}
progress.stop();
const trained = testCurve.at(-1).y;

console.log('                 bits/dim');
console.log(`uniform             ${uniform.toFixed(3)}`);
console.log(`histogram           ${histogram.toFixed(3)}`);
console.log(`PixelCNN            ${trained.toFixed(3)}`);

await writeWhole(join(out, 'metrics.csv'), `${metrics.join('\n')}\n`);
const curve = lineChart({
  title: 'PixelCNN on 8x8 digits',
  xTitle: 'step',
  yTitle: 'bits per dimension',
  lines: [
    { name: 'training (smoothed)', points: trainCurve },
    { name: 'test', points: testCurve, hasMarks: true },
  ],
  rules: [
    { name: 'uniform', y: uniform },
    { name: 'histogram', y: histogram },
  ],
});
await writeWhole(join(out, 'curve.svg'), curve);

// Saving and loading preserve the model

await model.save(fileSystem(out));
const loaded = await loadLayersModel(fileSystem(out));
const final = await testBits(loaded);
if (Math.abs(final - trained) > 1e-6) {
  throw new Error(`The loaded model gives ${final} bits/dim, the saved one ${trained}`);
}

// New digits

const samples = await sample(loaded, { numImages: 64, seed });
const grid = { imageShape, levels, columns: 8 };
await writeWhole(join(out, 'samples.png'), gridPng({ ...grid, images: await samples.data() }));

// Completions: a row for each class, with the original (all given), then seven times its upper half, completed

const originals = Array.from({ length: 10 }, (_, digit) => test.labels.indexOf(digit));
const initial = tf.gather(
  testImages,
  originals.flatMap((index) => new Array(8).fill(index)),
); // [80,8,8,1]
const known = toTensor(Uint8Array.from({ length: 80 * 64 }, (_, i) => i % (8 * 64) < 64 || i % 64 < 32));
const completions = await sample(loaded, { initial, known, seed });
const images = await completions.data();
await writeWhole(join(out, 'completions.png'), gridPng({ ...grid, images, known: await known.data() }));

tf.dispose([testImages, evaluated, samples, initial, known, completions]);
for (const owner of [loaded, model, optimizer]) owner.dispose();

console.log(`test bits/dim: ${final.toFixed(3)}`);
console.log(`${steps} steps, seed ${seed}, written to ${out}`);
