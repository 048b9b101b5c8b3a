import { show } from '../core/check';
import { type Place, valuesOf } from '../core/images';
import { filteredLevels, TO_DRAW } from '../distributions/filters';
import { logSumExp, normalizeLogProbs } from '../distributions/logistic-mixture';
import { type LogProbs, outputStride, type PixelDistribution } from '../distributions/pixel-distribution';
import { guide } from '../distributions/readers';
import type { Changes, Draws } from './draws';
import type { OutputSource } from './growing-images';
import type { Job } from './options';

/** What changes the distribution that a job draws from, before temperature and filters; with guidance, its source too. */
export function changesOf(
  job: Job,
  source: OutputSource,
  distribution: PixelDistribution,
  numImages: number,
): Changes & { readonly source: OutputSource } {
  const guided = job.guidance === 0 ? undefined : guidedSource(source, numImages, outputStride(distribution));
  return {
    source: guided ?? source,
    draws: (job, levels, count, reader) => changedDraws(job, levels, count, reader, guided?.withoutClass),
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

/** Wraps a source of both rows of each image as a source of the images with their classes. */
function guidedSource(
  rows: OutputSource,
  numImages: number,
  stride: number,
): OutputSource & { readonly withoutClass: Float32Array } {
  const withClass = new Float32Array(numImages * stride);
  const withoutClass = new Float32Array(numImages * stride);
  const ofRows = new Int32Array(2 * numImages);
  let numActive = numImages;
  const apart = (outputs: Float32Array): Float32Array => {
    for (let i = 0; i < numActive; i++) {
      const middle = (2 * i + 1) * stride;
      withClass.set(outputs.subarray(middle - stride, middle), i * stride);
      withoutClass.set(outputs.subarray(middle, middle + stride), i * stride);
    }
    return withClass.subarray(0, numActive * stride);
  };
  return {
    /** The outputs of the images without their classes, [images, stride]. */
    withoutClass,
    beginRow: (row) => rows.beginRow?.(row) ?? [],
    outputs(...place) {
      const outputs = rows.outputs(...place);
      return outputs instanceof Float32Array ? apart(outputs) : outputs.then(apart);
    },
    put(row, column, channel, levels) {
      for (let i = 0; i < numActive; i++) ofRows.fill(levels[i] as number, 2 * i, 2 * i + 2);
      rows.put(row, column, channel, ofRows);
    },
    release: () => rows.release?.(),
    evaluateFirst(count) {
      numActive = count;
      rows.evaluateFirst(2 * count);
    },
    copy(from) {
      rows.copy(Int32Array.from(ofRows, (_, row) => 2 * (from[row >> 1] as number) + (row & 1)));
    },
  };
}
