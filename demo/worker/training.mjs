import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { toPortable } from 'pixelcnn-layers';
import { imageBatches } from 'pixelcnn-layers/data';
import { writePortable } from 'pixelcnn-layers/runtime';
import { disposeNetwork, learn, measure, networkOf, newNetwork, samplesOf } from './network.mjs';
import { KEPT_NAME } from './protocol.mjs';
import { trainerOf } from './trainer.mjs';
import { readSet } from './training-images.mjs';

/** The first of a run's networks tells of all. */
const placeOf = (i) => `indexeddb://${KEPT_NAME}${i || ''}`;
const REPORT_EVERY = 250; // milliseconds
const LONGEST = 600_000; // milliseconds, where nobody stops it
const SHOW_EVERY = 2000; // milliseconds between samples, and ten times what they take
/** Samples are always shown at these steps: 0, 25, 50, 100, 200 and so on. */
const isMilestone = (step) => step === 0 || Number.isInteger(Math.log2(step / 25));

/**
 * The worker's run: one network, or two that learn from the same images.
 *
 * @type {null | { settings: import('./protocol.mjs').RunSettings, step: number, trained: import('./network.mjs').Trained[] }}
 */
let present = null;

/**
 * @param {import('./protocol.mjs').TrainJob} job
 * @param {{ signal: AbortSignal, report: (progress: import('./protocol.mjs').Progress) => Promise<void> }} context
 */
export async function train({ settings, drawings, cores }, { signal, report }) {
  const [images, testImages] = await readSet(settings, drawings);
  present ??= { settings, step: 0, trained: settings.networks.map((name) => newNetwork(name, settings)) };
  const run = present;
  const trainers = run.trained.map(({ model }) => trainerOf(model, cores));
  const [{ batchSize }] = trainers;
  const start = performance.now();
  let reported = start;
  let shown = start;
  let showEvery = SHOW_EVERY;

  const news = (samples = null) => {
    reported = performance.now();
    return { step: run.step, curves: curvesOf(run), samples, cores: trainers[0].cores };
  };
  const show = async () => {
    const began = performance.now();
    if (testImages) for (const trained of run.trained) await measure(trained, testImages, run.step);
    const samples = await drawAll(run, 1);
    shown = performance.now();
    showEvery = Math.max(SHOW_EVERY, 10 * (shown - began));
    return news(samples);
  };

  try {
    if (run.step === 0) await report(await show());
    for (const batch of imageBatches(images, { batchSize, seed: 1, firstStep: run.step })) {
      for (const [i, trained] of run.trained.entries()) await learn(trained, trainers[i], batch, run.step);
      tf.dispose(batch);
      run.step += 1;

      const now = performance.now();
      if (signal.aborted || now - start > LONGEST) break;
      if (isMilestone(run.step) || now - shown > showEvery) await report(await show());
      else if (now - reported > REPORT_EVERY) await report(news());
      else continue;
      await new Promise((resolve) => setTimeout(resolve)); // lets a cancellation in
    }
    return await show();
  } finally {
    for (const trainer of trainers) trainer.dispose();
  }
}

/** @param {import('./protocol.mjs').DrawJob} job */
export const draw = ({ seed }, { signal }) => drawAll(present, seed, signal);

/** The last network of the run, with its averaged weights, as a file for the engine. */
export async function write() {
  const { model, average } = present.trained.at(-1);
  return { bytes: writePortable(await average.use(() => toPortable(model))) };
}

/** The first is written last: until then, the one that was kept before is all there. */
export async function save() {
  const { settings, step, trained } = present;
  const date = new Date().toISOString();
  for (const [i, { model }] of [...trained.entries()].reverse()) {
    model.setUserDefinedMetadata({ settings, step, date, curves: curvesOf(present) });
    await model.save(placeOf(i), { includeOptimizer: true });
  }
  return { step, date };
}

export async function load() {
  const first = await loadLayersModel(placeOf(0));
  const kept = first.getUserDefinedMetadata();
  const others = kept.settings.networks.slice(1).map((_, i) => loadLayersModel(placeOf(i + 1)));
  const models = [first, ...(await Promise.all(others))];
  forget();
  present = { ...kept, trained: models.map((model, i) => networkOf(model, kept.curves[i])) };
  return kept;
}

export function forget() {
  present?.trained.forEach(disposeNetwork);
  present = null;
  return {};
}

/** Of about a thousand points, which is more than a chart shows. */
const curvesOf = ({ trained }) =>
  trained.map(({ training, test }) => ({
    training: training.filter((_, i) => i % Math.ceil(training.length / 1000) === 0),
    test,
  }));

async function drawAll({ step, trained }, seed, signal) {
  const levels = [];
  for (const network of trained) levels.push(await samplesOf(network, seed, signal));
  return { step, levels };
}
