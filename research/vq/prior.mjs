import * as tf from '@tensorflow/tfjs-core';
import { pixelSNAIL } from 'pixelcnn-layers';
import { imageBatches } from 'pixelcnn-layers/data';

/**
 * A new PixelSNAIL of codes and the class of their image. It reads codes as categories, since they have no order.
 *
 * @param {{ imageShape: number[], levels: number, numClasses: number, filters: number, numBlocks: number, seed: number }} args
 */
export function priorOf({ filters, ...args }) {
  return pixelSNAIL({ ...args, filters, numResBlocks: 2, resFilters: filters / 2 });
}

/**
 * Makes a function that trains a prior for a step. The loss is in bits a code.
 *
 * @param {Pick<import('pixelcnn-layers').Trainer, 'trainOnBatch'>} trainer of the prior
 * @param {import('pixelcnn-layers/data').ImageSet} codes
 * @param {{ batch: number, seed: number, firstStep: number }} options
 * @returns {() => Promise<number>}
 */
export function priorTraining(trainer, codes, { batch, seed, firstStep }) {
  const order = { batchSize: batch, seed, firstStep, withClasses: true };
  const batches = imageBatches(codes, order)[Symbol.iterator]();
  return async () => {
    const { xs, ys } = batches.next().value; // [[B,h,w,1], [B,1]], [B,h,w,1]
    const bits = await trainer.trainOnBatch(xs, ys);
    tf.dispose([xs, ys]);
    return bits;
  };
}
