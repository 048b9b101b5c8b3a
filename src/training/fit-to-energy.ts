import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Energy } from '../likelihood/energies';
import type { SymmetricModel } from '../models/symmetric';
import type { FitToEnergyArgs } from './energy-steps';

/**
 * Trains a model on an energy instead of images: makes its distribution q like e^(-beta E(x)) / Z, by lowering the mean
 * of beta E + log q. Each step draws images from the model, and follows the gradient of the score function, with the
 * mean over these images as the baseline.
 *
 * Source: Wu, Wang and Zhang, "Solving Statistical Mechanics Using Variational Autoregressive Networks" (2019),
 * https://arxiv.org/abs/1809.10606, equations 2 and 3.
 *
 * @param model a model without conditions, or a symmetric one, whose log q is that of the mixture; it need not be compiled
 * @param energy returns the energy of each image
 * @returns `bound` [steps - firstStep], for each step the mean of -beta E - log q with the beta of the last step: an
 * estimate from below of log Z
 * @throws (rejects) TypeError naming the invalid argument, or if an energy is not finite, also in float32 and times beta,
 * as soon as it is computed; `signal.reason` if the signal aborts; Error if the model's outputs are not finite
 * @example
 * ```js
 * import { fitToEnergy, pixelCNN } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [2, 2, 1], levels: 2, hiddenDim: 4, outDim: 8, numBlocks: 1, seed: 1 });
 * // Levels 1 cost energy: e^(-E) sums to (1 + e^-1)^4.
 * const energy = (levels, numImages) =>
 *   Float64Array.from({ length: numImages }, (_, n) => levels.subarray(4 * n, 4 * n + 4).reduce((a, b) => a + b));
 * const { bound } = await fitToEnergy(model, energy, { steps: 100, numImages: 64, seed: 1 });
 * console.log(bound[0] < bound[99], Math.abs(bound[99] - 4 * Math.log(1 + Math.exp(-1))) < 0.1); // true true
 * ```
 */
export async function fitToEnergy(
  model: LayersModel | SymmetricModel,
  energy: Energy,
  args: FitToEnergyArgs,
): Promise<{ bound: Float64Array }> {
  const { lowerEnergy } = await import('./energy-steps'); // which a page loads when it trains
  return lowerEnergy(model, energy, args);
}
