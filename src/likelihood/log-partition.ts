import type { PortableModel } from '../program/program';
import type { Energy } from './energies';
import { type LogPartition, type LogPartitionArgs, ofPortable } from './importance-weights';

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
  return ofPortable(model, energy, args);
}
