import type { Place } from '../core/images';
import { excludesLevels, filteredLevels, scaleOf, TO_DRAW } from '../distributions/filters';
import type { CurrentPixels, LogProbs, PixelDistribution } from '../distributions/pixel-distribution';
import { drawFor, logProbsFor } from '../distributions/readers';
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

/** What changes log p before temperature and filters: guidance, and `adjust`. */
export interface Changes {
  draws(job: Job, levels: number, count: number, reader: LogProbs): Omit<Draws, 'count' | 'model'>;
}

export function drawsFor(
  job: Job,
  distribution: PixelDistribution,
  count: number,
  changes: Changes | undefined,
): Draws {
  const isWeighed = changes !== undefined || job.withLogProb || job.lookAhead > 0;
  const reader = isWeighed ? logProbsFor(distribution, count) : null;
  const model = job.withLogProb ? reader : null;
  if (reader !== null && changes !== undefined)
    return { count, model, ...changes.draws(job, distribution.levels, count, reader) };
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
