import type { Given } from '../core/arguments';
import { log } from '../kernels/arithmetic';
import type { PortableModel } from '../program/program';
import type { ImageModel } from '../sampling/image-model';
import type { Energy } from './energies';
import {
  readWeighing,
  sumOf,
  type WeighingValues,
  weighedImages,
  type weighingArguments,
} from './weighed-images';

/** Arguments of {@link logPartition}. */
export interface LogPartitionArgs extends Given<typeof weighingArguments> {}

/** The result of {@link logPartition}. */
export interface LogPartition {
  /** The estimate of log Z. */
  readonly logZ: number;
  /** Its standard error. */
  readonly standardError: number;
  /** The mean of -beta E - log q, on average at most log Z; -Infinity if the model drew forbidden images. */
  readonly bound: number;
  /** (sum of w)^2 / sum of w^2, for weights w = e^(-beta E) / q: at most `numImages`, where all images that were drawn weigh the same. */
  readonly effectiveSampleSize: number;
}

/**
 * Estimates log Z of the distribution e^(-beta E(x)) / Z, as `logPartition` of `pixelcnn-layers`, which documents how, and what
 * the estimate may miss.
 *
 * Source: Nicoli et al. (2020), https://arxiv.org/abs/1910.13496, section II.
 *
 * @throws TypeError as there
 * @example
 * ```js
 * import { pixelCNN, toPortable } from 'pixelcnn-layers';
 * import { logPartition } from 'pixelcnn-layers/runtime';
 * const model = pixelCNN({ imageShape: [2, 2, 1], levels: 2, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const energy = (levels, numImages) => new Float64Array(numImages); // so that Z = 2^4
 * const { logZ } = await logPartition(await toPortable(model), energy, { numImages: 1000, seed: 1 });
 * console.log(Math.abs(logZ - Math.log(16)) < 0.2); // true
 * ```
 */
export async function logPartition(
  model: PortableModel,
  energy: Energy,
  args: LogPartitionArgs,
): Promise<LogPartition> {
  return estimated(...readWeighing('logPartition', model, energy, args));
}

/** Estimates log Z by images of a model of any kind. */
export async function estimated(
  model: ImageModel,
  energy: Energy,
  values: WeighingValues,
): Promise<LogPartition> {
  const { numImages } = values;
  const { logWeights, greatest, weights, sum, effectiveSampleSize } = await weighedImages(
    'logPartition',
    model,
    energy,
    values,
  );
  const mean = sum / numImages;
  const variance = sumOf(weights.map((weight) => (weight - mean) ** 2)) / (numImages - 1);
  return {
    logZ: greatest + log(mean),
    standardError: Math.sqrt(variance / numImages) / mean, // of log(mean), by its derivative
    bound: sumOf(logWeights) / numImages,
    effectiveSampleSize,
  };
}
