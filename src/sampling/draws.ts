import { show } from '../core/check';
import { type Place, valuesOf } from '../core/images';
import { levelDraw, TO_DRAW } from '../distributions/filters';
import type { LogProbs, PixelDistribution, PresentPixels } from '../distributions/pixel-distribution';
import { drawFor, guide, logProbsFor } from '../distributions/readers';
import { exp, log } from '../kernels/arithmetic';
import type { Job } from './options';

/** Draws levels for a number of images, and gives the log-probabilities of levels. */
export interface Draws {
  /** The number of images. */
  readonly count: number;
  /** Log p by the model itself; null if it was not asked for. */
  readonly model: LogProbs | null;
  /** Sets the model's outputs at a place, [images, stride], and the levels of all images so far, [images, H*W*C]. */
  read(present: PresentPixels, place: Place, levelsSoFar: Int32Array): void;
  /**
   * Draws a level wherever `drawn` [images] has {@link TO_DRAW}, using the first [images] uniforms. {@link TO_DRAW}
   * remains if no level is left.
   */
  draw(uniforms: Float64Array, drawn: Int32Array): void;
  /**
   * log p of levels [images] in the distribution that images are drawn from, before temperature and filters; -Infinity
   * if no level is left.
   */
  logProbs(drawn: Int32Array, to: Float64Array): void;
}

/**
 * From the model's own distribution, or with guidance, adjusted, or both.
 *
 * @param withoutClass with guidance, where the outputs of the same images without their classes are, [images, stride]
 */
export function drawsFor(
  job: Job,
  distribution: PixelDistribution,
  count: number,
  withoutClass: Float32Array | undefined,
): Draws {
  const isChanged = withoutClass !== undefined || job.adjust !== undefined;
  return {
    count,
    model: job.withLogProb ? logProbsFor(distribution, count) : null,
    ...(isChanged
      ? changedDraws(job, distribution, count, withoutClass)
      : modelDraws(job, distribution, count)),
  };
}

type LevelDraws = Pick<Draws, 'read' | 'draw' | 'logProbs'>;

function modelDraws(job: Job, distribution: PixelDistribution, count: number): LevelDraws {
  const draw = drawFor(distribution, count, job);
  const reader = job.lookAhead > 0 ? logProbsFor(distribution, count) : null; // not needed if nothing is weighed
  let present: PresentPixels;
  return {
    read(given) {
      present = given;
    },
    draw: (uniforms, drawn) => draw(present, uniforms.subarray(0, count), drawn),
    logProbs: (drawn, to) => reader?.of(present, drawn, to),
  };
}

/** With guidance first, then adjusted: once for each version of the job's images. */
function changedDraws(
  job: Job,
  distribution: PixelDistribution,
  count: number,
  withoutClass: Float32Array | undefined,
): LevelDraws {
  const { numImages, guidance, adjust, imageShape } = job;
  const { levels } = distribution;
  const total = valuesOf(imageShape);
  const reader = logProbsFor(distribution, count);
  const all = new Float64Array(count * levels); // log p of each level in the distribution that is drawn from
  const free = new Float64Array(withoutClass ? all.length : 0); // and without the class
  const drawLevel = levelDraw(levels, job);
  let at: Place = [0, 0, 0];

  const ofImage = (i: number) => all.subarray(i * levels, (i + 1) * levels);
  /** The log-probabilities of an image, after they have been checked; null if no level is left. */
  const leftOf = (i: number) => {
    const logProbs = ofImage(i);
    const isLeft = adjust === undefined || isAnyLeft(logProbs, job.firstImage + (i % numImages), at);
    return isLeft ? logProbs : null;
  };
  return {
    read(present, place, levelsSoFar) {
      at = place;
      reader.ofAll(present, all);
      if (withoutClass !== undefined) {
        reader.ofAll({ ...present, outputs: withoutClass.subarray(0, present.outputs.length) }, free);
        guide(all, free, guidance);
      }
      if (adjust === undefined) return;
      if (guidance !== 0) for (let i = 0; i < count; i++) normalize(ofImage(i));
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
        if (logProbs !== null) drawn[i] = drawLevel(logProbs, uniforms[i] as number);
      }
    },
    logProbs(drawn, to) {
      for (let i = 0; i < count; i++) {
        const logProbs = leftOf(i);
        const level = drawn[i] as number;
        to[i] = logProbs === null ? Number.NEGATIVE_INFINITY : (logProbs[level] as number) - logSum(logProbs);
      }
    },
  };
}

/** log of the sum of e^x. */
function logSum(x: Float64Array): number {
  let max = Number.NEGATIVE_INFINITY;
  for (const one of x) max = Math.max(max, one);
  let sum = 0;
  for (const one of x) sum += exp(one - max);
  return max + log(sum);
}

function normalize(x: Float64Array): void {
  const shift = logSum(x);
  for (let i = 0; i < x.length; i++) x[i] = (x[i] as number) - shift;
}

/** Checks the log-probabilities that a user's function has changed, and returns whether any level is left. */
function isAnyLeft(logProbs: Float64Array, n: number, place: Place): boolean {
  let isAny = false;
  for (let level = 0; level < logProbs.length; level++) {
    const one = logProbs[level] as number;
    if (!(one < Number.POSITIVE_INFINITY))
      throw new Error(
        `sample: adjust: gave log p ${one} of level ${level} of image ${n} at [${place.join(', ')}]`,
      );
    if (one > Number.NEGATIVE_INFINITY) isAny = true;
  }
  return isAny;
}

/** Checks that a user's function has not returned a new array or a promise, instead of changing log p in place. */
function checkReturned(returned: unknown, { buffer }: Float64Array): void {
  const isView = ArrayBuffer.isView(returned);
  if (isView && returned.buffer === buffer) return; // as `fill` returns it
  if (isView || Array.isArray(returned) || returned instanceof Promise)
    throw new TypeError(
      `sample: adjust: wanted a function that changes log p in place, got one that returns ${show(returned)}`,
    );
}
