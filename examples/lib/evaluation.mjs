import * as tf from '@tensorflow/tfjs-core';
import { sample } from 'pixelcnn-layers';
import { sliceImages } from 'pixelcnn-layers/data';
import { bitsByChannel } from './channel-bits.mjs';
import { gridPng } from './png.mjs';

/**
 * What a run is judged by: bits per dimension over the first test images, and a picture of samples.
 *
 * @param {import('pixelcnn-layers').AutoregressiveModel} model
 * @param {import('pixelcnn-layers/data').ImageSet} test of the model's levels
 * @param {{ evalImages?: number, samples: number, seed: number }} options
 * @returns {Promise<{ testBits: number, samples: Buffer }>} throws where the figure is not finite
 */
export async function evaluate(model, test, { evalImages = test.shape[0], samples, seed }) {
  const [count, ...imageShape] = test.shape;
  const used = sliceImages(test, 0, Math.min(evalImages, count));
  const byChannel = await bitsByChannel(model, used, { batchSize: 64 });
  const testBits = byChannel.reduce((sum, bits) => sum + bits, 0) / byChannel.length;
  if (!Number.isFinite(testBits)) throw new Error(`the test figure is ${testBits}`);
  const { numClasses } = model.condition ?? {};
  const columns = numClasses ?? 8; // a column each class
  const condition = numClasses && Array.from({ length: samples }, (_, i) => i % numClasses);
  const drawn = await sample(model, { numImages: samples, imageShape, seed, condition });
  const { levels } = test;
  const picture = gridPng({ images: await drawn.data(), imageShape, levels, columns, scale: 3, gap: 3 });
  drawn.dispose();
  return { testBits, samples: picture };
}

/** Throws where a weight is not finite. */
export async function checkWeights(model) {
  const total = tf.tidy(() => tf.addN(model.getWeights().map((weight) => tf.sum(weight))));
  const [sum] = await total.data();
  total.dispose();
  if (!Number.isFinite(sum)) throw new Error('the weights are not finite');
}
