import * as tf from '@tensorflow/tfjs-core';
import { logProb } from 'pixelcnn-layers';
import { imageBatches, sliceImages } from 'pixelcnn-layers/data';

/**
 * Bits per dimension of a model over the first images of a set, quantized to the model's levels.
 *
 * @param {import('pixelcnn-layers').AutoregressiveModel} model
 * @param {import('pixelcnn-layers/data').ImageSet} images
 * @param {{ count?: number, batchSize?: number }} [options]
 * @returns {Promise<number>}
 */
export async function bitsPerDimension(model, images, { count = images.shape[0], batchSize = 64 } = {}) {
  const used = sliceImages(images, 0, Math.min(count, images.shape[0]));
  const batches = imageBatches(used, { batchSize, shuffle: false, repeat: false, levels: model.levels });
  let nats = 0;
  for (const batch of batches) {
    const logProbs = await logProb(model, batch.ys, { batchSize });
    for (const value of await logProbs.data()) nats -= value;
    tf.dispose([batch, logProbs]);
  }
  return nats / (used.data.length * Math.LN2);
}
