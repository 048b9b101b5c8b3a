// Trains a PixelCNN on a data set, and writes figures, samples and checkpoints as it goes: `node examples/train.mjs --help`.

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import {
  bitsPerDim,
  clipGradients,
  exponentialDecay,
  pixelCNN,
  sample,
  scheduleLearningRate,
  WeightAverage,
} from 'pixelcnn-layers';
import { imageBatches, quantize } from 'pixelcnn-layers/data';
import { checkpoints, fileSystem } from 'pixelcnn-layers/node';
import { useBackend } from './lib/backend.mjs';
import { histogramBits, uniformBits } from './lib/baselines.mjs';
import { readDataset } from './lib/datasets.mjs';
import { bitsPerDimension } from './lib/evaluation.mjs';
import { writeWhole } from './lib/files.mjs';
import { stop } from './lib/flags.mjs';
import { gridPng } from './lib/png.mjs';
import { trainingProgress } from './lib/progress.mjs';
import { openRunLog } from './lib/run-log.mjs';
import { readTrainFlags } from './lib/train-flags.mjs';
import { seedWeights } from './lib/weights.mjs';

const SMOOTHING = 0.98; // of the training figure shown: about the last 50 steps

// The run: its settings, and its last checkpoint where it goes on

const { out, resume, ...flags } = readTrainFlags(process.argv.slice(2));
const runFile = join(out, 'run.json');
const kept = await readFile(runFile, 'utf8').then(JSON.parse, () => null);
if (resume && kept === null) stop(`--resume: there is no run in ${out}`);
if (!resume && kept !== null) stop(`--out: ${out} holds a run; --resume goes on with it`);
const run = resume
  ? { ...kept, steps: flags.steps ?? kept.steps, backend: flags.backend ?? kept.backend }
  : flags.run;
const saves = checkpoints(join(out, 'checkpoints'));
const saved = resume ? await saves.latest() : null;

await useBackend(run.backend).catch(({ message }) => stop(message));
const data = await readDataset(run.data, { path: run.path }).catch(({ message }) => stop(message));
const levels = run.levels ?? data.train.levels;
const [train, test] = [quantize(data.train, levels), quantize(data.test, levels)];
const imageShape = train.shape.slice(1);

// Model: images in [0, 1] -> logits [N,H,W,C,L]

const load = (part) => loadLayersModel(fileSystem(join(saved.directory, part)));
const model = saved ? await load('model') : newModel();
const optimizer = model.optimizer;
const schedule = scheduleLearningRate(
  optimizer,
  exponentialDecay({ initial: run.learningRate, decay: run.decay }),
);
if (run.clip) clipGradients(optimizer, run.clip);
const average = run.average ? new WeightAverage(model, { decay: run.average }) : null;
if (average && saved) {
  const averaged = await load('average');
  average.restore(averaged);
  averaged.dispose();
}

function newModel() {
  const { hiddenDim, outDim, numBlocks, firstKernelSize, kernelSize } = run;
  const model = pixelCNN({ imageShape, levels, hiddenDim, outDim, numBlocks, firstKernelSize, kernelSize });
  seedWeights(model, run.seed);
  const optimizers = {
    adam: () => tf.train.adam(run.learningRate, 0.9, 0.999, 1e-7),
    rmsprop: () => tf.train.rmsprop(run.learningRate, 0.9, 0, 1e-7),
  };
  model.compile({ optimizer: optimizers[run.optimizer](), loss: bitsPerDim });
  return model;
}

let { step, smoothed, best, seconds } = saved
  ? { step: saved.step, ...saved.state }
  : { step: 0, smoothed: 0, best: null, seconds: 0 };
await mkdir(out, { recursive: true });
await writeWhole(runFile, `${JSON.stringify(run, null, 2)}\n`);
const log = await openRunLog(out, {
  title: `PixelCNN on ${run.data}, ${levels} levels`,
  step,
  rules: [
    { name: 'uniform', y: uniformBits(levels) },
    { name: 'histogram', y: histogramBits(train.data, test.data, levels, imageShape[2]) },
  ],
});
console.log(
  `${data.about}: ${train.shape[0]} training and ${test.shape[0]} test images [${imageShape}], ${levels} levels`,
);
console.log(
  `${model.countParams()} parameters, ${run.steps} steps of ${run.batch} images, seed ${run.seed}, ${run.backend}`,
);
if (saved) console.log(`goes on after step ${step}`);

/** Test figure and samples, with the averaged weights where they are kept. */
async function evaluate() {
  const withWeights = (task) => (average ? average.use(task) : task());
  return withWeights(async () => {
    const testBits = await bitsPerDimension(model, test, { count: run.evalImages });
    const samples = await sample(model, { numImages: run.samples, imageShape, seed: run.seed });
    const picture = gridPng({
      images: await samples.data(),
      imageShape,
      levels,
      columns: 8,
      scale: 3,
      gap: 3,
    });
    samples.dispose();
    return { testBits, picture };
  });
}

async function save(isBest) {
  await log.flush();
  const write = async (directory) => {
    await model.save(fileSystem(join(directory, 'model')), { includeOptimizer: true });
    if (average) await average.use(() => model.save(fileSystem(join(directory, 'average'))));
  };
  await saves.save(step, { smoothed, best, seconds }, write, { isBest });
}

async function fail(message) {
  progress.stop();
  await log.close();
  stop(`step ${step}: ${message}; the last good checkpoint is of step ${savedStep}`);
}

// Training. Ctrl-C ends it after the present step.

let isStopping = false;
process.once('SIGINT', () => {
  isStopping = true;
});
const progress = trainingProgress(run.steps, step);
const batches = imageBatches(train, { batchSize: run.batch, seed: run.seed, firstStep: step })[
  Symbol.iterator
]();
let since = performance.now();
let savedStep = step;

while (step < run.steps && !isStopping) {
  const batch = batches.next().value;
  schedule.beforeStep();
  const bits = await model.trainOnBatch(batch.xs, batch.ys);
  tf.dispose(batch);
  step += 1;
  if (!Number.isFinite(bits)) await fail(`the loss is ${bits}`);
  average?.update(step - 1);
  smoothed = SMOOTHING * smoothed + (1 - SMOOTHING) * bits;
  const trainBits = smoothed / (1 - SMOOTHING ** step); // an average also while few have been summed
  log.step(step, bits, trainBits);
  progress.update(step, trainBits);

  if (step % run.every === 0 || step === run.steps) {
    seconds += (performance.now() - since) / 1000;
    const { testBits, picture } = await evaluate().catch(({ message }) => fail(message));
    if (!Number.isFinite(testBits)) await fail(`the test figure is ${testBits}`);
    const isBest = best === null || testBits < best;
    if (isBest) best = testBits;
    await log.evaluation(step, { trainBits, testBits, seconds, picture });
    await save(isBest);
    savedStep = step;
    since = performance.now();
  }
  await setImmediate(); // lets Ctrl-C and the progress line in
}
progress.stop();
if (savedStep !== step) {
  seconds += (performance.now() - since) / 1000;
  await save(false);
}
await log.close();
average?.dispose();
model.dispose();
optimizer.dispose();
if (isStopping) console.log(`stopped after step ${step}; --resume --out ${out} goes on`);
else console.log(`test bits/dim: ${best.toFixed(3)} at best; written to ${out}`);
