import * as tf from '@tensorflow/tfjs-core';
import { logProb } from 'pixelcnn-layers';
import { conditionOf } from './classes.mjs';
import { givenTo, isSymmetric, numbersOf } from './image-model.mjs';
import { mean } from './statistics.mjs';

/**
 * -log p of each image of a set, in nats, for each channel: the sum of -log p(level), each given all before it. Of a model with
 * symmetries, whose values have no single order, for all channels together.
 *
 * @param {import('./image-model.mjs').ImageModel} model
 * @param {import('pixelcnn-layers/data').ImageSet} set of the model's levels, with labels if the model is
 * conditioned on them
 * @param {{ batchSize: number, onProgress?: (done: number) => void }} options `onProgress` is told the images done so far
 * @returns {Promise<number[][]>} [N][C]
 */
export async function natsByImage(model, { data, shape, labels }, { batchSize, onProgress }) {
  const [count, ...imageShape] = shape;
  const perValue = !isSymmetric(model);
  const channels = perValue ? imageShape[2] : 1;
  const size = data.length / count;
  const nats = Array.from({ length: count }, () => new Array(channels).fill(0));

  for (let start = 0; start < count; start += batchSize) {
    const end = Math.min(start + batchSize, count);
    const condition = conditionOf(model, labels?.subarray(start, end));
    const batch = { data: data.subarray(start * size, end * size), shape: [end - start, ...imageShape] };
    const images = givenTo(model, batch);
    try {
      const logProbs = await numbersOf(await logProb(model, images, { condition, perValue })); // [n*H*W*C], or [n]
      const each = logProbs.length / (end - start);
      for (const [i, value] of logProbs.entries()) nats[start + Math.floor(i / each)][i % channels] -= value;
    } finally {
      tf.dispose(images);
    }
    onProgress?.(end);
  }
  return nats;
}

/**
 * Bits per dimension of a model over a set of images, for each channel of {@link natsByImage}.
 *
 * @param {Parameters<typeof natsByImage>} args
 * @returns {Promise<number[]>} [C]
 */
export async function bitsByChannel(...args) {
  const [, { data, shape }] = args;
  return bitsOf(await natsByImage(...args), data.length / shape[0]);
}

/** Bits per dimension of images of so many values, for each channel. @param {number[][]} nats [N][C] */
export const bitsOf = (nats, values) =>
  nats[0].map((_, channel) => mean(nats.map((of) => of[channel])) / ((values / nats[0].length) * Math.LN2));
