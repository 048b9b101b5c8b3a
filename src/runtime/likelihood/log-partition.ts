import { type Given, integer, number, optional, readArguments } from '../core/arguments';
import { checkFunction } from '../core/check';
import { memoryFor } from '../core/images';
import { exp, log } from '../kernels/arithmetic';
import type { PortableModel } from '../program/program';
import type { ImageModel } from '../sampling/image-model';
import { portableImageModel } from '../sampling/portable';
import { type Energy, energiesOf, energyArguments, planEnergyJob, timesBeta } from './energies';

const logPartitionArguments = {
  /** The inverse temperature. @default 1 */
  beta: optional(number(), 1),
  /** The number of images drawn. */
  numImages: integer({ from: 2 }),
  ...energyArguments,
};

/** Arguments of {@link logPartition}. */
export interface LogPartitionArgs extends Given<typeof logPartitionArguments> {}

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
  const checked = portableImageModel('logPartition: model', model);
  const { pool, ...values } = readLogPartition(energy, args);
  const inPool: ImageModel | undefined = pool && { ...checked, draw: (job) => pool.draw(model, job) };
  return estimated(inPool ?? checked, energy, values);
}

/** Checks the arguments of {@link logPartition}. */
export function readLogPartition(energy: unknown, args: LogPartitionArgs) {
  checkFunction('logPartition: energy', energy);
  return readArguments('logPartition', args, logPartitionArguments);
}

/** How many images are drawn at a time. */
const AT_A_TIME = 1024;

/** Estimates log Z by images of a model of any kind. */
export async function estimated(
  model: ImageModel,
  energy: Energy,
  { beta, numImages, ...options }: Omit<ReturnType<typeof readLogPartition>, 'pool'>,
): Promise<LogPartition> {
  const logWeights = memoryFor('logPartition', () => new Float64Array(numImages));
  const whole = planEnergyJob('logPartition', model, { ...options, numImages });
  for (let firstImage = 0; firstImage < numImages; firstImage += AT_A_TIME) {
    const job = { ...whole, firstImage, numImages: Math.min(AT_A_TIME, numImages - firstImage) };
    const { levels, logProb } = await model.draw(job);
    const energies = energiesOf('logPartition', energy, Int32Array.from(levels), job, true);
    const costs = timesBeta('logPartition', energies, beta, job);
    for (const [n, cost] of costs.entries()) logWeights[firstImage + n] = -cost - (logProb[n] as number);
  }
  const greatest = logWeights.reduce((max, one) => Math.max(max, one), -Infinity);
  if (greatest === -Infinity) {
    const all = `energy: Infinity for all ${numImages} images`;
    throw new Error(`logPartition: ${all}: the model draws none that is allowed`);
  }
  const weights = logWeights.map((one) => exp(one - greatest));
  const sum = sumOf(weights);
  const mean = sum / numImages;
  const variance = sumOf(weights.map((weight) => (weight - mean) ** 2)) / (numImages - 1);
  return {
    logZ: greatest + log(mean),
    standardError: Math.sqrt(variance / numImages) / mean, // of log(mean), by its derivative
    bound: sumOf(logWeights) / numImages,
    effectiveSampleSize: sum ** 2 / sumOf(weights.map((weight) => weight ** 2)),
  };
}

const sumOf = (numbers: Float64Array): number => numbers.reduce((sum, one) => sum + one, 0);
