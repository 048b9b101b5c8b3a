import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { bitsPerDim, gatedPixelCNN, logProb, pixelCNN, sample, WeightAverage } from 'pixelcnn-layers';
import { imageBatches, imageSet } from 'pixelcnn-layers/data';
import { readFile } from './files.mjs';
import { KEPT_NAME, TRAINING_SAMPLES } from './protocol.mjs';
import { trainerOf } from './trainer.mjs';

const PLACE = `indexeddb://${KEPT_NAME}`;
/** Of the small digits, as in the catalogue: imported from there, the worker's file would hold all of it. */
const [shape, levels] = [[8, 8, 1], 17];
const SIZES = { imageShape: shape, levels, hiddenDim: 16, outDim: 32, firstKernelSize: 5 };
const NETWORKS = {
  plain: () => pixelCNN({ ...SIZES, numBlocks: 3 }),
  gated: () => gatedPixelCNN({ ...SIZES, numBlocks: 2 }),
};
const REPORT_EVERY = 150; // milliseconds
const SHOW_EVERY = 2000; // milliseconds between samples, and ten times what they take
const TEST_IMAGES = 99;
const SMOOTHING = 0.98; // about the last 50 steps
/** Samples are always shown at these steps: 0, 25, 50, 100, 200 and so on. */
const isMilestone = (step) => step === 0 || Number.isInteger(Math.log2(step / 25));

/**
 * The worker's model.
 *
 * @type {null | { model: import('pixelcnn-layers').AutoregressiveModel, average: WeightAverage, network: string, step: number, sum: number,
 *   weight: number, training: [number, number][], test: [number, number][] }}
 */
let present = null;

/**
 * @param {import('./protocol.mjs').TrainJob} job
 * @param {{ signal: AbortSignal, report: (progress: import('./protocol.mjs').Progress) => void }} context
 */
export async function train({ network, seconds, cores }, { signal, report }) {
  const [data, testData] = await Promise.all([digits('train'), digits('test')]);
  if (present === null) begin(network);
  const run = present;
  const trainer = trainerOf(run.model, cores);
  const { batchSize } = trainer;
  const start = performance.now();
  let reported = start;
  let shown = start;
  let showEvery = SHOW_EVERY;
  let sent = { training: run.training.length, test: run.test.length };

  const news = (samples) => {
    const fresh = { training: run.training.slice(sent.training), test: run.test.slice(sent.test) };
    sent = { training: run.training.length, test: run.test.length };
    reported = performance.now();
    return { step: run.step, ...fresh, samples, cores: trainer.cores };
  };
  const show = async () => {
    const began = performance.now();
    const samples = await evaluate(run, testData);
    shown = performance.now();
    showEvery = Math.max(SHOW_EVERY, 10 * (shown - began));
    return news(samples);
  };

  try {
    if (run.step === 0) report(await show());
    for (const { xs, ys } of imageBatches(data, { batchSize, seed: 1, firstStep: run.step })) {
      const bits = await trainer.trainOnBatch(xs, ys);
      tf.dispose([xs, ys]);
      run.average.update(run.step);
      run.step += 1;
      run.sum = SMOOTHING * run.sum + (1 - SMOOTHING) * bits;
      run.weight = SMOOTHING * run.weight + (1 - SMOOTHING);
      if (run.step % 5 === 0) run.training.push([run.step, run.sum / run.weight]);

      const now = performance.now();
      if (signal.aborted || now - start > 1000 * seconds) break;
      if (isMilestone(run.step) || now - shown > showEvery) report(await show());
      else if (now - reported > REPORT_EVERY) report(news(null));
      else continue;
      await new Promise((resolve) => setTimeout(resolve)); // lets a cancellation in
    }
    return await show();
  } finally {
    trainer.dispose();
  }
}

/** @param {import('./protocol.mjs').DrawJob} job */
export async function draw({ seed }, { signal }) {
  return { step: present.step, levels: await samplesOf(present, seed, signal) };
}

export async function save() {
  const { model, network, step, training, test } = present;
  const date = new Date().toISOString();
  const thinned = training.filter((_, i) => i % Math.ceil(training.length / 1000) === 0);
  model.setUserDefinedMetadata({ network, step, date, training: thinned, test });
  await model.save(PLACE, { includeOptimizer: true });
  return { step, date };
}

export async function load() {
  const model = await loadLayersModel(PLACE);
  forget();
  const { network, step, date, training, test } = model.getUserDefinedMetadata();
  present = { ...state(model, network), step, training, test };
  return { step, date, network, training, test };
}

export function forget() {
  if (present === null) return {};
  present.average.dispose();
  present.model.optimizer.dispose();
  present.model.dispose();
  present = null;
  return {};
}

function begin(network) {
  const model = NETWORKS[network]();
  model.compile({ optimizer: tf.train.adam(3e-3, 0.9, 0.999, 1e-7), loss: bitsPerDim });
  present = state(model, network);
}

function state(model, network) {
  const average = new WeightAverage(model, { decay: 0.99 });
  return { model, average, network, step: 0, sum: 0, weight: 0, training: [], test: [] };
}

/** Adds to the test curve, and draws samples. */
async function evaluate(run, { data }) {
  const images = tf.tensor4d(data.subarray(0, 64 * TEST_IMAGES), [TEST_IMAGES, ...shape], 'int32');
  const nats = await run.average.use(() => logProb(run.model, images, { batchSize: TEST_IMAGES }));
  const total = (await nats.data()).reduce((sum, value) => sum + value, 0);
  run.test.push([run.step, -total / (images.size * Math.LN2)]);
  tf.dispose([images, nats]);
  return { step: run.step, levels: await samplesOf(run, 1) };
}

/** Drawn with the averaged weights. */
async function samplesOf({ model, average }, seed, signal) {
  const images = await average.use(() =>
    sample(model, { numImages: TRAINING_SAMPLES, seed, ...(signal && { signal }) }),
  );
  const values = await images.data();
  images.dispose();
  return values;
}

const URLS = {
  train: new URL('../../data/digits-train-images.u8', import.meta.url),
  test: new URL('../../data/digits-test-images.u8', import.meta.url),
};

async function digits(part) {
  const data = new Uint8Array(await (await readFile(URLS[part])).arrayBuffer());
  return imageSet({ data, shape: [data.length / 64, ...shape], levels });
}
