import { integer, type Values } from '../core/arguments';
import { MAX_CATEGORIES } from '../core/check';
import { log, log1p, preciseExp } from '../kernels/arithmetic';
import { erfcx } from '../kernels/error-function';
import type { DistributionKind, PixelDistribution, PixelSizes } from './pixel-distribution';

/** The smallest log scale; lower ones are clamped. There, a level at the mean has p = 1 to 22 digits. */
export const MIN_LOG_SCALE = -3;

export const gaussianFields = {
  /** The level that has the value 0, of those that there are or not. */
  offset: integer({ from: -MAX_CATEGORIES, to: MAX_CATEGORIES }),
};

/**
 * A discretized Gaussian for each channel, with parameters [2C]: the first channel's mean and log scale, then the next
 * one's. The probability of a level, whose value is level - offset, is the Gaussian's mass between value - 1/2 and value
 * + 1/2; level 0 also gets all mass below, the last level all mass above. In float64, with exact operations only.
 *
 * Source: Minnen, Ballé and Toderici, "Joint Autoregressive and Hierarchical Priors for Learned Image Compression"
 * (2018), https://arxiv.org/abs/1809.02736.
 */
export function discretizedGaussian({
  imageChannels,
  levels,
  offset,
}: PixelSizes & Values<typeof gaussianFields>): Required<PixelDistribution> {
  const last = levels - 1;

  /** The Gaussian of a channel, its values divided by its scale. */
  const gaussianOf = (parameters: Float32Array, channel: number) => {
    const mean = parameters[2 * channel] as number;
    const logScale = Math.max(parameters[2 * channel + 1] as number, MIN_LOG_SCALE);
    const precision = preciseExp(-logScale);
    const half = precision / 2; // of a level's width
    const zOf = (level: number) => (level - offset - mean) * precision;
    return {
      logMass(level: number): number {
        const z = zOf(level);
        if (level === 0) return logMassAbove(-z - half);
        if (level === last) return logMassAbove(z - half);
        const middle = Math.abs(z); // tails mirror each other to the last bit
        if (half <= 0.5 && half * middle <= 1) return logNarrowMass(middle, half) - logScale;
        const [near, far] = [middle - half, middle + half];
        if (near < 0) return log1p(-massAbove(-near) - massAbove(far));
        return logDensity(near) + log(mills(near) - preciseExp(-2 * middle * half) * mills(far));
      },
      below(level: number): number {
        const edge = zOf(level) - half;
        return edge < 0 ? massAbove(-edge) : 1 - massAbove(edge);
      },
    };
  };

  const cdf = (parameters: Float32Array, { length: channel }: ArrayLike<number>) => {
    const { below } = gaussianOf(parameters, channel);
    return {
      below: (level: number) => (level === 0 ? 0 : below(level)),
      levelAt(u: number): number {
        let [least, most] = [0, last];
        while (least < most) {
          const middle = (least + most) >> 1;
          if (below(middle + 1) > u) most = middle;
          else least = middle + 1;
        }
        return least;
      },
    };
  };

  return {
    imageChannels,
    levels,
    numParameters: 2 * imageChannels,
    channelOf: (parameter) => parameter >> 1,
    logProbs(parameters, { length: channel }, to) {
      const { logMass } = gaussianOf(parameters, channel);
      for (let level = 0; level < levels; level++) to[level] = logMass(level);
    },
    logProb: (parameters, { length: channel }, level) => gaussianOf(parameters, channel).logMass(level),
    levelAt: (parameters, earlier, u) => cdf(parameters, earlier).levelAt(u),
    cdf,
  };
}

/** The Gaussian as files name it. */
export const gaussian: DistributionKind<typeof gaussianFields> = {
  fields: gaussianFields,
  numParameters: ({ imageChannels }) => 2 * imageChannels,
  limited: ({ levels }) => ({ levels }),
  make: discretizedGaussian,
};

// Of the standard Gaussian. Masses far out underflow, so they are the density at the nearer edge times a Mills ratio.

const logDensity = (z: number): number => -0.5 * z * z - 0.9189385332046727; // half of log(2 pi)

/** The mass above z >= 0, divided by the density at z. */
const mills = (z: number): number => 1.2533141373155003 * erfcx(z * Math.SQRT1_2); // sqrt(pi / 2)

/** The mass above z >= 0. */
const massAbove = (z: number): number => 0.5 * preciseExp(-0.5 * z * z) * erfcx(z * Math.SQRT1_2);

/** log of the mass above any z. */
const logMassAbove = (z: number): number => (z < 0 ? log1p(-massAbove(-z)) : logDensity(z) + log(mills(z)));

/**
 * log of the mass between z - half and z + half, divided by the width, for half <= 1/2 and half z <= 1. The mean of the
 * density there is its Taylor series, the density times the sum over even n of He_n(z) half^n / (n + 1)!, with the
 * Hermite polynomials He_n.
 */
function logNarrowMass(z: number, half: number): number {
  const slope = half * z;
  const square = half * half;
  let term = 1; // He_n(z) half^n / n!
  let before = 0;
  let sum = 1;
  for (let n = 1; n <= 24; n++) {
    const next = (slope * term - square * before) / n;
    before = term;
    term = next;
    if (n % 2 === 0) sum += term / (n + 1);
  }
  return logDensity(z) + log(sum);
}
