import { exp, log, softplus as softplusNear, tanh } from '../kernels/arithmetic';
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
  const means = new Float64Array(components); // of the present channel, [K]
  const inverseScales = new Float64Array(components);
  const logSlopes = new Float64Array(components); // log(1 - e^(a - b)), of the edges a and b of a level
  const logWeights = new Float64Array(components); // not normalised
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
      const logScale = parameters[(offsets.logScales[channel] as number) + k] as number;
      inverseScales[k] = exp(-Math.max(logScale, LEAST_LOG_SCALE));
      logSlopes[k] = logOneMinusExp(2 * half * (inverseScales[k] as number));
    }
  };

  /** log of the mass that a component gives to a level, from log sigmoid(b) + log sigmoid(-a) + log(1 - e^(a - b)). */
  const logMass = (k: number, level: number): number => {
    const scale = inverseScales[k] as number;
    const centre = xOf(level) - (means[k] as number);
    if (level === 0) return -softplus(-(centre + half) * scale);
    if (level === levels - 1) return -softplus((centre - half) * scale);
    return -softplus(-(centre + half) * scale) - softplus((centre - half) * scale) + (logSlopes[k] as number);
  };

  /** Weights of the components given the levels before the channel, and what they sum to: its logarithm. */
  const weigh = (parameters: Float32Array, earlier: ArrayLike<number>): number => {
    for (let k = 0; k < components; k++) logWeights[k] = parameters[offsets.logits + k] as number;
    for (let before = 0; before < earlier.length; before++) {
      locate(parameters, earlier, before);
      for (let k = 0; k < components; k++) {
        logWeights[k] = (logWeights[k] as number) + logMass(k, earlier[before] as number);
      }
    }
    const total = logSumExp(logWeights);
    locate(parameters, earlier, earlier.length);
    return total;
  };

  const terms = new Float64Array(components);
  const ofLevel = (total: number, level: number): number => {
    for (let k = 0; k < components; k++) terms[k] = (logWeights[k] as number) + logMass(k, level);
    return logSumExp(terms) - total;
  };

  const masses = new Float64Array(levels); // of the mixture

  /** Adds the masses that a component of a weight gives to all levels. */
  const addMasses = (k: number, weight: number) => {
    const scale = inverseScales[k] as number;
    const slope = weight * exp(logSlopes[k] as number);
    const step = 2 * half * scale; // from edge to edge
    const stepUp = exp(-step);
    const run = step * MOST_EDGES <= LONGEST_RUN ? MOST_EDGES : 1;
    let power = 1; // e^-z at the upper edge of a level
    let below = 1; // sigmoid(-z) at its lower edge
    for (let level = 0; level < levels - 1; level++) {
      if (level % run === 0) power = exp(-within((xOf(level) + half - (means[k] as number)) * scale));
      else power *= stepUp;
      const above = 1 / (1 + power); // sigmoid(z) at the upper edge
      masses[level] = (masses[level] as number) + (level === 0 ? weight * above : slope * below * above);
      below = power * above;
    }
    masses[levels - 1] = (masses[levels - 1] as number) + weight * below;
  };

  return {
    imageChannels,
    levels,
    numParameters: numParameters(sizes),
    channelOf: channelsOf(sizes),
    logProbs(parameters, earlier, to) {
      const total = weigh(parameters, earlier);
      masses.fill(0);
      for (let k = 0; k < components; k++) addMasses(k, exp((logWeights[k] as number) - total));
      for (let level = 0; level < levels; level++) {
        const mass = masses[level] as number;
        to[level] = mass > LEAST_MASS ? log(mass) : ofLevel(total, level);
      }
    },
    logProb(parameters, earlier, level) {
      return ofLevel(weigh(parameters, earlier), level);
    },
    levelAt(parameters, earlier, u) {
      const total = weigh(parameters, earlier);
      let sum = 0;
      for (let k = 0; k < components; k++) {
        terms[k] = exp((logWeights[k] as number) - total);
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

// All levels at once take no logarithm a component: masses are products of sigmoids, and e^-z goes from edge to edge by
// a multiplication, anew by its definition each so many edges. That is exact to all digits that `exp` has where masses
// are not next to nothing; those are few, and are taken one by one as logarithms.

/** Edges between two that are computed by their definition. */
const MOST_EDGES = 16;

/** How far z may go in between. */
const LONGEST_RUN = 96;

/** Masses down to here are not touched by what {@link within} takes off. */
const LEAST_MASS = 1e-90;

/** z, but no further out than leaves room for a run before e^z is too great. */
const within = (z: number): number => Math.min(350, Math.max(-350, z));

/** ln(1 + e^x), which is 0 or x to all digits far out. */
const softplus = (x: number): number => (Math.abs(x) > 40 ? Math.max(x, 0) : softplusNear(x));

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

/** log(1 - e^-d) of d > 0, which may be next to 0. */
function logOneMinusExp(d: number): number {
  if (d > 0.5) return log(1 - exp(-d));
  const d2 = d * d; // 1 - e^-d = d e^(-d / 2) sinh(d / 2) / (d / 2), and log of the last by its series
  return log(d) - d / 2 + d2 * (1 / 24 + d2 * (-1 / 2880 + d2 * (1 / 181440 - d2 * (1 / 9676800))));
}

/** log of the sum of e^x; NaN where an x is. */
function logSumExp(xs: Float64Array): number {
  let max = Number.NEGATIVE_INFINITY;
  for (const x of xs) if (!(x <= max)) max = x; // NaN stays
  if (!(max > Number.NEGATIVE_INFINITY)) return max;
  let sum = 0;
  for (const x of xs) sum += exp(x - max);
  return max + log(sum);
}
