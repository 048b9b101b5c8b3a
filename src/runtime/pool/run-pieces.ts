import { slicedCondition } from '../core/conditions';
import { valuesOf } from '../core/images';
import { reportProgress } from '../core/progress';
import type { PortableModel } from '../program/program';
import type { WalkHooks } from '../sampling/image-model';
import { type Piece, pieceAt, type Scheduler } from '../workers/scheduler';
import type { Method, Work } from './messages';
import type { ModelWorker } from './model-worker';

/** The most images in a piece, since no more are computed together. */
const MAX_IMAGES = 32;

/** The fewest images in a piece, since rereading weights for fewer images takes notably longer for each. */
const MIN_IMAGES = 8;

/** Pieces for each worker, so that workers finish at about the same time. */
const PIECES_OF_A_WORKER = 4;

/** The number of pieces that images are divided into, if each has that many particles. */
function numPiecesOf(numImages: number, workers: number, numParticles: number): number {
  const balanced = Math.ceil(numImages / (PIECES_OF_A_WORKER * workers));
  const shared = Math.ceil(numImages / workers);
  const max = Math.ceil(MAX_IMAGES / numParticles);
  const min = Math.ceil(MIN_IMAGES / numParticles);
  return Math.ceil(numImages / Math.min(shared, max, Math.max(min, balanced)));
}

/** What jobs hold for each image, besides conditions: as much for each. */
const ofImages = ['data', 'given', 'scored', 'coded'] as const;
type AnyJob = Work[Method]['job'] & { [Name in (typeof ofImages)[number]]?: unknown } & {
  firstImage?: number;
};

/** The job of a piece: a copy, so that only its images are sent. */
function partOf(job: AnyJob, { first, count }: Piece): AnyJob {
  const conditions = job.conditions.map((all) => slicedCondition(all, first, count));
  const part = { ...job, numImages: count, conditions };
  if (part.firstImage !== undefined) part.firstImage += first;
  for (const name of ofImages) {
    const all = job[name] as unknown[] | null | undefined;
    const ofImage = (all?.length ?? 0) / job.numImages;
    if (all) Object.assign(part, { [name]: all.slice(first * ofImage, (first + count) * ofImage) });
  }
  return part;
}

/** Puts the results of a piece's images among those of all. */
function put<Results extends object>(all: Results, part: Results, { first, count }: Piece): void {
  for (const [name, to] of Object.entries(all)) {
    const from: ArrayLike<unknown> = part[name as keyof Results] as never;
    const start = first * (from.length / count);
    for (let i = 0; i < from.length; i++) to[start + i] = from[i];
  }
}

/**
 * Makes a function that has workers run a job, and writes what they give for each image to `results`. It waits for all
 * promises that `onProgress` returns, too.
 *
 * @throws (rejects) as {@link ModelWorker}; with the signal's reason; with an Error if the pool is disposed
 */
export function runnerOf(scheduler: Scheduler<ModelWorker>, maxWorkers: number) {
  return async <M extends Method>(
    method: M,
    model: PortableModel,
    { signal, onProgress, ...data }: Work[M]['job'] & WalkHooks,
    results: Work[M]['result'],
    numParticles = 1,
  ): Promise<void> => {
    const job = data as AnyJob;
    const numPieces = numPiecesOf(job.numImages, maxWorkers, numParticles);
    const valuesInStep = method === 'sample' ? job.numImages : 1; // in one step of progress
    const total = (job.numImages * valuesOf(job.imageShape)) / valuesInStep;
    let reports: Promise<unknown> = Promise.resolve(); // settles with the promises of `onProgress`
    let [values, steps] = [0, 0]; // done so far
    await scheduler.run({
      numPieces,
      signal,
      async perform(worker, k, { fail, isOver }) {
        const piece = pieceAt(k, numPieces, job.numImages);
        let before = 0;
        const follow = (ofPiece: number) => {
          values += ofPiece - before;
          before = ofPiece;
          const done = Math.floor(values / valuesInStep);
          if (onProgress === undefined || done === steps || isOver()) return;
          steps = done;
          reports = Promise.all([reports, reportProgress(onProgress, { done, total }).catch(fail)]);
        };
        const part = partOf(job, piece) as Work[M]['job'];
        put(results, await worker.perform(model, method, part, onProgress && follow), piece);
      },
      abandon: (worker) => worker.abort(),
      settled: () => reports,
    });
  };
}
