// Trains a PixelCNN on a data set, and writes figures, samples and checkpoints as it goes: `node examples/train.mjs --help`.

import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import {
  bitsPerDim,
  clipGradients,
  exponentialDecay,
  gatedPixelCNN,
  pixelCNN,
  scheduleLearningRate,
  WeightAverage,
} from 'pixelcnn-layers';
import { imageBatches, quantize } from 'pixelcnn-layers/data';
import { checkpoints, fileSystem } from 'pixelcnn-layers/node';
import { useBackend } from './lib/backend.mjs';
import { histogramBits, uniformBits } from './lib/baselines.mjs';
import { classesOf } from './lib/classes.mjs';
import { readDataset } from './lib/datasets.mjs';
import { checkWeights, evaluate } from './lib/evaluation.mjs';
import { stop } from './lib/flags.mjs';
import { trainingProgress } from './lib/progress.mjs';
import { openRunLog } from './lib/run-log.mjs';
import { keepSettings, runSettings } from './lib/run-settings.mjs';
import { readTrainFlags } from './lib/train-flags.mjs';
import { seeded, seedWeights } from './lib/weights.mjs';

const SMOOTHING = 0.98; // of the training figure shown: about the last 50 steps

// Whatever goes wrong ends the program with a line.
let where = '';
process.on('uncaughtException', ({ message }) => stop(`${where}${message}`));

// Ctrl-C ends it after the present step.
let isStopping = false;
process.once('SIGINT', () => {
  isStopping = true;
});

// The run, and the checkpoint from which it goes on

const flags = readTrainFlags(process.argv.slice(2));
const { out } = flags;
const run = await runSettings(flags);
const kept = checkpoints(join(out, 'checkpoints'));
const from = flags.resume ? await kept.latest() : null;
if (from !== null && run.steps < from.step) {
  stop(`--steps: the run has done ${from.step}, got '${run.steps}'`);
}

await useBackend(run.backend);
const dataset = await readDataset(run.data, { path: run.path });
const levels = run.levels ?? dataset.train.levels;
const [train, test] = [quantize(dataset.train, levels), quantize(dataset.test, levels)];
const imageShape = train.shape.slice(1);
const numClasses = run.isConditional ? classesOf(dataset) : undefined;
await keepSettings(out, run, [train, test]);

// Model: images in [0, 1], and their classes where it is conditional -> logits [N,H,W,C,L]

const load = (part) => loadLayersModel(fileSystem(join(from.directory, part)));
const newModel = () => {
  const { hiddenDim, outDim, numBlocks, firstKernelSize, kernelSize } = run;
  const args = { imageShape, levels, hiddenDim, outDim, numBlocks, firstKernelSize, kernelSize };
  const model =
    run.model === 'gated'
      ? seeded(run.seed, () => gatedPixelCNN({ ...args, numClasses, dropout: run.dropout }))
      : pixelCNN(args);
  if (run.model !== 'gated') seedWeights(model, run.seed);
  const optimizer =
    run.optimizer === 'adam'
      ? tf.train.adam(run.learningRate, 0.9, 0.999, 1e-7)
      : tf.train.rmsprop(run.learningRate, 0.9, 0, 1e-7);
  model.compile({ optimizer, loss: bitsPerDim });
  return model;
};
const model = from ? await load('model') : newModel();
const { optimizer } = model;
const decay = exponentialDecay({ initial: run.learningRate, decay: run.decay });
const schedule = scheduleLearningRate(optimizer, decay);
if (run.clip) clipGradients(optimizer, run.clip);
const average = run.average ? new WeightAverage(model, { decay: run.average }) : null;
if (average && from) {
  const averaged = await load('average');
  average.restore(averaged);
  averaged.dispose();
}

// What is written

const fresh = { smoothed: 0, best: null, evaluated: null, seconds: 0 };
let { step, smoothed, best, evaluated, seconds } = from
  ? { step: from.step, ...from.state }
  : { step: 0, ...fresh };
let savedStep = from?.step; // of the last checkpoint; undefined while there is none
let since = performance.now();
const log = await openRunLog(out, {
  title: `${run.model === 'gated' ? 'Gated PixelCNN' : 'PixelCNN'} on ${run.data}, ${levels} levels`,
  step,
  isResumed: flags.resume,
  rules: [
    { name: 'uniform', y: uniformBits(levels) },
    { name: 'histogram', y: histogramBits(train.data, test.data, levels, imageShape[2]) },
  ],
});
const counts = `${train.shape[0]} training and ${test.shape[0]} test images [${imageShape}]`;
console.log(`${dataset.about}: ${counts}, ${levels} levels`);
console.log(
  `${model.countParams()} parameters, ${run.steps} steps of ${run.batch}, seed ${run.seed}, ${run.backend}`,
);
if (from) console.log(`goes on after step ${step}`);
const progress = trainingProgress(run.steps, step);

/** An average also while few have been summed. */
const trainBits = () => smoothed / (1 - SMOOTHING ** step);

/** Saves the run, unless its weights are broken: the checkpoint before stays as it is. */
async function save(isBest) {
  await checkWeights(model);
  await log.flush();
  const write = async (directory) => {
    await model.save(fileSystem(join(directory, 'model')), { includeOptimizer: true });
    if (average) await average.use(() => model.save(fileSystem(join(directory, 'average'))));
  };
  await kept.save(step, { smoothed, best, evaluated, seconds }, write, { isBest });
  savedStep = step;
}

/** Evaluates, with the averaged weights where they are kept, saves, and draws. */
async function evaluateAndSave() {
  seconds += (performance.now() - since) / 1000;
  const task = () => evaluate(model, test, run);
  const { testBits, samples } = await (average ? average.use(task) : task());
  const isBest = best === null || testBits < best;
  if (isBest) best = testBits;
  evaluated = step;
  log.evaluation(step, { trainBits: trainBits(), testBits, seconds });
  await save(isBest);
  await log.pictures(step, samples);
  since = performance.now();
}

// Training

const order = { batchSize: run.batch, seed: run.seed, firstStep: step };
const batches = imageBatches(train, { ...order, withClasses: run.isConditional })[Symbol.iterator]();

while (step < run.steps && !isStopping) {
  const good =
    savedStep === undefined
      ? 'there is no checkpoint yet'
      : `the last good checkpoint is of step ${savedStep}`;
  where = `step ${step + 1} (${good}): `;
  const batch = batches.next().value;
  schedule.beforeStep();
  const bits = await model.trainOnBatch(batch.xs, batch.ys);
  tf.dispose(batch);
  if (!Number.isFinite(bits)) throw new Error(`the loss is ${bits}`);
  average?.update(step);
  step += 1;
  smoothed = SMOOTHING * smoothed + (1 - SMOOTHING) * bits;
  log.step(step, bits, trainBits());
  progress.update(step, trainBits());
  if (step % run.every === 0) await evaluateAndSave();
  await setImmediate(); // lets Ctrl-C and the progress line in
}
progress.stop();
const isDone = step === run.steps;
if (isDone && evaluated !== step) await evaluateAndSave();
else if (step !== (savedStep ?? 0)) {
  seconds += (performance.now() - since) / 1000;
  await save(false);
}
await log.close();
average?.dispose();
model.dispose();
optimizer.dispose();
if (isDone) console.log(`test bits/dim: ${best.toFixed(3)} at best; --model ${out} takes that model`);
else console.log(`stopped after step ${step}; --resume --out ${out} goes on`);
