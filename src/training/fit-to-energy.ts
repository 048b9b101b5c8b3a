import * as tf from '@tensorflow/tfjs-core';
import { outputsOf, type ShapedModel } from '../inference/batches';
import { type TfjsModel, tensorImageModel } from '../inference/tensor-model';
import { conditionTensors } from '../models/conditions';
import { imageModelShape } from '../models/image-model';
import { negativeLogLikelihood } from '../models/loss';
import { normalize } from '../models/normalize';
import { isSymmetric } from '../models/symmetric';
import { fuseAdam } from '../ops/adam';
import {
  anything,
  callback,
  checked,
  type Given,
  integer,
  number,
  optional,
  positive,
  readArguments,
} from '../runtime/core/arguments';
import { checkFunction, checkNumber, throwTypeError } from '../runtime/core/check';
import type { ConditionValues } from '../runtime/core/conditions';
import { type ImageShape, type Images, valuesOf } from '../runtime/core/images';
import { reportProgress } from '../runtime/core/progress';
import {
  checkEach,
  type Energy,
  energiesOf,
  energyArguments,
  planEnergyJob,
  timesBeta,
} from '../runtime/likelihood/energies';
import type { SymmetricDrawn } from '../runtime/sampling/symmetric';
import { clipped, listed } from './clip-gradients';

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

const fitToEnergyArguments = {
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
  optimizer: optional(anything<tf.Optimizer>()),
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
  model: TfjsModel,
  energy: Energy,
  args: FitToEnergyArgs,
): Promise<{ bound: Float64Array }> {
  const values = readArguments('fitToEnergy', args, fitToEnergyArguments);
  const { steps, numImages, beta, clipNorm, firstStep, onStep, pool, optimizer: given, ...options } = values;
  checkFunction('fitToEnergy: energy', energy);
  if (given !== undefined && typeof given.applyGradients !== 'function')
    throwTypeError('fitToEnergy: optimizer', 'an optimizer, such as tf.train.adam(1e-3)', given);
  if (firstStep >= steps) throwTypeError('fitToEnergy: firstStep', `one below ${steps} steps`, firstStep);
  const betaAt = (step: number) =>
    checkNumber(
      'fitToEnergy: beta',
      typeof beta === 'number' ? beta : beta(step),
      'a finite number',
      () => true,
    );
  const betaAtEnd = betaAt(steps - 1);
  /** The model as it is now, with its present weights. */
  const current = () => tensorImageModel('fitToEnergy: model', model, { pool });
  const whole = planEnergyJob('fitToEnergy', current(), { ...options, numImages });
  const plain = isSymmetric(model) ? model.model : model;
  const shaped = { ...imageModelShape('fitToEnergy: model', plain), model: plain };
  const optimizer = given ?? tf.train.adam(1e-3);
  fuseAdam();
  const bound = new Float64Array(steps - firstStep);
  try {
    for (let step = firstStep; step < steps; step++) {
      const job = { ...whole, firstImage: step * numImages };
      const drawn = await current().draw(job);
      const levels = Int32Array.from(drawn.levels);
      const ofBatch = { numImages, firstImage: 0 };
      const energies = energiesOf('fitToEnergy', energy, levels, ofBatch);
      const { logProb } = drawn;
      const costsAt = (beta: number) =>
        timesBeta('fitToEnergy', energies, beta, ofBatch).map((cost, n) => cost + (logProb[n] as number));
      const atEnd = -meanOf(costsAt(betaAtEnd));
      bound[step - firstStep] = atEnd;
      const betaNow = betaAt(step);
      const costs = costsAt(betaNow);
      const wanted = `numbers that are finite in float32 times beta, ${betaNow}`;
      checkEach('fitToEnergy', energies, 0, wanted, (one) => Number.isFinite(Math.fround(betaNow * one)));
      const baseline = meanOf(costs);
      const coefficients = costs.map((cost) => (cost - baseline) / numImages);
      // Of a symmetric model, the gradient is that of the image as the model drew it: in a random element, whose
      // probability is its share of the mixture.
      const { before = { levels: drawn.levels, conditions: [] } } = drawn as Partial<SymmetricDrawn>;
      const gradients = scoreGradients(shaped, { ...job, ...before }, coefficients);
      try {
        const all = listed(gradients);
        tf.tidy(() => optimizer.applyGradients(clipNorm === undefined ? all : clipped(all, clipNorm)));
      } finally {
        tf.dispose(gradients);
      }
      if (onStep === undefined) continue;
      const told = { step, beta: betaNow, bound: atEnd, levels, energies, logProb };
      await reportProgress(onStep, told, options.signal);
    }
  } finally {
    if (given === undefined) optimizer.dispose();
  }
  return { bound };
}

const meanOf = (numbers: Float64Array): number => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

/** Images with the conditions that a model sees. */
interface ScoredImages {
  readonly levels: Images['data'];
  readonly numImages: number;
  readonly imageShape: ImageShape;
  readonly conditions: readonly ConditionValues[];
}

/** How many images are differentiated at a time, since all of their features are kept meanwhile. */
const AT_A_TIME = 256;

/** The gradients of the sum of coefficients [N] times log q of images, added up part by part. */
export function scoreGradients(
  { model, levels: numLevels, distribution }: ShapedModel,
  { levels, numImages, imageShape, conditions }: ScoredImages,
  coefficients: Float64Array,
): tf.NamedTensorMap {
  const total = valuesOf(imageShape);
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  let sums: tf.NamedTensorMap = {};
  for (let first = 0; first < numImages; first += AT_A_TIME) {
    const count = Math.min(AT_A_TIME, numImages - first);
    const before = sums;
    sums = tf.tidy(() => {
      const ofPart = Int32Array.from(levels.subarray(first * total, (first + count) * total));
      const labels = tf.tensor4d(ofPart, [count, ...imageShape], 'int32');
      const inputs = normalize(labels, numLevels) as tf.Tensor4D;
      const given = conditionTensors(conditions, first, count);
      const weights = tf.tensor1d(Float32Array.from(coefficients.subarray(first, first + count)));
      const { grads } = tf.variableGrads(() => {
        const outputs = outputsOf(model, inputs, given); // [count,H,W,C,L] or [count,H,W,P]
        const nats = negativeLogLikelihood(labels, outputs, distribution); // [count]
        return tf.mul(tf.sum(tf.mul(nats, weights)), -total) as tf.Scalar;
      }, variables);
      for (const [name, tensor] of Object.entries(before))
        grads[name] = tf.add(grads[name] as tf.Tensor, tensor);
      return grads;
    });
    tf.dispose(before);
  }
  return sums;
}
