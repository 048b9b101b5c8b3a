import * as tf from '@tensorflow/tfjs-core';
import { imageBatches, imageSet } from 'pixelcnn-layers/data';
import { labelsOf } from './classes.mjs';

/** The symmetries that generate so many orientations. */
export const SYMMETRIES = {
  4: ['flipRows', 'flipColumns'],
  8: ['flipRows', 'flipColumns', 'transpose'],
};

/**
 * The symmetries whose orientations a network is conditioned on, or undefined if it sees images as they are.
 *
 * @param {{ orientations?: 4 | 8 }} run the settings of a run, or what a model carries
 * @returns {import('pixelcnn-layers/data').Symmetry[] | undefined}
 */
export const symmetriesOf = ({ orientations }) => SYMMETRIES[orientations];

/**
 * Images as a network of a run is evaluated on them: each in one orientation, always the same, with its number as label;
 * of a network without orientations, as they are.
 *
 * @param {import('pixelcnn-layers/data').ImageSet} set
 * @param {{ orientations?: 4 | 8, isConditional: boolean }} run
 * @returns {Promise<import('pixelcnn-layers/data').ImageSet>}
 */
export async function inOrientations(set, run) {
  const orientations = symmetriesOf(run);
  if (orientations === undefined) return set;
  const inTurn = { batchSize: 64, shuffle: false, repeat: false };
  const data = set.data.slice();
  const classes = [];
  for (const batch of imageBatches(set, { ...inTurn, withClasses: run.isConditional, orientations })) {
    data.set(await batch.ys.data(), (data.length / set.shape[0]) * classes.length);
    classes.push(...(await batch.xs[1].data()));
    tf.dispose(batch);
  }
  return imageSet({ ...set, data, labels: labelsOf(classes) });
}
