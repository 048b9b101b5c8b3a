import type { Optimizer } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import {
  anything,
  callback,
  checked,
  type Given,
  integer,
  number,
  optional,
  positive,
} from '../core/arguments';
import { checkFunction } from '../core/check';
import { type Energy, energyArguments } from '../likelihood/energies';
import type { SymmetricModel } from '../models/symmetric';

/** A step of {@link fitToEnergy}. */
export interface EnergyStep {
  /** Counted from 0. */
  readonly step: number;
  /** The inverse temperature of this step. */
  readonly beta: number;
  /** As in the result of {@link fitToEnergy}. */
  readonly bound: number;
  /** The images of this step, [numImages*H*W*C]. */
  readonly levels: Int32Array;
  /** Their energies, [numImages]. */
  readonly energies: Float64Array;
  /** Their log q, before this step, [numImages]. */
  readonly logProb: Float64Array;
}

/** An inverse temperature, or a function that returns that of a step. */
type Beta = number | ((step: number) => number);

export const fitToEnergyArguments = {
  /** The number of steps, of all trainings together. */
  steps: integer({ from: 1 }),
  /** The number of images that are drawn for each step. */
  numImages: integer({ from: 2 }),
  /** The inverse temperature, or a function of the step, such as `(step) => beta * (1 - 0.998 ** step)`. @default 1 */
  beta: optional(
    checked<Beta>((what, given) =>
      typeof given === 'function' ? checkFunction(what, given) : number().check(what, given, {}),
    ),
    1,
  ),
  /** @default Adam, with a learning rate of 0.001 */
  optimizer: optional(anything<Optimizer>()),
  /** The greatest global norm of the gradients, as of `clipGradients`. @default none */
  clipNorm: optional(positive()),
  /** The first step, to continue a training: it draws the images that the whole training would draw. @default 0 */
  firstStep: optional(integer({ from: 0 }), 0),
  /** Called after each step. Training waits for a promise that it returns, and fails if it throws or rejects. */
  onStep: optional(callback<(step: EnergyStep) => void>()),
  ...energyArguments,
};

/** Arguments of {@link fitToEnergy}. */
export interface FitToEnergyArgs extends Given<typeof fitToEnergyArguments> {}

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
 * @throws (rejects) TypeError naming the invalid argument, or if an energy is not finite, as soon as it is computed;
 * `signal.reason` if the signal aborts; Error if the model's outputs are not finite
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
