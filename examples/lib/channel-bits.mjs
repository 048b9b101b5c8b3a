import * as tf from '@tensorflow/tfjs-core';
import { negativeLogLikelihood, normalize } from 'pixelcnn-layers';
import { inputsOf } from './classes.mjs';

/**
 * Bits per dimension of a model over a set of images, for each channel: the mean of -log2 p(level), each given all before it.
 *
 * @param {import('@tensorflow/tfjs-layers').LayersModel} model
 * @param {import('pixelcnn-layers/data').ImageSet} set of the model's levels, with labels where the model is conditioned on them
 * @param {{ batchSize: number, onProgress?: (done: number) => void }} options `onProgress` is told the images done so far
 * @returns {Promise<number[]>}
 */
export async function bitsByChannel(model, { data, shape, levels, labels }, { batchSize, onProgress }) {
  const [count, ...imageShape] = shape;
  const channels = imageShape[2];
  const size = data.length / count;
  const nats = new Array(channels).fill(0);

  for (let start = 0; start < count; start += batchSize) {
    const end = Math.min(start + batchSize, count);
    const perValue = tf.tidy(() => {
      const part = new Int32Array(data.subarray(start * size, end * size)); // tfjs takes no Uint16Array
      const images = tf.tensor4d(part, [end - start, ...imageShape], 'int32');
      const inputs = inputsOf(model, normalize(images, levels), labels?.subarray(start, end));
      const logits = model.apply(inputs); // [n,H,W,C,L]
      return negativeLogLikelihood(tf.reshape(images, [-1, 1]), tf.reshape(logits, [-1, 1, levels])); // [n*H*W*C]
    });
    const values = await perValue.data();
    perValue.dispose();
    for (const [i, value] of values.entries()) nats[i % channels] += value;
    onProgress?.(end);
  }
  return nats.map((sum) => sum / ((data.length / channels) * Math.LN2));
}
