import { checkLevel } from '../core/check';
import { softmaxWeights } from '../distributions/categorical';
import { notFinite } from '../distributions/levels';
import {
  type CurrentPixels,
  isSoftmax,
  type LevelCdf,
  type PixelDistribution,
} from '../distributions/pixel-distribution';
import { pixelReader, writeLogProbs } from '../distributions/readers';
import { exp } from '../kernels/arithmetic';
import { wholeVectors } from '../kernels/instruction';
import { TOTAL } from './range-coder';

// Probabilities as integers. With F(l) the probability of all levels below l, in float64, level l of L begins at
//
//     B(l) = 2 l + floor(F(l) (TOTAL - 2 L)),   B(L) = TOTAL
//
// and ends where the next one begins. So each level has a frequency of at least 1, even if F decreases by rounding.

/** Finds intervals of the current channel. Throws if outputs are not finite or a cdf decreases. */
export function intervalsFor(distribution: PixelDistribution, numImages: number) {
  const { levels } = distribution;
  const scale = TOTAL - 2 * levels;
  const cdfsOf = isSoftmax(distribution) ? softmaxCdfs(levels, numImages) : pixelCdfs(distribution);
  const beginOf = (cdf: LevelCdf, level: number) => {
    if (level === 0) return 0;
    if (level === levels) return TOTAL;
    const p = cdf.below(level);
    if (!(p >= 0)) notFinite();
    return 2 * level + Math.floor(Math.min(1, p) * scale);
  };
  /** The interval of a level in the range of a coder. */
  const interval = (level: number, begin: number, end: number) => {
    if (end <= begin)
      throw new Error(`cdf of the distribution: below(${level + 1}) is less than below(${level})`);
    return { level, begin, frequency: end - begin };
  };
  return (current: CurrentPixels) => {
    const cdfOf = cdfsOf(current);
    return {
      /** The interval of a level of an image. */
      of(image: number, level: number) {
        const cdf = cdfOf(image);
        return interval(level, beginOf(cdf, level), beginOf(cdf, level + 1));
      },
      /** The interval that contains a target. */
      at(image: number, target: number) {
        const cdf = cdfOf(image);
        // Usually close, as every level also gets a minimum frequency: search in doubling steps, then by bisection.
        const guess = checkLevel('cdf of the distribution: levelAt', cdf.levelAt(target / TOTAL), levels);
        let low = { level: guess, begin: beginOf(cdf, guess) };
        let high = { level: guess + 1, begin: beginOf(cdf, guess + 1) };
        const moved = (to: number) => {
          const level = Math.min(Math.max(to, 0), levels);
          return { level, begin: beginOf(cdf, level) };
        };
        for (let step = 1; low.begin > target; step *= 2) {
          high = low;
          low = moved(low.level - step);
        }
        for (let step = 1; high.begin <= target; step *= 2) {
          low = high;
          high = moved(high.level + step);
        }
        while (high.level - low.level > 1) {
          const middle = moved((low.level + high.level) >> 1);
          if (middle.begin > target) high = middle;
          else low = middle;
        }
        return interval(low.level, low.begin, high.begin);
      },
    };
  };
}

/** Makes the distribution function of each image, valid until the next one is made. */
type CdfsOf = (current: CurrentPixels) => (image: number) => LevelCdf;

function softmaxCdfs(levels: number, numImages: number): CdfsOf {
  const softmax = softmaxWeights(levels, numImages);
  const stride = wholeVectors(levels);
  const summed = summedCdf(levels);
  return ({ outputs }) => {
    softmax.put(outputs);
    softmax.weigh(0, numImages, 1);
    return (image) => summed(softmax.weights.subarray(image * stride));
  };
}

/** Makes them from `cdf` of a distribution, or from the probabilities of all levels. */
function pixelCdfs(distribution: PixelDistribution): CdfsOf {
  const pixel = pixelReader(distribution);
  const summed = summedCdf(distribution.levels);
  const weights = new Float64Array(distribution.levels);
  return (current) => (image) => {
    const [parameters, earlier] = pixel(current, image);
    const cdf = distribution.cdf?.(parameters, earlier);
    if (cdf !== undefined) return cdf;
    writeLogProbs(distribution, parameters, earlier, weights);
    return summed(weights.map(exp));
  };
}

/** Makes a distribution function from weights [levels]. */
function summedCdf(levels: number): (weights: Float64Array) => LevelCdf {
  const sums = new Float64Array(levels + 1); // over the levels below each one
  const cdf: LevelCdf = {
    below: (level) => (sums[level] as number) / (sums[levels] as number),
    levelAt: (u) => Math.floor(u * levels), // the search may begin anywhere
  };
  return (weights) => {
    for (let level = 0; level < levels; level++)
      sums[level + 1] = (sums[level] as number) + (weights[level] as number);
    if (!((sums[levels] as number) > 0)) notFinite();
    return cdf;
  };
}
