import { show } from '../core/check';
import { type Place, valuesOf } from '../core/images';
import { excludesLevels, filteredLevels, scaleOf, TO_DRAW } from '../distributions/filters';
import { logSumExp, normalizeLogProbs } from '../distributions/logistic-mixture';
import type { CurrentPixels, LogProbs, PixelDistribution } from '../distributions/pixel-distribution';
import { drawFor, guide, logProbsFor } from '../distributions/readers';
import type { Job } from './options';

/** Draws levels for a number of images, and computes the log-probabilities of levels. */
export interface Draws {
  /** The number of images. */
  readonly count: number;
  /** Log p by the model itself; null if it was not requested. */
  readonly model: LogProbs | null;
  /** Sets the model's outputs at a place, and the levels of all images so far, [images, H*W*C]. */
  read(current: CurrentPixels, place: Place, levelsSoFar: Int32Array): void;
  /** Draws a level where `drawn` [images] is {@link TO_DRAW}, which remains if no level is left. */
  draw(uniforms: Float64Array, drawn: Int32Array): void;
  /** Writes log p of levels [images], as drawn from before temperature and filters; -Infinity if no level is left. */
  logProbs(drawn: Int32Array, to: Float64Array): void;
  /** Writes log p of levels [images], as they are drawn. */
  logDrawn(drawn: Int32Array, to: Float64Array): void;
}

/** Whether levels are drawn with other probabilities than the model's. */
export const changesProbabilities = (job: Job, { levels }: PixelDistribution): boolean =>
  [job.guidance !== 0, job.adjust !== undefined, job.firstValue === 'uniform'].includes(true) ||
  scaleOf(job) !== 1 ||
  excludesLevels(levels, job);

/** @param withoutClass with guidance, the outputs of the images without their classes */
export function drawsFor(
  job: Job,
  distribution: PixelDistribution,
  count: number,
  withoutClass: Float32Array | undefined,
): Draws {
  const isChanged = withoutClass !== undefined || job.adjust !== undefined;
  const isWeighed = isChanged || job.withLogProb || job.lookAhead > 0;
  const reader = isWeighed ? logProbsFor(distribution, count) : null;
  const model = job.withLogProb ? reader : null;
  if (reader !== null && isChanged)
    return { count, model, ...changedDraws(job, distribution.levels, count, reader, withoutClass) };
  const draw = drawFor(distribution, count, job);
  const { levels } = distribution;
  const all = new Float64Array(
    job.withLogProb && changesProbabilities(job, distribution) ? count * levels : 0,
  );
  const filtered = filteredLevels(levels, job);
  let current: CurrentPixels;
  return {
    count,
    model,
    read(given) {
      current = given;
    },
    draw: (uniforms, drawn) => draw(current, uniforms.subarray(0, count), drawn),
    logProbs: (drawn, to) => reader?.of(current, drawn, to),
    logDrawn(drawn, to) {
      reader?.ofAll(current, all);
      for (let i = 0; i < count; i++)
        to[i] = filtered.logProb(all.subarray(i * levels, (i + 1) * levels), drawn[i] as number);
    },
  };
}

/** Draws with guidance, then `adjust`, which is called once for each version of the job's images. */
function changedDraws(
  job: Job,
  levels: number,
  count: number,
  reader: LogProbs,
  withoutClass: Float32Array | undefined,
): Omit<Draws, 'count' | 'model'> {
  const { numImages, guidance, adjust, imageShape } = job;
  const total = valuesOf(imageShape);
  const all = new Float64Array(count * levels); // log p of each level in the distribution that is drawn from
  const free = new Float64Array(withoutClass ? all.length : 0); // without the class
  const filtered = filteredLevels(levels, job);
  let at: Place = [0, 0, 0];
  const ofImage = (i: number) => all.subarray(i * levels, (i + 1) * levels);
  /** The checked log-probabilities of an image; null if no level is left. */
  const leftOf = (i: number) => {
    const logProbs = ofImage(i);
    return !adjust || isAnyLeft(logProbs, job.firstImage + (i % numImages), at) ? logProbs : null;
  };
  return {
    read(current, place, levelsSoFar) {
      at = place;
      reader.ofAll(current, all);
      if (withoutClass !== undefined) {
        reader.ofAll({ ...current, outputs: withoutClass.subarray(0, current.outputs.length) }, free);
        guide(all, free, guidance);
      }
      if (adjust === undefined) return;
      if (guidance !== 0) for (let i = 0; i < count; i++) normalizeLogProbs(ofImage(i));
      for (let first = 0; first < count; first += numImages) {
        const logProbs = all.subarray(first * levels, (first + numImages) * levels);
        const ofImages = levelsSoFar.subarray(first * total, (first + numImages) * total);
        checkReturned(adjust(logProbs, place, ofImages, [...imageShape]), logProbs);
      }
    },
    draw(uniforms, drawn) {
      for (let i = 0; i < count; i++) {
        if (drawn[i] !== TO_DRAW) continue;
        const logProbs = leftOf(i);
        if (logProbs !== null) drawn[i] = filtered.draw(logProbs, uniforms[i] as number);
      }
    },
    logProbs(drawn, to) {
      for (let i = 0; i < count; i++) {
        const logProbs = leftOf(i);
        const level = drawn[i] as number;
        to[i] = logProbs === null ? -Infinity : (logProbs[level] as number) - logSumExp(logProbs);
      }
    },
    logDrawn(drawn, to) {
      for (let i = 0; i < count; i++) {
        const logProbs = leftOf(i);
        to[i] = logProbs === null ? -Infinity : filtered.logProb(logProbs, drawn[i] as number);
      }
    },
  };
}

/** Checks log p after a user's function has changed it, and returns whether any level is left. */
function isAnyLeft(logProbs: Float64Array, n: number, place: Place): boolean {
  let isAny = false;
  for (let level = 0; level < logProbs.length; level++) {
    const one = logProbs[level] as number;
    if (!(one < Infinity))
      throw new Error(
        `sample: adjust: set log p to ${one}, for level ${level} of image ${n} at [${place.join(', ')}]`,
      );
    if (one > -Infinity) isAny = true;
  }
  return isAny;
}

/** Checks that a user's function has not returned a new array or a promise. */
function checkReturned(returned: unknown, { buffer }: Float64Array): void {
  const isView = ArrayBuffer.isView(returned);
  if (isView && returned.buffer === buffer) return; // such as the result of `fill`
  if (isView || Array.isArray(returned) || returned instanceof Promise)
    throw new TypeError(
      `sample: adjust: wanted a function that changes log p in place, got one that returns ${show(returned)}`,
    );
}
