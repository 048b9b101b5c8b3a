import type { Declaration, Values } from '../core/arguments';
import { checkCategories, checkFunction, checkInteger, throwTypeError } from '../core/check';
import { wholeVectors } from '../kernels/instruction';

/**
 * The distribution of a pixel that a model's outputs parameterize: the probabilities of the levels of each
 * channel in turn, given the channels before it. Sampling, scoring and stepping all use it. Your own
 * distribution is a {@link TensorDistribution}, which adds the loss on tensors for training.
 *
 * The probabilities of a channel's levels must sum to 1. NaN parameters must result in NaN, which
 * is reported as an error. A distribution must not keep state between calls.
 */
export interface PixelDistribution {
  /** C */
  readonly imageChannels: number;
  /** L */
  readonly levels: number;
  /** P, the number of outputs of the model for each pixel. */
  readonly numParameters: number;
  /**
   * The channel for which a parameter is first read. The parameter may depend on the channels before it.
   *
   * @default 0, if parameters describe the whole pixel and depend only on earlier pixels
   */
  channelOf?(parameter: number): number;
  /**
   * Writes log p, in nats, of every level of channel `earlier.length` to `to` [L], given the parameters [P]
   * and the levels of the earlier channels, 0 to C - 1 of them. -Infinity marks an impossible level. Compute
   * in float64, and with exact operations if you need the same bits on every machine.
   */
  logProbs(parameters: Float32Array, earlier: ArrayLike<number>, to: Float64Array): void;
  /** Returns log p of one level. Optional, if that is cheaper than computing all. */
  logProb?(parameters: Float32Array, earlier: ArrayLike<number>, level: number): number;
  /** Returns the first level whose cumulative probability exceeds u, in [0, 1). Optional, if that is cheaper. */
  levelAt?(parameters: Float32Array, earlier: ArrayLike<number>, u: number): number;
  /** Returns the distribution function, for `compress`, valid until the next call. Optional, if that is cheaper. */
  cdf?(parameters: Float32Array, earlier: ArrayLike<number>): LevelCdf;
}

/** A distribution function of levels. */
export interface LevelCdf {
  /** The total probability of all levels below a level: 0 for level 0, and non-decreasing except by rounding. */
  below(level: number): number;
  /** The first level whose cumulative probability exceeds u, in [0, 1), within a few levels. */
  levelAt(u: number): number;
}

export type PixelSizes = Pick<PixelDistribution, 'imageChannels' | 'levels'>;

/** A kind of distribution that files can store, and its fields. */
export interface DistributionKind<Fields extends Declaration> {
  readonly fields: Fields;
  /** P, computed without allocating memory, since a file may state any sizes. */
  numParameters(sizes: PixelSizes & Values<Fields>): number;
  /** Sizes that `readPortable` limits, by name, since a file states them without containing as many numbers. */
  limited(sizes: PixelSizes & Values<Fields>): Readonly<Record<string, number>>;
  make(sizes: PixelSizes & Values<Fields>): PixelDistribution;
}

/** The channel for which a parameter is first read. */
export const channelOf = (distribution: PixelDistribution, parameter: number): number =>
  distribution.channelOf?.(parameter) ?? 0;

/** {@link channelOf} of each parameter, [numParameters]. */
export const channelsOf = (distribution: PixelDistribution): number[] =>
  Array.from({ length: distribution.numParameters }, (_, parameter) => channelOf(distribution, parameter));

/** The model's outputs for the current pixels, and what is known about them. */
export interface CurrentPixels {
  /** [images, {@link outputStride}], valid for channels up to the current one. */
  readonly outputs: Float32Array;
  /** The current channel. */
  readonly channel: number;
  /** Levels of the channels before it, [images, C]; the remaining entries are unspecified. */
  readonly levels: Int32Array;
}

/** Reads the log-probabilities of the levels of the current channel, of as many images as there is room for. */
export interface LogProbs {
  /** Writes log p of every level, [images, levels]. */
  ofAll(current: CurrentPixels, to: Float64Array): void;
  /** Writes log p of one level of each image, [images]. */
  of(current: CurrentPixels, levels: ArrayLike<number>, to: Float64Array): void;
}

/** Draws a level where `drawn` [images] is `TO_DRAW`, from uniforms [images] in [0, 1). */
export type Draw = (current: CurrentPixels, uniforms: Float64Array, drawn: Int32Array) => void;

/** A distribution in which every channel has its own parameters. */
export interface Softmax extends PixelDistribution {
  /** Marks a softmax. */
  readonly isSoftmax: true;
}

/** Whether it is this library's softmax, which has its own kernels. */
export const isSoftmax = (distribution: PixelDistribution): distribution is Softmax =>
  (distribution as Partial<Softmax> | null)?.isSoftmax === true;

/** Whether two distributions of one model are equal. */
export const areAlike = (a: PixelDistribution, b: PixelDistribution): boolean =>
  a === b || (isSoftmax(a) && isSoftmax(b));

export const outputsName = (distribution: PixelDistribution): 'logits' | 'parameters' =>
  isSoftmax(distribution) ? 'logits' : 'parameters';

/** The number of outputs of a pixel, or for a softmax of a channel, padded to whole vectors. */
export const outputStride = (distribution: PixelDistribution): number =>
  wholeVectors(isSoftmax(distribution) ? distribution.levels : distribution.numParameters);

/** Checks that something is a distribution, but not the results of `channelOf`. */
export function checkDistribution(what: string, distribution: unknown): PixelDistribution {
  if (typeof distribution !== 'object' || distribution === null) {
    const members = 'imageChannels, levels, numParameters, logProbs and negativeLogLikelihood';
    throwTypeError(what, `an object with ${members}`, distribution);
  }
  const given = distribution as PixelDistribution;
  checkInteger(`${what}: imageChannels`, given.imageChannels, 1);
  checkCategories(`${what}: levels`, given.levels, 2);
  checkInteger(`${what}: numParameters`, given.numParameters, 1);
  checkFunction(`${what}: logProbs`, given.logProbs);
  for (const name of ['channelOf', 'logProb', 'levelAt', 'cdf'] as const) {
    if (given[name] !== undefined) checkFunction(`${what}: ${name}`, given[name]);
  }
  return given;
}

/** Checks the results of `channelOf`, once numParameters has been checked. */
export function checkChannelOf(what: string, distribution: PixelDistribution): void {
  const last = distribution.imageChannels - 1;
  for (let parameter = 0; parameter < distribution.numParameters; parameter++)
    checkInteger(`${what}: channelOf(${parameter})`, channelOf(distribution, parameter), 0, last);
}
