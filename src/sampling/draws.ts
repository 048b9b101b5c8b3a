import { show } from '../core/check';
import { type Place, valuesOf } from '../core/images';
import { levelDraw, TO_DRAW } from '../distributions/filters';
import type { PresentPixels } from '../distributions/pixel-distribution';
import { drawFor, guide, logProbsFor } from '../distributions/readers';
import { exp, log } from '../kernels/arithmetic';
import type { Job } from './options';

/**
 * Draws levels for the particles of each image, and gives the log-probabilities of levels. Rows are what the model
 * evaluates: for each particle all images, and with guidance all images again without a class.
 */
export interface Draws {
  /** Sets the model's outputs at a place, [rows], and the levels of all images so far, [particles * N*H*W*C]. */
  read(present: PresentPixels, place: Place, levelsSoFar: Int32Array): void;
  /**
   * Draws a level wherever `drawn` [rows] has {@link TO_DRAW}, using the first [particles * N] uniforms.
   * {@link TO_DRAW} remains if no level is left.
   */
  draw(uniforms: Float64Array, drawn: Int32Array): void;
  /**
   * log p of levels [rows] in the distribution that images are drawn from, before temperature and filters: [particles *
   * N]; -Infinity if no level is left.
   */
  logProbs(drawn: Int32Array, to: Float64Array): void;
}

/** By the model alone, or as modified by the job. */
export const drawsFor = (job: Job, perImage: number): Draws =>
  job.guidance === 0 && job.adjust === undefined ? modelDraws(job, perImage) : changedDraws(job, perImage);

function modelDraws({ numImages, distribution, filters, lookAhead }: Job, perImage: number): Draws {
  const draw = drawFor(distribution, perImage * numImages, filters);
  const reader = lookAhead > 0 ? logProbsFor(distribution, perImage * numImages) : null; // not needed if nothing is weighed
  let present: PresentPixels;
  return {
    read(given) {
      present = given;
    },
    draw: (uniforms, drawn) => draw(present, uniforms.subarray(0, perImage * numImages), drawn),
    logProbs: (drawn, to) => reader?.of(present, drawn, to),
  };
}

/** With guidance, adjusted, or both, in this order. */
function changedDraws(job: Job, perImage: number): Draws {
  const { numImages, distribution, filters, guidance, adjust, imageShape } = job;
  const { levels } = distribution;
  const rowsEach = numImages * (guidance === 0 ? 1 : 2);
  const total = valuesOf(imageShape);
  const size = numImages * levels;
  const reader = logProbsFor(distribution, perImage * rowsEach);
  const all = new Float64Array(perImage * rowsEach * levels); // [rows,L]
  const drawLevel = levelDraw(levels, filters);
  let at: Place = [0, 0, 0];

  /** For a particle: log p of each level in the distribution that is drawn from, not renormalised. */
  const read = (particle: number, place: Place, levelsSoFar: Int32Array) => {
    const start = particle * rowsEach * levels;
    const logProbs = all.subarray(start, start + size);
    if (guidance !== 0) guide(logProbs, all.subarray(start + size, start + 2 * size), guidance);
    if (adjust === undefined) return;
    if (guidance !== 0) for (let n = 0; n < numImages; n++) normalize(logProbs, n * levels, levels);
    const from = particle * numImages * total;
    const ofImages = levelsSoFar.subarray(from, from + numImages * total);
    checkReturned(adjust(logProbs, place, ofImages, [...imageShape]), logProbs);
  };
  /** The log-probabilities of a particle, after they have been checked; null if no level is left. */
  const row = (particle: number, n: number) => {
    const start = (particle * rowsEach + n) * levels;
    const logProbs = all.subarray(start, start + levels);
    return adjust === undefined || isAnyLeft(logProbs, job.firstImage + n, at) ? logProbs : null;
  };
  return {
    read(present, place, levelsSoFar) {
      reader.ofAll(present, all);
      at = place;
      for (let p = 0; p < perImage; p++) read(p, place, levelsSoFar);
    },
    draw(uniforms, drawn) {
      for (let p = 0; p < perImage; p++) {
        for (let n = 0; n < numImages; n++) {
          const to = p * rowsEach + n;
          if (drawn[to] !== TO_DRAW) continue;
          const logProbs = row(p, n);
          if (logProbs !== null) drawn[to] = drawLevel(logProbs, uniforms[p * numImages + n] as number);
        }
      }
    },
    logProbs(drawn, to) {
      for (let p = 0; p < perImage; p++) {
        for (let n = 0; n < numImages; n++) {
          const logProbs = row(p, n);
          const level = drawn[p * rowsEach + n] as number;
          to[p * numImages + n] =
            logProbs === null
              ? Number.NEGATIVE_INFINITY
              : (logProbs[level] as number) - logSum(logProbs, 0, levels);
        }
      }
    },
  };
}

/** log of the sum of e^x. */
function logSum(x: Float64Array, from: number, count: number): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = from; i < from + count; i++) max = Math.max(max, x[i] as number);
  let sum = 0;
  for (let i = from; i < from + count; i++) sum += exp((x[i] as number) - max);
  return max + log(sum);
}

function normalize(x: Float64Array, from: number, count: number): void {
  const shift = logSum(x, from, count);
  for (let i = from; i < from + count; i++) x[i] = (x[i] as number) - shift;
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
