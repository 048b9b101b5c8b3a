import { checkCategories, checkFunction, checkInteger, throwTypeError } from '../core/check';
import { wholeVectors } from '../kernels/instruction';

/**
 * What the outputs of a model mean at one pixel: the probabilities of the levels of its channels, one after the other,
 * each given those before it. All that draws, scores or steps reads them from here. A distribution of your own is a {@link
 * TensorDistribution}, which has the same on tensors too, for training.
 *
 * The probabilities of a channel's levels must sum to 1. NaN is told as an error: parameters that are NaN must give it. A
 * distribution must keep nothing from one call to the next.
 */
export interface PixelDistribution {
  /** C */
  readonly imageChannels: number;
  /** L */
  readonly levels: number;
  /** P: how many numbers the model gives of a pixel. */
  readonly numParameters: number;
  /**
   * The channel that a parameter is first read for, so that it may be made of the channels before it.
   *
   * @default 0 of each: parameters are those of the whole pixel, and made of earlier pixels alone
   */
  channelOf?(parameter: number): number;
  /**
   * Writes log p, in nats, of every level of the channel that comes after the earlier ones, so of channel
   * `earlier.length`: `to` [L] of parameters [P] and the levels of earlier channels, none to C - 1. -Infinity is a level
   * that cannot come. In float64, of exact operations only where the same bits are wanted on every machine.
   */
  logProbs(parameters: Float32Array, earlier: ArrayLike<number>, to: Float64Array): void;
  /** The same of one level, where that is cheaper than all. */
  logProb?(parameters: Float32Array, earlier: ArrayLike<number>, level: number): number;
  /** The first level whose cumulative probability exceeds u, in [0, 1), where that is cheaper than all. */
  levelAt?(parameters: Float32Array, earlier: ArrayLike<number>, u: number): number;
  /** The distribution function of the same levels, where that is cheaper than all; for `compress`. Valid until the next call. */
  sharesOf?(parameters: Float32Array, earlier: ArrayLike<number>): LevelShares;
}

/** A distribution function of levels. */
export interface LevelShares {
  /** The probability of all levels before one, from 0, not falling by more than rounding does; 0 of level 0. */
  before(level: number): number;
  /** The first level whose cumulative probability exceeds u, in [0, 1), within a few levels. */
  levelAt(u: number): number;
}

/** A distribution as data: those that this library knows by name. */
export type DistributionShape =
  | { readonly kind: 'softmax' }
  | { readonly kind: 'logisticMixture'; readonly components: number };

/** The channel that a parameter is first read for. */
export const channelOf = (distribution: PixelDistribution, parameter: number): number =>
  distribution.channelOf?.(parameter) ?? 0;

/** What a model gives of the present pixels, and what is known of them. */
export interface PresentPixels {
  /** [images, {@link outputStride}], valid for the parameters of the present channel and earlier ones; what pads a row is unspecified. */
  readonly outputs: Float32Array;
  /** The present channel. */
  readonly channel: number;
  /** Levels of the channels before it, [images, C]; what comes after them is unspecified. */
  readonly levels: Int32Array;
}

/** A distribution whose every channel has parameters of its own, which are read for nothing else. */
export interface Softmax extends PixelDistribution {
  /** Tells it from other distributions. */
  readonly isSoftmax: true;
}

/** Whether it is the softmax of this library, which has kernels of its own. */
export const isSoftmax = (distribution: PixelDistribution): distribution is Softmax =>
  (distribution as Partial<Softmax> | null)?.isSoftmax === true;

/**
 * How many numbers are given of each present pixel, whole vectors of the kernels: of a softmax the logits of the
 * present channel alone.
 */
export const outputStride = (distribution: PixelDistribution): number =>
  wholeVectors(isSoftmax(distribution) ? distribution.levels : distribution.numParameters);

/** Checks that something is a distribution, but for what `channelOf` gives. */
export function checkDistribution(what: string, distribution: unknown): PixelDistribution {
  if (typeof distribution !== 'object' || distribution === null) {
    throwTypeError(
      what,
      'an object with imageChannels, levels, numParameters, logProbs and negativeLogLikelihood',
      distribution,
    );
  }
  const given = distribution as PixelDistribution;
  checkInteger(`${what}: imageChannels`, given.imageChannels, 1);
  checkCategories(`${what}: levels`, given.levels, 2);
  checkInteger(`${what}: numParameters`, given.numParameters, 1);
  checkFunction(`${what}: logProbs`, given.logProbs);
  for (const name of ['channelOf', 'logProb', 'levelAt', 'sharesOf'] as const) {
    if (given[name] !== undefined) checkFunction(`${what}: ${name}`, given[name]);
  }
  return given;
}

/** Checks that each parameter is first read for a channel that there is; after numParameters is known to be right. */
export function checkChannelOf(what: string, distribution: PixelDistribution): void {
  const { imageChannels, numParameters } = distribution;
  for (let parameter = 0; parameter < numParameters; parameter++) {
    checkInteger(
      `${what}: channelOf(${parameter})`,
      channelOf(distribution, parameter),
      0,
      imageChannels - 1,
    );
  }
}
