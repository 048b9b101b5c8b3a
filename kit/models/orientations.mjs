import * as tf from '@tensorflow/tfjs-core';
import { symmetric } from 'pixelcnn-layers';
import { imageBatches, imageSet } from 'pixelcnn-layers/data';
import { labelsOf } from './classes.mjs';
import { conditionsOf, networkOf, numElements } from './image-model.mjs';

/**
 * The symmetries that generate so many orientations.
 *
 * @type {Record<4 | 8, import('pixelcnn-layers').Symmetry[]>}
 */
export const SYMMETRIES = {
  4: ['flipRows', 'flipColumns'],
  8: ['flipRows', 'flipColumns', 'transpose'],
};

/**
 * The symmetric model of a network that is told the orientation of images, or undefined if it sees them as they are.
 *
 * @param {import('@tensorflow/tfjs-layers').LayersModel} network
 * @param {{ orientations?: 4 | 8 }} run the settings of a run, or what a model carries
 * @returns {import('pixelcnn-layers').SymmetricModel | undefined}
 */
export const inAllOrientations = (network, { orientations }) =>
  orientations && symmetric(network, SYMMETRIES[orientations], { asCondition: true });

/**
 * Images as a network of a run is evaluated on them: each in one orientation, always the same, with its number as label;
 * of a network without orientations, as they are.
 *
 * @param {import('pixelcnn-layers/data').ImageSet} set
 * @param {import('pixelcnn-layers').SymmetricModel | undefined} orientations from {@link inAllOrientations}
 * @param {{ isConditional: boolean }} run
 * @returns {Promise<import('pixelcnn-layers/data').ImageSet>}
 */
export async function inOrientations(set, orientations, { isConditional }) {
  if (orientations === undefined) return set;
  const inTurn = { batchSize: 64, shuffle: false, repeat: false };
  const data = set.data.slice();
  const classes = [];
  for (const batch of imageBatches(set, { ...inTurn, withClasses: isConditional, orientations })) {
    data.set(await batch.ys.data(), (data.length / set.shape[0]) * classes.length);
    classes.push(...(await batch.xs[1].data()));
    tf.dispose(batch);
  }
  return imageSet({ ...set, data, labels: labelsOf(classes) });
}

/**
 * The network of a model with symmetries, in the one order of images as they are.
 *
 * @param {import('./image-model.mjs').ImageModel} model
 * @param {import('pixelcnn-layers/data').ImageSet} set with labels, if the model takes classes
 * @returns the network, and the images for it
 */
export function inOneOrder(model, set) {
  const network = networkOf(model);
  if (!model.symmetry.asCondition) return [network, set];
  const isByClass = conditionsOf(model).length > 0;
  const [size, elements] = [set.shape[0], numElements(model.symmetry)];
  const classes = Array.from({ length: size }, (_, n) => (isByClass ? set.labels[n] : 0) * elements);
  return [network, imageSet({ ...set, labels: labelsOf(classes) })];
}
