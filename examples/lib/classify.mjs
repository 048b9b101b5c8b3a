import * as tf from '@tensorflow/tfjs-core';
import { logProb } from 'pixelcnn-layers';

/**
 * The class of each image as a model that is conditioned on classes has it: the one under which the image is most likely, the lowest on a tie. That
 * is Bayes' rule where all classes are equally frequent.
 *
 * @param {import('pixelcnn-layers').AutoregressiveModel} model
 * @param {import('pixelcnn-layers/data').ImageSet} set of the model's levels
 * @param {{ batchSize: number, onProgress?: (done: number) => void }} options `onProgress` is told the images done so far
 * @returns {Promise<number[]>}
 */
export async function mostLikelyClasses(model, { data, shape }, { batchSize, onProgress }) {
  const [count, ...imageShape] = shape;
  const size = data.length / count;
  const found = [];
  for (let start = 0; start < count; start += batchSize) {
    const end = Math.min(start + batchSize, count);
    const part = new Int32Array(data.subarray(start * size, end * size)); // tfjs takes no Uint16Array
    const images = tf.tensor4d(part, [end - start, ...imageShape], 'int32');
    try {
      const byClass = await logProbByClass(model, images, batchSize);
      for (let i = 0; i < end - start; i++) found.push(highest(byClass.map((nats) => nats[i])));
    } finally {
      images.dispose();
    }
    onProgress?.(end);
  }
  return found;
}

/** log p(image | class) of each image [N,H,W,C]: a list for each class. */
async function logProbByClass(model, images, batchSize) {
  const byClass = [];
  for (let condition = 0; condition < model.condition.numClasses; condition++) {
    const nats = await logProb(model, images, { condition, batchSize }); // [N]
    byClass.push(await nats.data());
    nats.dispose();
  }
  return byClass;
}

function highest(values) {
  if (!values.every(Number.isFinite)) {
    throw new Error(`the model gives log p = ${values.join(', ')}: its weights are broken`);
  }
  return values.indexOf(Math.max(...values));
}

/**
 * How many images of each class there are, and how many of them were found to be of it.
 *
 * @param {ArrayLike<number>} labels
 * @param {number[]} found
 * @param {number} numClasses
 * @returns {{ images: number, right: number }[]}
 */
export function rightByClass(labels, found, numClasses) {
  const byClass = Array.from({ length: numClasses }, () => ({ images: 0, right: 0 }));
  for (const [i, label] of Array.from(labels).entries()) {
    byClass[label].images += 1;
    if (found[i] === label) byClass[label].right += 1;
  }
  return byClass;
}
