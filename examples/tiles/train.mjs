// Trains a model of game maps, in under a minute: `node examples/tiles/train.mjs --out FILE`.

import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { bitsPerDim, gatedPixelCNN, scheduleLearningRate, toPortable, WeightAverage } from 'pixelcnn-layers';
import { imageBatches } from 'pixelcnn-layers/data';
import { writePortable } from 'pixelcnn-layers/runtime';
import { useBackend } from '../lib/backend.mjs';
import { prepareFile, writeWhole } from '../lib/files.mjs';
import { outputFile, parseFlags, wholeNumber } from '../lib/flags.mjs';
import { trainingProgress } from '../lib/progress.mjs';
import { makeMaps } from './generator.mjs';
import { KINDS, SIDE } from './tiles.mjs';

const help = `Trains a Gated PixelCNN on 16x16 maps of 12 kinds of tile, and writes it as one file for pixelcnn-layers/runtime.

  node examples/tiles/train.mjs --out FILE

  --out FILE   (out/tiles.pixelcnn)
  --steps N    training steps (1600)
  --seed N     of maps, weights and order (1)
  --help       prints this
`;
const text = (fallback) => ({ type: 'string', default: fallback });
const flags = parseFlags(
  { out: text('out/tiles.pixelcnn'), steps: text('1600'), seed: text('1'), help: { type: 'boolean' } },
  help,
  process.argv.slice(2),
);
const out = outputFile('--out', flags.out);
const steps = wholeNumber('--steps', flags.steps, 1);
const seed = wholeNumber('--seed', flags.seed, 0);
await prepareFile(out);
await useBackend('wasm');

const start = performance.now();
const numMaps = Math.min(8 * steps, 8192);
const maps = { data: makeMaps(numMaps, seed), shape: [numMaps, SIDE, SIDE, 1], levels: KINDS };

// Tiles are categories, which have no order: oneHot.
const model = gatedPixelCNN({
  imageShape: [SIDE, SIDE, 1],
  levels: KINDS,
  input: 'oneHot',
  hiddenDim: 16,
  outDim: 32,
  numBlocks: 4,
  firstKernelSize: [7, 11], // wide: whether a way must begin at the edge depends on what is far to the side
  kernelSize: 5,
  seed,
});
const rate = 1e-2;
const optimizer = tf.train.adam(rate, 0.9, 0.999, 1e-7);
model.compile({ optimizer, loss: bitsPerDim });
// The learning rate rises over the first 50 steps, and falls towards 0 over all.
const shareOf = (step) => Math.min(1, (step + 1) / 50) * (1 - step / steps);
const schedule = scheduleLearningRate(optimizer, (step) => rate * shareOf(step));
const average = new WeightAverage(model, { decay: 0.99 });

console.log(`${numMaps} maps, ${model.countParams()} parameters, ${steps} steps of 8 maps`);
const progress = trainingProgress(steps);
let smoothed;
let step = 0;
for (const { xs, ys } of imageBatches(maps, { batchSize: 8, seed })) {
  schedule.beforeStep();
  const bits = await model.trainOnBatch(xs, ys);
  tf.dispose([xs, ys]);
  average.update(step);
  step += 1;
  smoothed = smoothed === undefined ? bits : 0.98 * smoothed + 0.02 * bits;
  progress.update(step, smoothed);
  await setImmediate(); // lets the progress line in
  if (step === steps) break;
}
progress.stop();

const portable = await average.use(() => toPortable(model));
const bytes = writePortable(portable, { float16: true });
await writeWhole(out, bytes);
for (const owner of [average, model, optimizer]) owner.dispose();
console.log(`${smoothed.toFixed(3)} bits a tile, ${Math.round((performance.now() - start) / 1000)} s`);
console.log(`${out}: ${Math.round(bytes.length / 1000)} kB`);
