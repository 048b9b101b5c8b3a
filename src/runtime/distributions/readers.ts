import { checkLevel } from '../core/check';
import { makeMixtureLevels } from '../kernels/webassembly';
import { softmaxDraw, softmaxLogProbs } from './categorical';
import { NotFinite, notFinite, TO_DRAW } from './levels';
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

/** Reads log-probabilities for at most a number of images. Throws if a model's outputs are not finite. */
export function logProbsFor(distribution: PixelDistribution, maxImages: number): LogProbs {
  const { levels } = distribution;
  if (isSoftmax(distribution)) return softmaxLogProbs(levels, maxImages);
  const pixel = pixelReader(distribution);
  const all = new Float64Array(levels);
  return {
    ofAll(current, to) {
      for (let n = 0; n < to.length / levels; n++)
        writeLogProbs(distribution, ...pixel(current, n), to.subarray(n * levels, (n + 1) * levels));
    },
    of(current, drawn, to) {
      for (let n = 0; n < to.length; n++) {
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
 * Draws levels at a temperature, for at most a number of images, without log p of all levels: each is the first level
 * whose cumulative probability exceeds u. Undefined if the distribution cannot.
 */
export function drawFor(
  distribution: PixelDistribution,
  maxImages: number,
  temperature: number,
): Draw | undefined {
  const { levels } = distribution;
  if (isSoftmax(distribution)) return softmaxDraw(levels, maxImages, temperature);
  if (distribution.levelAt === undefined || temperature !== 1) return undefined;
  const pixel = pixelReader(distribution);
  return (current, uniforms, drawn) => {
    for (let n = 0; n < drawn.length; n++) {
      if (drawn[n] !== TO_DRAW) continue;
      const [parameters, earlier] = pixel(current, n);
      for (const parameter of parameters) if (!Number.isFinite(parameter)) notFinite();
      const level = distribution.levelAt?.(parameters, earlier, uniforms[n] as number);
      drawn[n] = checkLevel('levelAt of the distribution', level as number, levels);
    }
  };
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

/** Calls `logProbs` of a distribution. Throws if a result is NaN or +Infinity, or not written, or no level is possible. */
export function writeLogProbs(
  distribution: PixelDistribution,
  parameters: Float32Array,
  earlier: ArrayLike<number>,
  to: Float64Array,
): void {
  to.fill(Number.NaN);
  distribution.logProbs(parameters, earlier, to);
  let isAny = false;
  for (const one of to) {
    if (!(one < Infinity)) notFinite();
    if (one > -Infinity) isAny = true;
  }
  if (!isAny) notFinite();
}
