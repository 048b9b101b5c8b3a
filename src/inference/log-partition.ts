import type { Energy } from '../runtime/likelihood/energies';
import {
  estimated,
  type LogPartition,
  type LogPartitionArgs,
  logPartition as ofPortable,
} from '../runtime/likelihood/log-partition';
import { readWeighingArguments } from '../runtime/likelihood/weighed-images';
import { isPortable, type PortableModel } from '../runtime/program/program';
import { type TfjsModel, tensorImageModel } from './tensor-model';

/**
 * Estimates log Z of the distribution e^(-beta E(x)) / Z over images x, by images from a model q: the mean of their
 * weights e^(-beta E(x)) / q(x) is on average Z, whatever the model, and varies the less the better the model is.
 *
 * Images that the model hardly ever draws are missing from the estimate, which may then be too low by far more than
 * `standardError`, whatever `effectiveSampleSize` says. Compare the estimates of models trained with several seeds and
 * cooled more slowly, or the exact sum over all images where they are few.
 *
 * Source: Nicoli et al., "Asymptotically unbiased estimation of physical observables with neural samplers" (2020),
 * https://arxiv.org/abs/1910.13496, section II.
 *
 * @param model a model without conditions: of tfjs, symmetric, or portable
 * @param energy returns the energy of each image; that of a forbidden one, whose weight is 0, is Infinity
 * @throws (rejects) TypeError naming the invalid argument, or if an energy is NaN or -Infinity, or beta times it
 * overflows, as soon as it is computed; `signal.reason` if the signal aborts; Error as `sample`, and if all images are
 * forbidden
 * @example
 * ```js
 * import { logPartition, pixelCNN } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [2, 2, 1], levels: 2, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const energy = (levels, numImages) => new Float64Array(numImages); // so that Z = 2^4
 * const { logZ } = await logPartition(model, energy, { numImages: 1000, seed: 1 });
 * console.log(Math.abs(logZ - Math.log(16)) < 0.2); // true
 * ```
 */
export async function logPartition(
  model: TfjsModel | PortableModel,
  energy: Energy,
  args: LogPartitionArgs,
): Promise<LogPartition> {
  if (isPortable(model)) return ofPortable(model, energy, args);
  const { pool, ...values } = readWeighingArguments('logPartition', energy, args);
  return estimated(tensorImageModel('logPartition: model', model, { pool }), energy, values);
}
