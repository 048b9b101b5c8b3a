// Trains a PixelCNN on a data set, and writes figures, samples and checkpoints as it goes: `node examples/train.mjs --help`.
//
// At the end the best model is measured on the test images, and samples.png is drawn from it. One run at a time writes to a directory:
// another ends at once, and names the process and when it started. The operating system holds this lock, so that a run.lock which is
// left behind is harmless. A resumed run starts a new file in events/; TensorBoard discards earlier entries of repeated steps.

import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import {
  bitsPerDim,
  clipGradients,
  exponentialDecay,
  initializeFromData,
  scheduleLearningRate,
  WeightAverage,
} from 'pixelcnn-layers';
import { imageBatches } from 'pixelcnn-layers/data';
import { fileSystem } from 'pixelcnn-layers/node';
import { readDataset } from '../kit/data/datasets.mjs';
import { holdOut } from '../kit/data/hold-out.mjs';
import { inLevels } from '../kit/data/model-data.mjs';
import { fail, stop } from '../kit/flags.mjs';
import { histogramBits, uniformBits } from '../kit/models/baselines.mjs';
import { classesOf } from '../kit/models/classes.mjs';
import { checkWeights, evaluate } from '../kit/models/evaluation.mjs';
import { carryOrientations, carryPalette } from '../kit/models/image-model.mjs';
import { networkOf } from '../kit/models/network-of-run.mjs';
import { inAllOrientations, inOrientations } from '../kit/models/orientations.mjs';
import { loadImageModel } from '../kit/models/saved-model.mjs';
import { choosePalette } from '../kit/pictures/choose-palette.mjs';
import { lossOf, paletteOfText, textOfPalette } from '../kit/pictures/palette.mjs';
import { useBackend } from '../kit/runs/backend.mjs';
import { checkpoints } from '../kit/runs/checkpoints.mjs';
import { writeWhole } from '../kit/runs/files.mjs';
import { trainingProgress } from '../kit/runs/progress.mjs';
import { openRunLog } from '../kit/runs/run-log.mjs';
import { keepSettings, openRun } from '../kit/runs/run-settings.mjs';
import { readTrainFlags } from '../kit/runs/train-flags.mjs';
import { startTrainer, workersFor, workersText } from '../kit/runs/trainer.mjs';

const TITLES = {
  pixelcnn: 'PixelCNN',
  gated: 'Gated PixelCNN',
  'plus-plus': 'PixelCNN++',
  snail: 'PixelSNAIL',
  gpt: 'Image GPT',
  'row-lstm': 'PixelRNN (Row LSTM)',
  'diagonal-bi-lstm': 'PixelRNN (Diagonal BiLSTM)',
  'conv-next': 'PixelCNN (ConvNeXt blocks)',
};
const SMOOTHING = 0.98; // of the training loss that is shown: about the last 50 steps

// Errors name the step at which they happen.
let where = '';
process.on('uncaughtException', (error) => fail(error, where));

// Ctrl-C ends training after the current step.
let isStopping = false;
process.once('SIGINT', () => {
  isStopping = true;
});

// The run, which this process locks, and the checkpoint from which it continues

const flags = readTrainFlags(process.argv.slice(2));
const { out } = flags;
const run = await openRun(flags);
const workers = workersFor(flags.workers, run);
const kept = checkpoints(join(out, 'checkpoints'));
const from = flags.resume ? await kept.latest() : null;
if (from !== null && run.steps < from.step) {
  stop(`--steps: the run has done ${from.step}, got '${run.steps}'`);
}

await useBackend(run.backend);
const hasPalette = run.colours !== undefined;
const dataset = await readDataset(run.data, { path: run.path, levels: run.levels, hasPalette });
const palette = hasPalette ? readPalette() : undefined;
const levels = palette ? palette.length / 3 : (run.levels ?? dataset.train.levels);
const [train, test] = [dataset.train, dataset.test].map((set) => inLevels(set, { levels, palette }));
const imageShape = train.shape.slice(1); // [H,W,C]
if (run.model === 'gpt' && imageShape[2] !== 1)
  stop(`--model gpt: wanted images of one channel, ${run.data} has RGB ones; --palette makes them levels`);
if (run.orientations === 8 && imageShape[0] !== imageShape[1])
  stop(`--orientations 8: wanted square images, got ${imageShape[0]}x${imageShape[1]}`);
const ownClasses = run.isConditional ? classesOf(dataset) : undefined;
const numClasses = run.orientations ? (ownClasses ?? 1) * run.orientations : ownClasses;

/** The palette of the run, at first from its training images: whatever the seed, so that runs can be compared. */
function readPalette() {
  const { train } = dataset;
  if (train.shape[3] !== 3) stop(`--palette: wanted RGB images, ${run.data} has grey ones`);
  run.palette ??= textOfPalette(choosePalette(train, run.colours));
  return paletteOfText(`${out}/run.json: palette`, run.palette);
}

// The images to train on, and to evaluate on: the test images, or held-out training images

const own = dataset.validation && inLevels(dataset.validation, { levels, palette });
if (own && run.validation !== undefined) {
  stop(`--validation: ${run.data} has ${own.shape[0]} validation images of its own`);
}
const heldOut = run.validation ?? (run.patience === undefined || own ? 0 : Math.floor(train.shape[0] / 10));
if (heldOut >= train.shape[0]) {
  stop(`--validation: ${run.data} has ${train.shape[0]} training images, got '${heldOut}'`);
}
const [learnt, validation = own] = holdOut(train, heldOut);
await keepSettings(out, run, [train, test, ...(own ? [own] : [])]);

// Model: images in [0, 1], and their classes or orientations if it is conditional -> logits [N,H,W,C,L] or parameters [N,H,W,P]

const load = (part) => loadLayersModel(fileSystem(join(from.directory, part)));
const newModel = () => {
  const model = networkOf(run, { imageShape, levels, numClasses });
  const optimizer =
    run.optimizer === 'adam'
      ? tf.train.adam(run.learningRate, 0.9, 0.999, 1e-7)
      : tf.train.rmsprop(run.learningRate, 0.9, 0, 1e-7);
  model.compile({ optimizer, loss: bitsPerDim });
  if (palette) carryPalette(model, palette);
  if (run.orientations) carryOrientations(model, run.orientations);
  return model;
};
const model = from ? await load('model') : newModel();
const orientations = inAllOrientations(model, run);
const judge = {
  name: validation ? 'validation' : 'test',
  set: await inOrientations(validation ?? test, orientations, run),
};
const shown = { seed: run.seed, withClasses: run.isConditional, orientations };
if (run.fromData !== undefined && !from) await beginFromData();
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
const trainer = await startTrainer(model, workers, run.batch);

/** Sets the gains and biases of weight-normed convolutions from the first images. */
async function beginFromData() {
  const first = imageBatches(learnt, { batchSize: run.fromData, ...shown });
  const { value: batch } = first[Symbol.iterator]().next();
  const condition = numClasses ? { condition: batch.xs[1] } : {};
  await initializeFromData(model, batch.ys, condition);
  tf.dispose(batch);
}

// Output

const fresh = { smoothed: 0, best: null, sinceBest: 0, evaluated: null, seconds: 0 };
let { smoothed, best, sinceBest, evaluated, seconds } = { ...fresh, ...from?.state };
let step = from?.step ?? 0;
let savedStep = from?.step ?? null;
let since = performance.now();
const log = await openRunLog(out, {
  title: `${TITLES[run.model]} on ${run.data}, ${levels} levels`,
  step,
  isResumed: flags.resume,
  judge: judge.name,
  rules: [
    { name: 'uniform', y: uniformBits(levels) },
    { name: 'histogram', y: histogramBits(learnt.data, judge.set.data, levels, imageShape[2]) },
  ],
});
const counts = [`${learnt.shape[0]} training`, ...(validation ? [`${validation.shape[0]} validation`] : [])];
console.log(
  `${dataset.about}: ${counts.join(', ')} and ${test.shape[0]} test images [${imageShape}], ${levels} levels`,
);
console.log(
  `${model.countParams()} parameters, ${run.steps} steps of ${run.batch}, seed ${run.seed}, ${run.backend}${workersText(workers)}`,
);
if (palette) {
  const { mse, psnr } = lossOf(dataset.test, palette);
  console.log(`palette of ${levels} colours: the test images differ from it by a mean square of ${mse.toFixed(1)}, a PSNR of ${psnr.toFixed(1)} dB`); // biome-ignore format: one line
}
if (from) console.log(`continues after step ${step}`);
const progress = trainingProgress(run.steps, step);

/** An average even after few steps. */
const trainBits = () => smoothed / (1 - SMOOTHING ** step);

/** Saves the run, unless its weights are not finite; then the previous checkpoint stays. */
async function save(isBest) {
  await checkWeights(model);
  await log.flush();
  const write = async (directory) => {
    await model.save(fileSystem(join(directory, 'model')), { includeOptimizer: true });
    if (average) await average.use(() => model.save(fileSystem(join(directory, 'average'))));
  };
  await kept.save(step, { smoothed, best, sinceBest, evaluated, seconds }, write, { isBest });
  savedStep = step;
}

/** Evaluates, with the averaged weights if there are any, saves, and draws. */
async function evaluateAndSave() {
  seconds += (performance.now() - since) / 1000;
  const task = () => evaluate(model, judge.set, run);
  const { bits, samples } = await (average ? average.use(task) : task());
  const isBest = best === null || bits < best;
  if (isBest) best = bits;
  sinceBest = isBest ? 0 : sinceBest + 1;
  evaluated = step;
  log.evaluation(step, { trainBits: trainBits(), bits, seconds });
  await save(isBest);
  await log.pictures(step, samples);
  progress.say(
    `step ${step}: ${judge.name} ${bits.toFixed(3)} bits/dim; samples in ${join(out, `samples-${step}.png`)}`,
  );
  since = performance.now();
}

// Training

const batches = imageBatches(learnt, { batchSize: run.batch, firstStep: step, ...shown })[Symbol.iterator]();
const isPatient = () => run.patience === undefined || sinceBest < run.patience;

try {
  while (step < run.steps && isPatient() && !isStopping) {
    const lastGood = savedStep === null ? 'there is no checkpoint yet' : `the last good checkpoint is of step ${savedStep}`; // biome-ignore format: one line
    where = `step ${step + 1} (${lastGood}): `;
    const batch = batches.next().value;
    schedule.beforeStep();
    const bits = await trainer.trainOnBatch(batch.xs, batch.ys);
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
} finally {
  await trainer.dispose();
}
progress.stop();
const isDone = step === run.steps || !isPatient();
if (isDone && evaluated !== step) await evaluateAndSave();
else if (step > 0 && savedStep !== step) {
  seconds += (performance.now() - since) / 1000;
  await save(false);
}
await log.close();
average?.dispose();
model.dispose();
optimizer.dispose();
where = '';

// The best model, at the end

if (isDone) {
  if (!isPatient()) console.log(`step ${step}: no better for ${sinceBest} evaluations`);
  const { step: bestStep } = await kept.best();
  const { model: bestModel } = await loadImageModel(out);
  const atTheEnd = validation ? { ...run, evalImages: undefined } : run; // that limits the images which the model was chosen by
  const { bits, samples } = await evaluate(
    bestModel,
    await inOrientations(test, orientations, run),
    atTheEnd,
  );
  await writeWhole(join(out, 'samples.png'), samples);
  bestModel.dispose();
  const judges = validation ? 'the validation images' : 'these images';
  console.log(`test bits/dim: ${bits.toFixed(3)} by the model of step ${bestStep}, the best on ${judges}; node examples/sample.mjs --model ${out} draws from it`); // biome-ignore format: one line
  if (!validation)
    console.log(
      'these images chose it, so new ones may cost more: --validation N holds out others to choose by',
    );
} else {
  const toDraw = best === null ? `; it can draw from step ${run.every} on` : '';
  console.log(`stopped after step ${step}; --resume --out ${out} continues${toDraw}`);
}
