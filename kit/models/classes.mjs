import { conditionsOf } from './image-model.mjs';

/** What a data set without classes lacks, if it could have them. */
const LACKING = { npy: ': wanted train-labels.npy and test-labels.npy in the directory --path' };

/**
 * How many classes the training images of a data set have. A model cannot be evaluated on test images of other classes.
 *
 * @typedef {import('pixelcnn-layers/data').ImageSet} ImageSet
 *
 * @param {{ name: string, train: ImageSet, test: ImageSet }} dataset
 */
export function classesOf({ name, train, test }) {
  if (train.labels === undefined) throw new Error(`${name} has no classes${LACKING[name] ?? ''}`);
  const [highest, ofTest] = [train, test].map(({ labels = [] }) =>
    labels.reduce((most, label) => Math.max(most, label), 0),
  );
  if (ofTest > highest)
    throw new Error(
      `${name} has test images of class ${ofTest}, training images of classes up to ${highest}`,
    );
  return 1 + highest;
}

/** The highest class that an image set can hold. */
export const HIGHEST_CLASS = 65_535;

/**
 * Labels of an image set, in bytes if classes fit.
 *
 * @param {ArrayLike<number>} classes 0 to {@link HIGHEST_CLASS}
 */
export function labelsOf(classes) {
  const labels = Uint16Array.from(classes);
  return labels.some((label) => label > 255) ? labels : Uint8Array.from(labels);
}

/**
 * The condition of a model for images of these classes: the classes, or undefined if it takes no condition.
 *
 * @param {import('./image-model.mjs').ImageModel} model
 * @param {Uint8Array | Uint16Array | undefined} labels of these images
 * @returns {number[] | undefined}
 */
export function conditionOf(model, labels) {
  if (conditionsOf(model).length === 0) return undefined;
  if (labels === undefined) throw new Error('the model is conditioned on classes, and the images have none');
  return Array.from(labels);
}
