import { histogramBits, uniformBits } from '../../kit/models/baselines.mjs';
import { varianceOf } from './vq-vae.mjs';

/** @typedef {import('pixelcnn-layers/data').ImageSet} ImageSet */

/**
 * The error of reconstructed images.
 *
 * @param {ImageSet} images
 * @param {ArrayLike<number>} reconstructed levels
 * @returns {{ rms: number, unexplained: number }} root of the mean square, in levels; share of the images' variance
 */
export function reconstructionError(images, reconstructed) {
  let sum = 0;
  for (const [i, level] of images.data.entries()) sum += (level - reconstructed[i]) ** 2;
  const meanSquare = sum / images.data.length;
  return {
    rms: Math.sqrt(meanSquare),
    unexplained: meanSquare / (images.levels - 1) ** 2 / varianceOf(images),
  };
}

/**
 * How evenly the entries of a codebook are used: `perplexity` entries, used evenly, would need as many bits.
 *
 * @param {ImageSet} codes
 * @returns {{ used: number, perplexity: number }}
 */
export function codebookUse({ data, levels }) {
  const counts = new Array(levels).fill(0);
  for (const code of data) counts[code] += 1;
  const shares = counts.filter((count) => count > 0).map((count) => count / data.length);
  const bits = -shares.reduce((sum, share) => sum + share * Math.log2(share), 0);
  return { used: shares.length, perplexity: 2 ** bits };
}

/**
 * Bits per code of models that see no other code: uniform; by frequency in training; by frequency at each
 * place in training.
 *
 * @param {ImageSet} train
 * @param {ImageSet} test
 */
export function baselines(train, test) {
  const [, height, width] = train.shape;
  const histogram = (numPlaces) => histogramBits(train.data, test.data, train.levels, numPlaces);
  return {
    uniform: uniformBits(train.levels),
    histogram: histogram(1),
    'histogram by place': histogram(height * width),
  };
}
