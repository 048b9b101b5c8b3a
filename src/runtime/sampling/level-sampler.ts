import { inverse, notFinite, TO_DRAW, weighLevels } from '../distributions/levels';
import { logSumExp } from '../distributions/logistic-mixture';
import { isSoftmax, outputStride, type PixelDistribution } from '../distributions/pixel-distribution';
import { drawFor, logProbsFor } from '../distributions/readers';
import { log } from '../kernels/arithmetic';
import type { Changes } from './changes';
import type { NextValue } from './changes/change';
import type { Job } from './options';

/** Draws levels of the next value of a number of images, and says with which probabilities. */
export interface LevelSampler {
  /** Sets the next value of the first `numImages` images, of which levels are to be drawn or weighed. */
  read(next: NextValue, numImages: number): void;
  /**
   * Draws a level where `drawn` [images] is {@link TO_DRAW}, which remains if no level is left. Where `asDrawn` [images]
   * is given, writes log p of all these levels to it, as they are drawn.
   */
  draw(uniforms: Float64Array, drawn: Int32Array, asDrawn?: Float64Array): void;
  /** Writes log p of levels [images], as drawn from before temperature and filters; -Infinity if no level is left. */
  steered(drawn: Int32Array, to: Float64Array): void;
}

export function levelSampler(
  distribution: PixelDistribution,
  { temperature, withLogProb, lookAhead }: Pick<Job, 'temperature' | 'withLogProb' | 'lookAhead'>,
  { steering, selection, isPlain }: Changes,
  maxImages: number,
): LevelSampler {
  const { levels, imageChannels } = distribution;
  const drawFast = isPlain ? drawFor(distribution, maxImages, temperature) : undefined;
  const isSteered = steering.length > 0;
  const reader = isSteered || lookAhead > 0 ? logProbsFor(distribution, maxImages) : undefined;
  const all = new Float64Array(isSteered ? maxImages * levels : 0); // log p of each level, before the selection
  // Levels are selected image by image, and only where one is drawn: a mixture may have many levels.
  const needsSelected = drawFast === undefined || (withLogProb && selection.length > 0);
  const ofOne = needsSelected && !isSteered ? logProbsFor(distribution, 1) : undefined;
  const stride = outputStride(distribution);
  const selected = new Float64Array(needsSelected ? levels : 0);
  const weights = selected.slice();
  const ofImage = (logProbs: Float64Array, n: number) => logProbs.subarray(n * levels, (n + 1) * levels);
  let next: NextValue;
  let toSteer = 0; // of how many images `all` is still to be set, once that is needed

  const steer = (): void => {
    if (toSteer === 0) return;
    const logProbs = all.subarray(0, toSteer * levels);
    toSteer = 0;
    reader?.ofAll(next.current, logProbs);
    for (const change of steering) change(logProbs, next);
  };

  /** Sets log p of an image's levels as they are drawn. */
  const select = (n: number): void => {
    const { current } = next;
    const outputs = current.outputs.subarray(n * stride, (n + 1) * stride);
    if (isSteered) {
      steer();
      selected.set(ofImage(all, n));
    } else if (isSoftmax(distribution)) {
      selected.set(outputs.subarray(0, levels)); // logits, since a selection needs nothing normalized
    } else
      ofOne?.ofAll({ ...current, outputs, levels: current.levels.subarray(n * imageChannels) }, selected);
    for (const change of selection) change(selected, next);
  };

  /** Sets the weights of an image's levels as they are drawn, and returns their sum; 0 if no level is left. */
  const weigh = (n: number): number => {
    select(n);
    const total = weighLevels(selected, weights);
    return total > 0 || (total === 0 && isSteered) ? total : notFinite();
  };

  return {
    read(given, numImages) {
      next = given;
      toSteer = isSteered ? numImages : 0;
    },
    draw(uniforms, drawn, asDrawn) {
      drawFast?.(next.current, uniforms, drawn);
      for (let n = 0; n < drawn.length; n++) {
        const isLeft = drawn[n] === TO_DRAW;
        if (!isLeft && asDrawn === undefined) continue;
        const total = weigh(n);
        if (isLeft && total > 0) drawn[n] = inverse(weights, 0, levels, (uniforms[n] as number) * total);
        const weight = total > 0 ? (weights[drawn[n] as number] as number) : 0;
        if (asDrawn !== undefined) asDrawn[n] = weight > 0 ? log(weight / total) : -Infinity;
      }
    },
    steered(drawn, to) {
      if (!isSteered) return reader?.of(next.current, drawn, to);
      steer();
      for (let n = 0; n < drawn.length; n++) {
        const logProbs = ofImage(all, n);
        const level = drawn[n] as number;
        to[n] = logProbs.every((one) => one === -Infinity)
          ? -Infinity
          : (logProbs[level] as number) - logSumExp(logProbs);
      }
    },
  };
}
