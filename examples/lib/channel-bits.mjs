import { conditionOf } from './classes.mjs';
import { logProbOf } from './image-model.mjs';

/**
 * Bits per dimension of a model over a set of images, for each channel: the mean of -log2 p(level), each given all before it.
 *
 * @param {import('./image-model.mjs').ImageModel} model
 * @param {import('pixelcnn-layers/data').ImageSet} set of the model's levels, with labels if the model is
 * conditioned on them
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
    const images = { data: data.subarray(start * size, end * size), shape: [end - start, ...imageShape] };
    const perValue = await logProbOf(model, images, { batchSize, condition, perValue: true }); // [n*H*W*C]
    for (const [i, value] of perValue.entries()) nats[i % channels] -= value;
    onProgress?.(end);
  }
  return nats.map((sum) => sum / ((data.length / channels) * Math.LN2));
}
