import * as tf from '@tensorflow/tfjs-core';
import { sample } from 'pixelcnn-layers';
import { sliceImages } from 'pixelcnn-layers/data';
import { gridPng } from '../pictures/png.mjs';
import { bitsByChannel } from './channel-bits.mjs';
import { paletteOf } from './image-model.mjs';

/**
 * Evaluates a model: bits per dimension over the first images of a set, and a picture of samples.
 *
 * @param {import('pixelcnn-layers').AutoregressiveModel} model
 * @param {import('pixelcnn-layers/data').ImageSet} set of the model's levels
 * @param {{ evalImages?: number, samples: number, seed: number }} options
 * @returns {Promise<{ bits: number, samples: Buffer }>} throws where the figure is not finite
 */
export async function evaluate(model, set, { evalImages = set.shape[0], samples, seed }) {
  const [count, ...imageShape] = set.shape;
  const used = sliceImages(set, 0, Math.min(evalImages, count));
  const byChannel = await bitsByChannel(model, used, { batchSize: 64 });
  const bits = byChannel.reduce((sum, ofChannel) => sum + ofChannel, 0) / byChannel.length;
  if (!Number.isFinite(bits)) throw new Error(`the evaluation gives ${bits} bits/dim`);
  const { numClasses } = model.condition ?? {};
  const columns = numClasses ?? 8; // a column each class
  const condition = numClasses && Array.from({ length: samples }, (_, i) => i % numClasses);
  const drawn = await sample(model, { numImages: samples, imageShape, seed, condition });
  const { levels } = set;
  const look = { imageShape, levels, palette: paletteOf(model, levels) };
  const picture = gridPng({ ...look, images: await drawn.data(), columns, scale: 3, gap: 3 });
  drawn.dispose();
  return { bits, samples: picture };
}

/** Checks that all weights are finite. */
export async function checkWeights(model) {
  const total = tf.tidy(() => tf.addN(model.getWeights().map((weight) => tf.sum(weight))));
  const [sum] = await total.data();
  total.dispose();
  if (!Number.isFinite(sum)) throw new Error('the weights are not finite');
}
