import * as tf from '@tensorflow/tfjs-core';
import { logProb } from 'pixelcnn-layers';
import { conditionsOf, givenTo, numbersOf } from './image-model.mjs';

/**
 * Classifies images by a model that is conditioned on classes: each gets the class under which it
 * is most likely, the lowest on a tie. This is Bayes' rule if all classes are equally frequent.
 *
 * @param {import('./image-model.mjs').ImageModel} model
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
    const batch = { data: data.subarray(start * size, end * size), shape: [end - start, ...imageShape] };
    const images = givenTo(model, batch);
    try {
      const byClass = await logProbByClass(model, images);
      for (let i = 0; i < end - start; i++) found.push(highest(byClass.map((nats) => nats[i])));
    } finally {
      tf.dispose(images);
    }
    onProgress?.(end);
  }
  return found;
}

/** log p(image | class) of each image [N,H,W,C], a list for each class. */
async function logProbByClass(model, images) {
  const byClass = [];
  const [{ numClasses }] = conditionsOf(model);
  for (let condition = 0; condition < numClasses; condition++) {
    byClass.push(await numbersOf(await logProb(model, images, { condition }))); // [N]
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
 * The number of images of each class, and how many of them were classified correctly.
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
