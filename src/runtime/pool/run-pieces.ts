import { slicedCondition } from '../core/conditions';
import { valuesOf } from '../core/images';
import { reportProgress } from '../core/progress';
import type { PortableModel } from '../program/program';
import type { WalkHooks } from '../sampling/image-model';
import { type Piece, pieceAt } from '../workers/pieces';
import type { RunningJob, Scheduler } from '../workers/scheduler';
import type { Method, Work } from './messages';
import type { ModelWorker } from './model-worker';

/** The most images in a piece, since no more are computed together. */
const MAX_IMAGES = 32;

/** The fewest images in a piece, since rereading weights for fewer images takes notably longer for each. */
const MIN_IMAGES = 8;

/** Pieces for each worker, so that workers finish at about the same time. */
const PIECES_OF_A_WORKER = 4;

/** The number of pieces that images are divided into. */
function numPiecesOf(numImages: number, workers: number, numParticles: number): number {
  const balanced = Math.ceil(numImages / (PIECES_OF_A_WORKER * workers));
  const shared = Math.ceil(numImages / workers);
  const max = Math.ceil(MAX_IMAGES / numParticles);
  const min = Math.ceil(MIN_IMAGES / numParticles);
  return Math.ceil(numImages / Math.min(shared, max, Math.max(min, balanced)));
}

/** How the images of a job are divided. */
interface Sharing<M extends Method> {
  /** The data of a piece's images, besides their conditions. */
  partOf(piece: Piece): Partial<Work[M]['job']>;
  /** Receives the result of a piece. Results arrive in any order. */
  take(result: Work[M]['result'], piece: Piece): void;
  /** The number of particles of each image. @default 1 */
  readonly numParticles?: number;
  /** The number of values, over all images, in one step of progress. @default 1 */
  readonly valuesInStep?: number;
}

/**
 * Makes a function that runs a job, until all promises that `onProgress` returns have settled too.
 *
 * @throws (rejects) as {@link ModelWorker}; with the signal's reason; with an Error if the pool is disposed
 */
export function runnerOf(scheduler: Scheduler<ModelWorker>, maxWorkers: number) {
  return async <M extends Method>(
    method: M,
    model: PortableModel,
    { signal, onProgress, ...data }: Work[M]['job'] & WalkHooks,
    { partOf, take, numParticles = 1, valuesInStep = 1 }: Sharing<M>,
  ): Promise<void> => {
    const job = data as unknown as Work[M]['job'];
    const numPieces = numPiecesOf(job.numImages, maxWorkers, numParticles);
    const total = (job.numImages * valuesOf(job.imageShape)) / valuesInStep;
    let reports: Promise<unknown> = Promise.resolve(); // settles with the promises of `onProgress`
    let [values, steps] = [0, 0]; // done so far
    const follower = ({ fail, isOver }: RunningJob) => {
      let before = 0;
      return (ofPiece: number) => {
        values += ofPiece - before;
        before = ofPiece;
        const done = Math.floor(values / valuesInStep);
        if (onProgress === undefined || done === steps || isOver()) return;
        steps = done;
        reports = Promise.all([reports, reportProgress(onProgress, { done, total }).catch(fail)]);
      };
    };
    await scheduler.run({
      numPieces,
      signal,
      async perform(worker, k, running) {
        const piece = pieceAt(k, numPieces, job.numImages);
        const { first, count } = piece;
        const conditions = job.conditions.map((all) => slicedCondition(all, first, count));
        const part = { ...job, numImages: count, conditions, ...partOf(piece) };
        take(await worker.perform(model, method, part, onProgress && follower(running)), piece);
      },
      abandon: (worker) => worker.abort(),
      settled: () => reports,
    });
  };
}
