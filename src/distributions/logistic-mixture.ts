import { exp, log, softplus, tanh } from '../kernels/arithmetic';
import { type MixtureSizes, numParameters, parameterOffsets } from './mixture-parameters';
import type { PixelDistribution } from './pixel-distribution';

/** Log scales are taken from here on. */
const LEAST_LOG_SCALE = -7;

/**
 * A mixture of discretized logistics over whole pixels, of parameters in the order of {@link parameterOffsets}.
 *
 * The probability of a level is the logistic's mass between x - h and x + h, h = 1 / (L - 1) and x = 2 level / (L - 1) -
 * 1; of level 0 all below, of the last all above. A component explains all channels of a pixel, so given earlier
 * channels its weight is its posterior. In float64, by exact operations only.
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, sections 2.1 and 2.2.
 */
export function mixtureOfLogistics(sizes: MixtureSizes & { readonly levels: number }): PixelDistribution {
  const { imageChannels, levels, components } = sizes;
  const offsets = parameterOffsets(sizes);
  const half = 1 / (levels - 1);
  const logWidth = log(2 * half);
  const means = new Float64Array(components); // of the present channel, [K]
  const logScales = new Float64Array(components);
  const inverseScales = new Float64Array(components);
  const logWeights = new Float64Array(components); // of the components given the channels before, [K]
  const xOf = (level: number) => (2 * level) / (levels - 1) - 1;

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
      const logScale = Math.max(given, LEAST_LOG_SCALE);
      logScales[k] = logScale;
      inverseScales[k] = exp(-logScale);
    }
  };

  /** log of the mass that a component gives to a level, from log sigmoid(b) + log sigmoid(-a) + log(1 - e^(a - b)). */
  const logMass = (k: number, level: number): number => {
    const scale = inverseScales[k] as number;
    const centre = xOf(level) - (means[k] as number);
    if (level === 0) return -softplus(-(centre + half) * scale);
    if (level === levels - 1) return -softplus((centre - half) * scale);
    const [a, b] = [(centre - half) * scale, (centre + half) * scale];
    return (
      -softplus(-b) - softplus(a) + logOneMinusExp(2 * half * scale, logWidth - (logScales[k] as number))
    );
  };

  /**
   * Means and scales of the channel after the earlier ones, and weights of the components given their levels. These are
   * normalised channel by channel: where a level lies so far out that its log p is -1e9, digits of what is added to that
   * would be lost.
   */
  const weigh = (parameters: Float32Array, earlier: ArrayLike<number>): void => {
    for (let k = 0; k < components; k++) logWeights[k] = parameters[offsets.logits + k] as number;
    for (let channel = 0; ; channel++) {
      normalize(logWeights);
      locate(parameters, earlier, channel);
      if (channel === earlier.length) return;
      for (let k = 0; k < components; k++) {
        logWeights[k] = (logWeights[k] as number) + logMass(k, earlier[channel] as number);
      }
    }
  };

  const terms = new Float64Array(components);
  const ofLevel = (level: number): number => {
    for (let k = 0; k < components; k++) terms[k] = (logWeights[k] as number) + logMass(k, level);
    return logSumExp(terms);
  };

  return {
    imageChannels,
    levels,
    numParameters: numParameters(sizes),
    channelOf: channelsOf(sizes),
    logProbs(parameters, earlier, to) {
      weigh(parameters, earlier);
      for (let level = 0; level < levels; level++) to[level] = ofLevel(level);
    },
    logProb(parameters, earlier, level) {
      weigh(parameters, earlier);
      return ofLevel(level);
    },
    levelAt(parameters, earlier, u) {
      weigh(parameters, earlier);
      let sum = 0;
      for (let k = 0; k < components; k++) {
        terms[k] = exp(logWeights[k] as number);
        sum += terms[k] as number;
      }
      let [low, high] = [0, levels - 1]; // the level is one of these, and those between
      while (low < high) {
        const level = (low + high) >> 1;
        const edge = xOf(level) + half;
        let cumulative = 0;
        for (let k = 0; k < components; k++) {
          const z = (edge - (means[k] as number)) * (inverseScales[k] as number);
          cumulative += (terms[k] as number) / (1 + exp(-z));
        }
        if (cumulative > u * sum) high = level;
        else low = level + 1;
      }
      return low;
    },
  };
}

/** The channel that each parameter is first read for: its own; the weights of components, the first. */
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

/** log(1 - e^-d) of d >= 0 and log d, where d may be next to 0 or so small that it is 0. */
function logOneMinusExp(d: number, logD: number): number {
  if (d > 0.5) return log(1 - exp(-d));
  const d2 = d * d; // 1 - e^-d = d e^(-d / 2) sinh(d / 2) / (d / 2), and log of the last by its series
  return logD - d / 2 + d2 * (1 / 24 + d2 * (-1 / 2880 + d2 * (1 / 181440 - d2 * (1 / 9676800))));
}

/** The logarithm of the sum of e^x; NaN where an x is. */
function logSumExp(xs: Float64Array): number {
  const max = greatest(xs);
  let sum = 0;
  for (const x of xs) sum += exp(x - max);
  return max + log(sum);
}

/** Takes that away from each x. Not at once: beside a great one the digits of the sum would be lost. */
function normalize(xs: Float64Array): void {
  const max = greatest(xs);
  for (let i = 0; i < xs.length; i++) xs[i] = (xs[i] as number) - max;
  const total = logSumExp(xs);
  for (let i = 0; i < xs.length; i++) xs[i] = (xs[i] as number) - total;
}

function greatest(xs: Float64Array): number {
  let max = Number.NEGATIVE_INFINITY;
  for (const x of xs) if (x > max) max = x;
  return max;
}
