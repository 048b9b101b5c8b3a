import { checkLevel } from '../core/check';
import { makeMixtureLevels } from '../kernels/webassembly';
import { softmaxDraw, softmaxLogProbs } from './categorical';
import {
  excludesLevels,
  type Filters,
  filteredLevels,
  NotFinite,
  notFinite,
  scaleOf,
  TO_DRAW,
} from './filters';
import { useMixtureLevels } from './logistic-mixture';
import {
  type CurrentPixels,
  type Draw,
  isSoftmax,
  type LogProbs,
  outputStride,
  outputsName,
  type PixelDistribution,
} from './pixel-distribution';

useMixtureLevels(makeMixtureLevels);

/** Reads a model's outputs. If they are not finite, the error names the caller. */
export function readOutputs<T>(caller: string, distribution: PixelDistribution, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof NotFinite)) throw cause;
    throw new Error(`${caller}: the model returned ${outputsName(distribution)} that are not finite numbers`);
  }
}

/** Reads log-probabilities for a number of images. Throws if a model's outputs are not finite. */
export function logProbsFor(distribution: PixelDistribution, numImages: number): LogProbs {
  const { levels } = distribution;
  if (isSoftmax(distribution)) return softmaxLogProbs(levels, numImages);
  const pixel = pixelReader(distribution);
  const all = new Float64Array(levels);
  return {
    ofAll(current, to) {
      for (let n = 0; n < numImages; n++)
        writeLogProbs(distribution, ...pixel(current, n), to.subarray(n * levels, (n + 1) * levels));
    },
    of(current, drawn, to) {
      for (let n = 0; n < numImages; n++) {
        const level = drawn[n] as number;
        const [parameters, earlier] = pixel(current, n);
        if (distribution.logProb === undefined) {
          writeLogProbs(distribution, parameters, earlier, all);
          to[n] = all[level] as number;
        } else {
          const one = distribution.logProb(parameters, earlier, level);
          if (Number.isNaN(one)) notFinite();
          to[n] = one;
        }
      }
    },
  };
}

/**
 * Draws levels for a number of images, each the first level whose cumulative probability exceeds u.
 * Temperature is applied first, then topK, then topP, each to the renormalized result of the previous step.
 * Ties prefer the lower level.
 */
export function drawFor(distribution: PixelDistribution, numImages: number, filters: Filters): Draw {
  const { levels } = distribution;
  if (isSoftmax(distribution)) return softmaxDraw(levels, numImages, filters);
  const pixel = pixelReader(distribution);
  const isFiltered = scaleOf(filters) !== 1 || excludesLevels(levels, filters);
  const all = new Float64Array(levels);
  const { draw } = filteredLevels(levels, filters);
  return (current, uniforms, drawn) => {
    for (let n = 0; n < numImages; n++) {
      if (drawn[n] !== TO_DRAW) continue;
      const [parameters, earlier] = pixel(current, n);
      const u = uniforms[n] as number;
      if (distribution.levelAt !== undefined && !isFiltered) {
        for (const parameter of parameters) if (!Number.isFinite(parameter)) notFinite();
        const level = distribution.levelAt(parameters, earlier, u);
        drawn[n] = checkLevel('levelAt of the distribution', level, levels);
      } else {
        writeLogProbs(distribution, parameters, earlier, all);
        drawn[n] = draw(all, u);
      }
    }
  };
}

/** The lower bound on log p without the condition in guidance, so that numbers stay finite. */
const MIN_LOG_PROB = -745;

/**
 * Replaces log p by log p + weight (log p - log p without the condition), without renormalizing.
 *
 * Source: Ho and Salimans, "Classifier-Free Diffusion Guidance" (2022), https://arxiv.org/abs/2207.12598, equation 6.
 */
export function guide(logProbs: Float64Array, withoutCondition: Float64Array, weight: number): void {
  for (let i = 0; i < logProbs.length; i++) {
    const guided = logProbs[i] as number;
    const free = Math.max(withoutCondition[i] as number, MIN_LOG_PROB);
    if (guided > -Infinity) logProbs[i] = guided + weight * (guided - free);
  }
}

/** Returns the parameters of an image's current pixel and the levels before the current channel. */
export function pixelReader(distribution: PixelDistribution) {
  const { imageChannels, numParameters } = distribution;
  const stride = outputStride(distribution);
  return ({ outputs, channel, levels }: CurrentPixels, n: number): [Float32Array, Int32Array] => [
    outputs.subarray(n * stride, n * stride + numParameters),
    levels.subarray(n * imageChannels, n * imageChannels + channel),
  ];
}

/** Calls `logProbs` of a distribution. Throws if a result is NaN or +Infinity, or is not written. */
export function writeLogProbs(
  distribution: PixelDistribution,
  parameters: Float32Array,
  earlier: ArrayLike<number>,
  to: Float64Array,
): void {
  to.fill(Number.NaN);
  distribution.logProbs(parameters, earlier, to);
  for (const one of to) if (!(one < Infinity)) notFinite();
}
