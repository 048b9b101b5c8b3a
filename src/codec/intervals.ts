import { checkLevel } from '../core/check';
import { type SoftmaxWeights, softmaxWeights } from '../distributions/categorical';
import { notFinite } from '../distributions/filters';
import {
  isSoftmax,
  type LevelShares,
  type PixelDistribution,
  type PresentPixels,
} from '../distributions/pixel-distribution';
import { pixelReader, writeLogProbs } from '../distributions/readers';
import { exp } from '../kernels/arithmetic';
import { wholeVectors } from '../kernels/instruction';
import { TOTAL } from './range-coder';

// Probabilities as whole numbers. With F(l) the probability of all levels before l, in float64, level l of L begins at
//
//     B(l) = 2 l + floor(F(l) (TOTAL - 2 L)),   B(L) = TOTAL
//
// and ends where the next one begins. So each level has a frequency of at least 1, also where F falls by rounding.

/** The interval of a level in the range of a coder. */
export interface Interval {
  readonly level: number;
  readonly begin: number;
  readonly frequency: number;
}

/** Finds intervals of the levels of the present channel, image by image. */
export interface Intervals {
  /** Sets the model's outputs for the present pixels. */
  take(present: PresentPixels): void;
  /** The interval of a level of an image. */
  of(image: number, level: number): Interval;
  /** The interval that contains a target. */
  at(image: number, target: number): Interval;
}

/**
 * The intervals of a distribution, for a number of images.
 *
 * @throws Error, when an interval is looked up: if a model's outputs are not finite, or a distribution function
 * decreases
 */
export function intervalsFor(distribution: PixelDistribution, numImages: number): Intervals {
  const { levels } = distribution;
  const scale = TOTAL - 2 * levels;
  const reader = isSoftmax(distribution)
    ? new SoftmaxShares(softmaxWeights(levels, numImages), levels)
    : new PixelShares(distribution);
  const beginOf = ({ before }: LevelShares, level: number) => {
    if (level === 0) return 0;
    if (level === levels) return TOTAL;
    const share = before(level);
    if (!(share >= 0)) notFinite();
    return 2 * level + Math.floor(Math.min(1, share) * scale);
  };
  const interval = (level: number, begin: number, end: number): Interval => {
    if (end <= begin) throw new Error(`sharesOf of the distribution: before falls behind level ${level}`);
    return { level, begin, frequency: end - begin };
  };
  return {
    take: (present) => reader.take(present),
    of(image, level) {
      const shares = reader.of(image);
      return interval(level, beginOf(shares, level), beginOf(shares, level + 1));
    },
    at(image, target) {
      const shares = reader.of(image);
      // Usually close, since every level also gets a minimum frequency. So search from there in doubling steps, then by
      // bisection.
      let low = checkLevel('sharesOf of the distribution: levelAt', shares.levelAt(target / TOTAL), levels);
      let high = low + 1;
      let [begin, end] = [beginOf(shares, low), beginOf(shares, high)];
      for (let step = 1; begin > target; step *= 2) {
        [low, high, end] = [Math.max(0, low - step), low, begin];
        begin = beginOf(shares, low);
      }
      for (let step = 1; end <= target; step *= 2) {
        [low, high, begin] = [high, Math.min(levels, high + step), end];
        end = beginOf(shares, high);
      }
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        const at = beginOf(shares, middle);
        if (at > target) [high, end] = [middle, at];
        else [low, begin] = [middle, at];
      }
      return interval(low, begin, end);
    },
  };
}

/** Distribution functions of images. Valid until the next call. */
interface SharesReader {
  take(present: PresentPixels): void;
  of(image: number): LevelShares;
}

/** A distribution function from running sums of weights. */
class SummedShares implements LevelShares {
  /** The sums over the levels before each one, [L + 1]. */
  private readonly sums: Float64Array;

  constructor(private readonly levels: number) {
    this.sums = new Float64Array(levels + 1);
  }

  /** Sums weights, from an index on. */
  sum(weights: Float64Array, from: number): void {
    const { sums, levels } = this;
    let sum = 0;
    for (let level = 0; level < levels; level++) {
      sum += weights[from + level] as number;
      sums[level + 1] = sum;
    }
    if (!(sum > 0)) notFinite();
  }

  readonly before = (level: number): number =>
    (this.sums[level] as number) / (this.sums[this.levels] as number);

  readonly levelAt = (u: number): number => {
    const { sums, levels } = this;
    const threshold = u * (sums[levels] as number);
    let [low, high] = [0, levels - 1];
    while (low < high) {
      const level = (low + high) >> 1;
      if ((sums[level + 1] as number) > threshold) high = level;
      else low = level + 1;
    }
    return low;
  };
}

class SoftmaxShares implements SharesReader {
  private readonly shares: SummedShares;
  private readonly stride: number;

  constructor(
    private readonly softmax: SoftmaxWeights,
    levels: number,
  ) {
    this.shares = new SummedShares(levels);
    this.stride = wholeVectors(levels);
  }

  take({ outputs }: PresentPixels): void {
    this.softmax.put(outputs);
    this.softmax.weigh(0, this.softmax.totals.length, 1);
  }

  of(image: number): LevelShares {
    this.shares.sum(this.softmax.weights, image * this.stride);
    return this.shares;
  }
}

/** From `sharesOf` of a distribution, or from the probabilities of all levels. */
class PixelShares implements SharesReader {
  private readonly pixel;
  private readonly shares: SummedShares;
  private readonly probabilities: Float64Array;
  private present: PresentPixels | undefined;

  constructor(private readonly distribution: PixelDistribution) {
    this.pixel = pixelReader(distribution);
    this.shares = new SummedShares(distribution.levels);
    this.probabilities = new Float64Array(distribution.levels);
  }

  take(present: PresentPixels): void {
    this.present = present;
  }

  of(image: number): LevelShares {
    const [parameters, earlier] = this.pixel(this.present as PresentPixels, image);
    const shares = this.distribution.sharesOf?.(parameters, earlier);
    if (shares !== undefined) return shares;
    const { probabilities } = this;
    writeLogProbs(this.distribution, parameters, earlier, probabilities);
    for (let level = 0; level < probabilities.length; level++)
      probabilities[level] = exp(probabilities[level] as number);
    this.shares.sum(probabilities, 0);
    return this.shares;
  }
}
