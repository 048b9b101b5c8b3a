import * as tf from '@tensorflow/tfjs-core';
import { logProb } from 'pixelcnn-layers';
import { conditionOf } from './classes.mjs';

/**
 * Bits per dimension of a model over a set of images, for each channel: the mean of -log2 p(level), each given all before it.
 *
 * @param {import('@tensorflow/tfjs-layers').LayersModel} model
 * @param {import('pixelcnn-layers/data').ImageSet} set of the model's levels, with labels where the model is conditioned on them
 * @param {{ batchSize: number, onProgress?: (done: number) => void }} options `onProgress` is told the images done so far
 * @returns {Promise<number[]>}
 */
export async function bitsByChannel(model, { data, shape, labels }, { batchSize, onProgress }) {
  const [count, ...imageShape] = shape;
  const channels = imageShape[2];
  const size = data.length / count;
  const nats = new Array(channels).fill(0);

  for (let start = 0; start < count; start += batchSize) {
    const end = Math.min(start + batchSize, count);
    const condition = conditionOf(model, labels?.subarray(start, end));
    const part = new Int32Array(data.subarray(start * size, end * size)); // tfjs takes no Uint16Array
    const images = tf.tensor4d(part, [end - start, ...imageShape], 'int32');
    try {
      const perValue = await logProb(model, images, { batchSize, condition, perValue: true }); // [n,H,W,C]
      for (const [i, value] of (await perValue.data()).entries()) nats[i % channels] -= value;
      perValue.dispose();
    } finally {
      images.dispose();
    }
    onProgress?.(end);
  }
  return nats.map((sum) => sum / ((data.length / channels) * Math.LN2));
}
