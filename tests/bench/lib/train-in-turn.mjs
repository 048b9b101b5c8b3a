import { performance } from 'node:perf_hooks';
import * as tf from '@tensorflow/tfjs-core';
import { bitsPerDim, exponentialDecay, sample, scheduleLearningRate } from 'pixelcnn-layers';
import { imageBatches, sliceImages } from 'pixelcnn-layers/data';
import { bitsByChannel } from '../../../kit/models/channel-bits.mjs';
import { summary, timeInTurn } from './timing.mjs';

/**
 * Trains models on the same batches by the recipe of examples/train.mjs, a step of each in turn, so that what else the
 * machine does falls on all alike.
 *
 * @param {Record<string, import('pixelcnn-layers').AutoregressiveModel>} models
 * @param {{ train: ImageSet, test: ImageSet }} sets quantized to the models' levels
 * @param {object} options
 * @param {number} options.steps
 * @param {number} options.batchSize images a step
 * @param {number} options.learningRate of the first step
 * @param {number} options.seed of the order of images
 * @param {number} options.evalImages the first of the test images, which the figures are of
 * @returns {Promise<Record<string, { bits: number, step: ReturnType<typeof summary> }>>} test bits/dim, milliseconds a step
 *
 * @typedef {import('pixelcnn-layers/data').ImageSet} ImageSet
 */
export async function trainInTurn(models, { train, test }, options) {
  const { steps, batchSize, learningRate, seed, evalImages } = options;
  const learners = mapValues(models, (model) => {
    const optimizer = tf.train.adam(learningRate, 0.9, 0.999, 1e-7);
    model.compile({ optimizer, loss: bitsPerDim });
    const schedule = scheduleLearningRate(optimizer, exponentialDecay({ initial: learningRate }));
    return { model, optimizer, schedule, times: [], bits: 0 };
  });
  const withClasses = Object.values(models).every(({ condition }) => condition?.kind === 'class');
  let step = 0;
  for (const batch of imageBatches(train, { batchSize, seed, withClasses })) {
    for (const learner of Object.values(learners)) {
      learner.schedule.beforeStep();
      const before = performance.now();
      learner.bits = await learner.model.trainOnBatch(batch.xs, batch.ys);
      learner.times.push(performance.now() - before);
    }
    tf.dispose(batch);
    step++;
    if (step % 100 === 0) {
      console.error(
        `seed ${seed}, step ${step}:`,
        mapValues(learners, ({ bits }) => bits.toFixed(2)),
      );
    }
    if (step === steps) break;
  }
  const judged = sliceImages(test, 0, evalImages);
  const results = {};
  for (const [name, { model, optimizer, times }] of Object.entries(learners)) {
    const ofChannels = await bitsByChannel(model, judged, { batchSize: 64 });
    const bits = ofChannels.reduce((sum, one) => sum + one, 0) / ofChannels.length;
    results[name] = { bits, step: summary(times) };
    optimizer.dispose();
  }
  return results;
}

/**
 * Trains models in turn and then draws from them in turn, anew for each seed: what `rowsOfModels` makes rows of.
 *
 * @param {string} seeds separated by commas
 * @param {(seed: number) => Record<string, import('pixelcnn-layers').AutoregressiveModel>} make
 * @param {object} recipe of `trainInTurn`
 * @param {object} options of `sample`
 * @param {number} seconds to draw
 */
export async function trainAndDraw(seeds, make, sets, recipe, options, seconds) {
  const runs = [];
  for (const seed of seeds.split(',').map(Number)) {
    const models = make(seed);
    const trained = await trainInTurn(models, sets, { ...recipe, seed });
    const draw = (model) => sample(model, { ...options, seed: 1, strategy: 'incremental' });
    const draws = mapValues(models, (model) => async () => (await draw(model)).dispose());
    const drawn = await timeInTurn(draws, { seconds });
    runs.push({ trained, drawn, weights: mapValues(models, (model) => model.countParams()) });
    for (const model of Object.values(models)) model.dispose();
  }
  return runs;
}

/** The same names with other values. */
export const mapValues = (object, of) => Object.fromEntries(Object.entries(object).map(([name, value]) => [name, of(value)]));
