import * as tf from '@tensorflow/tfjs-core';

/**
 * How many classes the images of a data set have.
 *
 * @param {{ name: string, train: import('pixelcnn-layers/data').ImageSet }} dataset
 */
export function classesOf({ name, train: { labels } }) {
  if (labels === undefined) throw new Error(`${name} has no classes`);
  return 1 + labels.reduce((most, label) => Math.max(most, label), 0);
}

/**
 * What a model takes of images [n,H,W,C]: them alone, or with their classes [n,1], where it is conditioned on those.
 *
 * @param {import('@tensorflow/tfjs-layers').LayersModel} model
 * @param {import('@tensorflow/tfjs-core').Tensor4D} images
 * @param {Uint8Array | undefined} labels of these images
 */
export function inputsOf(model, images, labels) {
  if (model.inputs.length === 1) return images;
  if (labels === undefined) throw new Error('the model is conditioned on classes, and the images have none');
  return [images, tf.tensor2d(labels, [labels.length, 1], 'int32')];
}
