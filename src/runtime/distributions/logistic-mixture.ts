import { integer } from '../core/arguments';
import { exp, log, softplus as softplusNear, tanh } from '../kernels/arithmetic';
import { MIN_LOG_SCALE } from '../kernels/limits';
import {
  javascriptMixtureLevels,
  type MixtureLevels,
  massOf,
  Row,
  weightBefore,
} from '../kernels/mixture-levels';
import { type MixtureSizes, numParameters, parameterOffsets } from './mixture-parameters';
import type { DistributionKind, LevelCdf, PixelDistribution, PixelSizes } from './pixel-distribution';

/** Makes the sums over components, in plain JavaScript unless {@link useMixtureLevels} has given something faster. */
let makeLevels = javascriptMixtureLevels;

/** Sets the implementation, which gives the same bits. Pages that only load and train models do without a faster one. */
export function useMixtureLevels(make: typeof javascriptMixtureLevels): void {
  makeLevels = make;
}

/**
 * A mixture of discretized logistics over whole pixels, with parameters in the order of {@link parameterOffsets}.
 *
 * The probability of a level is the logistic's mass between x - h and x + h, h = 1 / (L - 1) and x = 2 level / (L - 1)
 * - 1; level 0 also gets all mass below, the last level all mass above. A component covers all channels of a
 * pixel, so given earlier channels, its weight is its posterior. In float64, with exact operations only.
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, sections 2.1 and 2.2.
 */
export function mixtureOfLogistics(sizes: MixtureSizes & PixelSizes): PixelDistribution {
  const { imageChannels, levels, components } = sizes;
  const offsets = parameterOffsets(sizes);
  const last = levels - 1;
  const half = 1 / last;
  const logWidth = log(2 * half);
  const means = new Float64Array(components); // of the current channel, [K]
  const logScales = new Float64Array(components);
  const scales = new Float64Array(components); // 1 / s
  const logSlopes = new Float64Array(components); // log(1 - e^(a - b)), of the edges a and b of a level
  const logWeights = new Float64Array(components); // of the components given the channels before
  const xOf = (level: number) => (2 * level) / last - 1;

  /** Means and scales of a channel given the levels before it. */
  const locate = (parameters: Float32Array, earlier: ArrayLike<number>, channel: number) => {
    for (let k = 0; k < components; k++) {
      let mean = parameters[(offsets.means[channel] as number) + k] as number;
      for (let before = 0; before < channel; before++) {
        const from = (offsets.coefficients[channel] as number[])[before] as number;
        mean += tanh(parameters[from + k] as number) * xOf(earlier[before] as number);
      }
      means[k] = mean;
      const given = parameters[(offsets.logScales[channel] as number) + k] as number;
      const logScale = Math.max(given, MIN_LOG_SCALE);
      logScales[k] = logScale;
      scales[k] = exp(-logScale);
    }
  };

  /** Computes `logSlopes`, needed for levels between the first and the last. */
  const findSlopes = () => {
    for (let k = 0; k < components; k++) {
      logSlopes[k] = logOneMinusExp(2 * half * (scales[k] as number), logWidth - (logScales[k] as number));
    }
  };

  /** log of a component's mass of a level: log sigmoid(b) + log sigmoid(-a) + log(1 - e^(a - b)). */
  const logMass = (k: number, level: number): number => {
    const scale = scales[k] as number;
    const centre = xOf(level) - (means[k] as number);
    if (level === 0) return -softplus(-(centre + half) * scale);
    if (level === last) return -softplus((centre - half) * scale);
    return -softplus(-(centre + half) * scale) - softplus((centre - half) * scale) + (logSlopes[k] as number);
  };

  /**
   * Computes means and scales of the current channel, and weights of the components given the earlier levels. Weights
   * are scaled to a maximum of 1, since after a level whose log p is -1e9, additions would lose digits.
   */
  const weigh = (parameters: Float32Array, earlier: ArrayLike<number>): void => {
    for (let k = 0; k < components; k++) logWeights[k] = parameters[offsets.logits + k] as number;
    for (let channel = 0; ; channel++) {
      subtract(logWeights, greatest(logWeights));
      locate(parameters, earlier, channel);
      if (channel === earlier.length) return;
      findSlopes();
      for (let k = 0; k < components; k++) {
        logWeights[k] = (logWeights[k] as number) + logMass(k, earlier[channel] as number);
      }
    }
  };

  /** The logarithm of a level's share of all masses. */
  const logOf = (mass: number, sum: number, level: number): number => {
    const share = mass / sum;
    if (share > MIN_MASS) return log(share);
    return logSumExp(logWeights.map((weight, k) => weight + logMass(k, level))) - logSumExp(logWeights);
  };

  let kernels: MixtureLevels | undefined;
  const paired = 2 * Math.ceil(components / 2);

  /** The kernels, with the current components in their table, and the sum of their weights. */
  const tabulate = (
    parameters: Float32Array,
    earlier: ArrayLike<number>,
    needsMasses: boolean,
  ): [MixtureLevels, sum: number] => {
    weigh(parameters, earlier);
    kernels ??= makeLevels(paired, levels);
    const { table } = kernels;
    const row = (name: keyof typeof Row) => Row[name] * paired;
    const [atMeans, atScales, atWeights] = [row('means'), row('scales'), row('weights')];
    let [even, odd] = [0, 0]; // in the kernels' order
    for (let k = 0; k < components; k++) {
      const weight = exp(logWeights[k] as number);
      if (k % 2 === 0) even += weight;
      else odd += weight;
      table[atMeans + k] = means[k] as number;
      table[atScales + k] = scales[k] as number;
      table[atWeights + k] = weight;
    }
    const sum = even + odd;
    if (!needsMasses) return [kernels, sum];
    findSlopes();
    const [atSlopes, atRatios, atRuns] = [row('slopes'), row('ratios'), row('runs')];
    for (let k = 0; k < components; k++) {
      const step = 2 * half * (scales[k] as number); // from edge to edge
      table[atSlopes + k] = (table[atWeights + k] as number) * exp(logSlopes[k] as number);
      table[atRatios + k] = exp(-step);
      const steepest = 2 * half * Math.max(scales[k] as number, scales[k ^ 1] ?? 0);
      table[atRuns + k] = steepest * MAX_EDGES <= MAX_RUN ? MAX_EDGES : 1;
    }
    if (paired > components) table[atRuns + components] = table[atRuns + components - 1] as number;
    return [kernels, sum];
  };

  const cdf = (parameters: Float32Array, earlier: ArrayLike<number>): LevelCdf => {
    const [kernels, sum] = tabulate(parameters, earlier, false);
    return {
      below: (level) => weightBefore(kernels, level) / sum,
      // Close to 0 and 1, avoids levels that are practically impossible.
      levelAt: (u) => kernels.levelAt(Math.min(Math.max(u, MIN_MASS) * sum, sum * (1 - 2 ** -52))),
    };
  };

  return {
    imageChannels,
    levels,
    numParameters: numParameters(sizes),
    channelOf: channelsOf(sizes),
    logProbs(parameters, earlier, to) {
      const [{ masses, weigh }, sum] = tabulate(parameters, earlier, true);
      weigh();
      for (let level = 0; level < levels; level++) {
        to[level] = logOf((masses[2 * level] as number) + (masses[2 * level + 1] as number), sum, level);
      }
    },
    logProb(parameters, earlier, level) {
      const [kernels, sum] = tabulate(parameters, earlier, true);
      return logOf(massOf(kernels, level), sum, level);
    },
    levelAt: (parameters, earlier, u) => cdf(parameters, earlier).levelAt(u),
    cdf,
  };
}

const fields = { components: integer({ from: 1 }) };

/** The mixture as files name it. */
export const logisticMixture: DistributionKind<typeof fields> = {
  fields,
  numParameters,
  limited: ({ levels, components }) => ({ 'levels times components': levels * components }),
  make: (sizes) => mixtureOfLogistics(sizes),
};

// Computing all levels at once needs no logarithm for each component, since masses are products of sigmoids, and a
// multiplication updates e^-z from edge to edge. It is recomputed from its definition after each run. This is exact to
// all digits of `exp` unless masses are tiny. Tiny masses are computed one by one, as logarithms.

/** The number of edges in a run. */
const MAX_EDGES = 16;

/** How far z may move in a run. Kernels start a run at most 350 from the mean. */
const MAX_RUN = 96;

/** Masses below this may be inaccurate, since runs may have begun further out. */
const MIN_MASS = 1e-90;

/** ln(1 + e^x), which for large |x| is 0 or x to all digits. */
const softplus = (x: number): number => (Math.abs(x) > 40 ? Math.max(x, 0) : softplusNear(x));

/** The channel for which each parameter is first read: for logits, the first channel. */
function channelsOf(sizes: MixtureSizes): (parameter: number) => number {
  const { means, logScales, coefficients } = parameterOffsets(sizes);
  const channels = new Int32Array(numParameters(sizes));
  for (const [channel, ofEarlier] of coefficients.entries()) {
    for (const from of [means[channel], logScales[channel], ...ofEarlier]) {
      channels.fill(channel, from, (from as number) + sizes.components);
    }
  }
  return (parameter) => channels[parameter] as number;
}

/** log(1 - e^-d) from d >= 0 and log d, where d may be close to 0 or underflow to 0. */
function logOneMinusExp(d: number, logD: number): number {
  if (d > 0.5) return log(1 - exp(-d));
  const d2 = d * d; // 1 - e^-d = d e^(-d / 2) sinh(d / 2) / (d / 2), and log of the last by its series
  return logD - d / 2 + d2 * (1 / 24 + d2 * (-1 / 2880 + d2 * (1 / 181440 - d2 * (1 / 9676800))));
}

/** The logarithm of the sum of e^x; NaN if any x is. */
export function logSumExp(xs: Float64Array): number {
  const max = greatest(xs);
  let sum = 0;
  for (let i = 0; i < xs.length; i++) sum += exp((xs[i] as number) - max);
  return max + log(sum);
}

/** Shifts log-weights so that the weights sum to 1; all become NaN if any is. */
export const normalizeLogProbs = (xs: Float64Array): void => subtract(xs, logSumExp(xs));

function subtract(xs: Float64Array, shift: number): void {
  for (let i = 0; i < xs.length; i++) xs[i] = (xs[i] as number) - shift;
}

function greatest(xs: Float64Array): number {
  let max = -Infinity;
  for (let i = 0; i < xs.length; i++) {
    const x = xs[i] as number;
    if (x > max) max = x; // skips NaN
  }
  return max;
}
