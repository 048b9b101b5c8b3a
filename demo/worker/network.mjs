import * as tf from '@tensorflow/tfjs-core';
import { bitsPerDim, gatedPixelCNN, logProb, pixelCNN, sample, WeightAverage } from 'pixelcnn-layers';
import { TRAINING_SAMPLES } from './protocol.mjs';

const MAKE = {
  plain: pixelCNN,
  gated: ({ numBlocks, ...sizes }) => gatedPixelCNN({ ...sizes, numBlocks: numBlocks - 1 }), // its first block reads the image
};
const TEMPERATURE = 0.7;
const SMOOTHING = 0.98; // about the last 50 steps

/**
 * A network, and what is known of its training.
 *
 * @typedef {import('./protocol.mjs').Curve & { model: import('pixelcnn-layers').AutoregressiveModel, average: WeightAverage, sum: number,
 *   weight: number }} Trained
 */

/**
 * @param {import('./protocol.mjs').Network} name
 * @param {Omit<import('./protocol.mjs').RunSettings, 'set' | 'networks'>} settings
 */
export function newNetwork(name, { shape, levels, width, depth }) {
  const sizes = { hiddenDim: width, outDim: 2 * width, numBlocks: depth, firstKernelSize: 5 };
  const model = MAKE[name]({ imageShape: shape, levels, ...sizes });
  model.compile({ optimizer: tf.train.adam(3e-3, 0.9, 0.999, 1e-7), loss: bitsPerDim });
  return networkOf(model);
}

/** @returns {Trained} */
export function networkOf(model, { training = [], test = [] } = {}) {
  return { model, average: new WeightAverage(model, { decay: 0.99 }), sum: 0, weight: 0, training, test };
}

/** One step, and every fifth time a point of the curve. @param {number} step how many were done before */
export async function learn(network, trainer, { xs, ys }, step) {
  const bits = await trainer.trainOnBatch(xs, ys);
  network.average.update(step);
  network.sum = SMOOTHING * network.sum + (1 - SMOOTHING) * bits;
  network.weight = SMOOTHING * network.weight + (1 - SMOOTHING);
  if ((step + 1) % 5 === 0) network.training.push([step + 1, network.sum / network.weight]);
}

/** Adds to the curve of test images. @param {import('pixelcnn-layers/data').ImageSet} images */
export async function measure({ model, average, test }, { data, shape }, step) {
  const images = tf.tensor4d(data, shape, 'int32');
  const nats = await average.use(() => logProb(model, images, { batchSize: shape[0] }));
  const total = (await nats.data()).reduce((sum, value) => sum + value, 0);
  test.push([step, -total / (images.size * Math.LN2)]);
  tf.dispose([images, nats]);
}

/** Drawn with the averaged weights, and by what is likelier: so they can be read sooner. */
export async function samplesOf({ model, average }, seed, signal) {
  const images = await average.use(() =>
    sample(model, { numImages: TRAINING_SAMPLES, seed, temperature: TEMPERATURE, ...(signal && { signal }) }),
  );
  const levels = Uint8Array.from(await images.data());
  images.dispose();
  return levels;
}

/** @param {Trained} network */
export function disposeNetwork({ model, average }) {
  average.dispose();
  model.optimizer.dispose();
  model.dispose();
}
