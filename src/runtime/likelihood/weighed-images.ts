import { type Given, integer, number, optional, readArguments, type Values } from '../core/arguments';
import { checkFunction } from '../core/check';
import { memoryFor } from '../core/images';
import { exp } from '../kernels/arithmetic';
import type { PortableModel } from '../program/program';
import type { ImageModel } from '../sampling/image-model';
import { portableImageModel } from '../sampling/portable';
import { type Energy, energiesOf, energyArguments, planEnergyJob, timesBeta } from './energies';

// Images of a model q, with the weights e^(-beta E) / q by which they stand for the distribution e^(-beta E) / Z.

export const weighingArguments = {
  /** The inverse temperature. @default 1 */
  beta: optional(number(), 1),
  /** The number of images drawn. */
  numImages: integer({ from: 2 }),
  ...energyArguments,
};

/** Arguments of what weighs images, read; without a pool, which is in the model. */
export type WeighingValues = Omit<Values<typeof weighingArguments>, 'pool'>;

/** Checks what a caller gives, and puts the pool into the model. */
export function readWeighing(
  caller: string,
  model: PortableModel,
  energy: Energy,
  args: Given<typeof weighingArguments>,
): [ImageModel, Energy, WeighingValues] {
  const checked = portableImageModel(`${caller}: model`, model);
  const { pool, ...values } = readWeighingArguments(caller, energy, args);
  return [pool ? { ...checked, draw: (job) => pool.draw(model, job) } : checked, energy, values];
}

export function readWeighingArguments(
  caller: string,
  energy: unknown,
  args: Given<typeof weighingArguments>,
): Values<typeof weighingArguments> {
  checkFunction(`${caller}: energy`, energy);
  return readArguments(caller, args, weighingArguments);
}

/** How many images are drawn at a time. */
const AT_A_TIME = 1024;

/** Some of the images, drawn together. */
export interface DrawnImages {
  /** [numImages*H*W*C] */
  readonly levels: Int32Array;
  readonly numImages: number;
  /** The index of the first. */
  readonly firstImage: number;
  /** Of forbidden ones, -Infinity. */
  readonly logWeights: Float64Array;
}

/**
 * Draws and weighs images. `see` is called with each part of them.
 *
 * @throws Error that begins with `caller` if all are forbidden
 */
export async function weighedImages(
  caller: string,
  model: ImageModel,
  energy: Energy,
  { beta, numImages, ...options }: WeighingValues,
  see?: (drawn: DrawnImages) => void,
) {
  const logWeights = memoryFor(caller, () => new Float64Array(numImages));
  const whole = planEnergyJob(caller, model, { ...options, numImages });
  for (let firstImage = 0; firstImage < numImages; firstImage += AT_A_TIME) {
    const job = { ...whole, firstImage, numImages: Math.min(AT_A_TIME, numImages - firstImage) };
    const { levels: drawn, logProb } = await model.draw(job);
    const levels = Int32Array.from(drawn);
    const costs = timesBeta(caller, energiesOf(caller, energy, levels, job, true), beta, job);
    for (const [n, cost] of costs.entries()) logWeights[firstImage + n] = -cost - (logProb[n] as number);
    const { numImages: count } = job;
    see?.({
      levels,
      numImages: count,
      firstImage,
      logWeights: logWeights.subarray(firstImage, firstImage + count),
    });
  }
  const greatest = logWeights.reduce((max, one) => Math.max(max, one), -Infinity);
  if (greatest === -Infinity) {
    const all = `energy: Infinity for all ${numImages} images`;
    throw new Error(`${caller}: ${all}: the model draws none that is allowed`);
  }
  const weights = logWeights.map((one) => exp(one - greatest));
  const sum = sumOf(weights);
  const effectiveSampleSize = sum ** 2 / sumOf(weights.map((weight) => weight ** 2));
  return { logWeights, greatest, weights, sum, effectiveSampleSize };
}

export const sumOf = (numbers: Float64Array): number => numbers.reduce((sum, one) => sum + one, 0);
