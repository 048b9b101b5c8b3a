import { type Place, valuesOf } from '../core/images';
import { levelDraw, TO_DRAW } from '../distributions/filters';
import type { PresentPixels } from '../distributions/pixel-distribution';
import { drawFor, guide, logProbsFor } from '../distributions/readers';
import { exp, log } from '../kernels/arithmetic';
import type { Job } from './options';

/**
 * Draws levels for so many particles of each image, and tells how likely levels are. Rows are what is evaluated: for each
 * particle the images, and with guidance the same images once more, of no class.
 */
export interface Draws {
  /** Takes what the model gives at a place, [rows], and the levels of all images so far, [particles * N*H*W*C]. */
  read(present: PresentPixels, place: Place, levelsSoFar: Int32Array): void;
  /** Draws where `drawn` [rows] has {@link TO_DRAW}, by uniforms, of which the first [particles * N] are read. */
  draw(uniforms: Float64Array, drawn: Int32Array): void;
  /** log p of levels [rows] by what images are drawn by, but for temperature and filters: [particles * N]. */
  logProbs(drawn: Int32Array, to: Float64Array): void;
}

/** By the model alone, or as the job changes it. */
export const drawsFor = (job: Job, perImage: number): Draws =>
  job.guidance === 0 && job.adjust === undefined ? modelDraws(job, perImage) : changedDraws(job, perImage);

function modelDraws({ numImages, distribution, filters }: Job, perImage: number): Draws {
  const draw = drawFor(distribution, perImage * numImages, filters);
  const reader = logProbsFor(distribution, perImage * numImages);
  let present: PresentPixels;
  return {
    read(given) {
      present = given;
    },
    draw: (uniforms, drawn) => draw(present, uniforms.subarray(0, perImage * numImages), drawn),
    logProbs: (drawn, to) => reader.of(present, drawn, to),
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

  /** Of a particle: log p of each level that is drawn by, not renormalised. */
  const read = (particle: number, place: Place, levelsSoFar: Int32Array) => {
    const start = particle * rowsEach * levels;
    const logProbs = all.subarray(start, start + size);
    if (guidance !== 0) guide(logProbs, all.subarray(start + size, start + 2 * size), guidance);
    if (adjust === undefined) return;
    if (guidance !== 0) for (let n = 0; n < numImages; n++) normalize(logProbs, n * levels, levels);
    const from = particle * numImages * total;
    adjust(logProbs, place, levelsSoFar.subarray(from, from + numImages * total), [...imageShape]);
  };
  /** The log-probabilities of a particle, once they are known to be such. */
  const row = (particle: number, n: number) => {
    const start = (particle * rowsEach + n) * levels;
    if (adjust !== undefined) checkAdjusted(all, start, levels, job.firstImage + n, at);
    return all.subarray(start, start + levels);
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
          if (drawn[to] === TO_DRAW) drawn[to] = drawLevel(row(p, n), uniforms[p * numImages + n] as number);
        }
      }
    },
    logProbs(drawn, to) {
      for (let p = 0; p < perImage; p++) {
        for (let n = 0; n < numImages; n++) {
          const logProbs = row(p, n);
          const level = drawn[p * rowsEach + n] as number;
          to[p * numImages + n] = (logProbs[level] as number) - logSum(logProbs, 0, levels);
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

/** Checks what a user's function has made of log-probabilities. */
function checkAdjusted(logProbs: Float64Array, from: number, levels: number, n: number, place: Place): void {
  let isAnyLeft = false;
  for (let level = 0; level < levels; level++) {
    const one = logProbs[from + level] as number;
    if (!(one < Number.POSITIVE_INFINITY))
      throw new Error(
        `sample: adjust: gave log p ${one} of level ${level} of image ${n} at [${place.join(', ')}]`,
      );
    if (one > Number.NEGATIVE_INFINITY) isAnyLeft = true;
  }
  if (!isAnyLeft) throw new Error(`sample: adjust: left no level of image ${n} at [${place.join(', ')}]`);
}
