import { inverse, mostLikelyLevel, notFinite, TO_DRAW } from '../distributions/levels';
import { logSumExp } from '../distributions/logistic-mixture';
import type { PixelDistribution } from '../distributions/pixel-distribution';
import { drawFor, logProbsFor } from '../distributions/readers';
import { exp, log } from '../kernels/arithmetic';
import type { Changes } from './changes';
import type { NextValue } from './changes/change';
import type { Job } from './options';

/** Draws levels of the next value of a number of images, and says with which probabilities. */
export interface LevelSampler {
  /** Sets the next value of the first `numImages` images, of which levels are to be drawn or weighed. */
  read(next: NextValue, numImages: number): void;
  /** Draws a level where `drawn` [images] is {@link TO_DRAW}, which remains if no level is left. */
  draw(uniforms: Float64Array, drawn: Int32Array): void;
  /** Writes log p of levels [images], as drawn from before temperature and filters; -Infinity if no level is left. */
  steered(drawn: Int32Array, to: Float64Array): void;
  /** Writes log p of levels [images], as they are drawn. */
  asDrawn(drawn: Int32Array, to: Float64Array): void;
}

export function levelSampler(
  distribution: PixelDistribution,
  { temperature, withLogProb, lookAhead }: Pick<Job, 'temperature' | 'withLogProb' | 'lookAhead'>,
  { steering, selection, isPlain }: Changes,
  maxImages: number,
): LevelSampler {
  const { levels } = distribution;
  const drawFast = isPlain ? drawFor(distribution, maxImages, temperature) : undefined;
  const needsAll = drawFast === undefined || (withLogProb && selection.length > 0);
  const reader = needsAll || lookAhead > 0 ? logProbsFor(distribution, maxImages) : undefined;
  const all = new Float64Array(needsAll ? maxImages * levels : 0); // log p of each level, before the selection
  const selected = steering.length > 0 && selection.length > 0 ? all.slice() : all;
  const weights = new Float64Array(needsAll ? levels : 0);
  const ofImage = (logProbs: Float64Array, n: number) => logProbs.subarray(n * levels, (n + 1) * levels);
  let next: NextValue;

  /** Sets the weights of an image's levels as they are drawn, and returns their sum; 0 if no level is left. */
  const weigh = (n: number): number => {
    const from = n * levels;
    const max = selected[from + mostLikelyLevel(selected, from, levels)] as number;
    if (max === -Infinity) return 0;
    let total = 0;
    for (let level = 0; level < levels; level++) {
      const weight = exp((selected[from + level] as number) - max);
      weights[level] = weight;
      total += weight;
    }
    if (!(total > 0)) notFinite();
    return total;
  };

  return {
    read(given, numImages) {
      next = given;
      if (!needsAll) return;
      const [before, after] = [all, selected].map((one) => one.subarray(0, numImages * levels)) as [
        Float64Array,
        Float64Array,
      ];
      reader?.ofAll(next.current, before);
      for (const change of steering) change(before, next);
      if (selected !== all) after.set(before);
      for (const change of selection) change(after, next);
    },
    draw(uniforms, drawn) {
      drawFast?.(next.current, uniforms, drawn);
      for (let n = 0; n < drawn.length; n++) {
        if (drawn[n] !== TO_DRAW) continue;
        const total = weigh(n);
        if (total > 0) drawn[n] = inverse(weights, 0, levels, (uniforms[n] as number) * total);
      }
    },
    steered(drawn, to) {
      if (steering.length === 0) reader?.of(next.current, drawn, to);
      for (let n = 0; steering.length > 0 && n < drawn.length; n++) {
        const logProbs = ofImage(all, n);
        const level = drawn[n] as number;
        to[n] = logProbs.every((one) => one === -Infinity)
          ? -Infinity
          : (logProbs[level] as number) - logSumExp(logProbs);
      }
    },
    asDrawn(drawn, to) {
      for (let n = 0; n < drawn.length; n++) {
        const total = weigh(n);
        to[n] = total > 0 ? log((weights[drawn[n] as number] as number) / total) : -Infinity;
      }
    },
  };
}
