import { throwTypeError } from '../core/check';
import { slicedCondition } from '../core/conditions';
import { valuesOf } from '../core/images';
import { reportProgress } from '../core/progress';
import type { PortableModel } from '../program/program';
import type { WalkHooks } from '../sampling/image-model';
import type { Method, Work } from './messages';
import { type WorkerHandle, workerHandle } from './worker-handle';
import type { PoolWorker } from './workers';

/** The images of a job that one worker processes at a time. */
export interface Piece {
  readonly first: number;
  readonly count: number;
}

/** The most images in a piece, since no more are computed together. */
const MAX_IMAGES = 32;

/** The fewest images in a piece, since rereading weights for fewer images takes notably longer for each. */
const MIN_IMAGES = 8;

/** Pieces for each worker, so that workers finish at about the same time. */
const PIECES_OF_A_WORKER = 4;

/** Splits images into pieces of about equal size. There may be millions, so they are computed on demand. */
function cut(numImages: number, workers: number, numParticles = 1) {
  const balanced = Math.ceil(numImages / (PIECES_OF_A_WORKER * workers));
  const shared = Math.ceil(numImages / workers);
  const max = Math.ceil(MAX_IMAGES / numParticles);
  const min = Math.ceil(MIN_IMAGES / numParticles);
  const size = Math.min(shared, max, Math.max(min, balanced));
  const length = Math.ceil(numImages / size);
  const start = (k: number) => Math.floor((k * numImages) / length);
  return { length, at: (k: number): Piece => ({ first: start(k), count: start(k + 1) - start(k) }) };
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

/** An unfinished job. */
interface Running {
  /** Gives the first of the waiting pieces to a worker. */
  give(handle: WorkerHandle): Promise<void>;
  fail(error: unknown): void;
}

/** Distributes the pieces of jobs to workers, and starts only as many workers as there is work for. */
export function schedulerOf(maxWorkers: number, startWorker: () => PoolWorker) {
  let handles: WorkerHandle[] = [];
  const unfinished = new Set<Running>();
  let turns: Running[] = []; // jobs with waiting pieces, the next one first
  let isDisposed = false;

  /** A free worker or a new one; undefined if the limit is reached. */
  const freeHandle = (): WorkerHandle | undefined => {
    handles = handles.filter(({ isLost }) => !isLost());
    const free = handles.find(({ isFree }) => isFree());
    if (free !== undefined || handles.length >= maxWorkers) return free;
    const worker = startWorker();
    if (typeof worker?.postMessage !== 'function' || typeof worker.terminate !== 'function')
      throwTypeError('createPool: createWorker', 'a function that returns a worker', worker);
    const handle = workerHandle(worker);
    handles.push(handle);
    return handle;
  };

  /** Hands out pieces, one of each job in turn, while workers are available. */
  const dispatch = (): void => {
    for (let job = turns[0]; job !== undefined; job = turns[0]) {
      try {
        const handle = freeHandle();
        if (handle === undefined) return;
        turns.shift();
        void job.give(handle).then(dispatch);
      } catch (cause) {
        job.fail(new Error(`pool: a worker could not be started: ${(cause as Error)?.message}`, { cause }));
      }
    }
  };

  /**
   * Runs a job, until all promises that `onProgress` returns have settled too.
   *
   * @throws (rejects) as {@link WorkerHandle}; with the signal's reason; with an Error if the pool is disposed
   */
  const run = <M extends Method>(
    method: M,
    model: PortableModel,
    { signal, onProgress, ...data }: Work[M]['job'] & WalkHooks,
    { partOf, take, numParticles, valuesInStep = 1 }: Sharing<M>,
  ): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      if (isDisposed) throw new Error('pool: it has been disposed');
      const job = data as unknown as Work[M]['job'];
      const pieces = cut(job.numImages, maxWorkers, numParticles);
      const total = (job.numImages * valuesOf(job.imageShape)) / valuesInStep;
      const atWork = new Set<WorkerHandle>();
      let reports: Promise<unknown> = Promise.resolve(); // settles with the promises of `onProgress`
      let numGiven = 0;
      let numLeft = pieces.length;
      let [values, steps] = [0, 0]; // done so far
      const end = () => {
        signal?.removeEventListener('abort', abort);
        turns = turns.filter((other) => other !== running);
        return unfinished.delete(running);
      };
      const fail = (error: unknown) => {
        if (!end()) return; // it had already ended
        for (const handle of atWork) handle.abort();
        reject(error);
      };
      const abort = () => fail(signal?.reason);
      const follower = () => {
        let before = 0;
        return (ofPiece: number) => {
          values += ofPiece - before;
          before = ofPiece;
          const done = Math.floor(values / valuesInStep);
          if (onProgress === undefined || done === steps || !unfinished.has(running)) return;
          steps = done;
          reports = Promise.all([reports, reportProgress(onProgress, { done, total }).catch(fail)]);
        };
      };
      const running: Running = {
        async give(handle) {
          const piece = pieces.at(numGiven);
          numGiven++;
          if (numGiven < pieces.length) turns.push(running);
          const { first, count } = piece;
          atWork.add(handle);
          try {
            const conditions = job.conditions.map((all) => slicedCondition(all, first, count));
            const part = { ...job, numImages: count, conditions, ...partOf(piece) };
            take(await handle.perform(model, method, part, onProgress && follower()), piece);
            numLeft--;
            if (numLeft === 0) void reports.then(() => end() && resolve()); // not awaited: the worker is free
          } catch (error) {
            fail(error);
          } finally {
            atWork.delete(handle);
          }
        },
        fail,
      };
      unfinished.add(running);
      signal?.addEventListener('abort', abort);
      turns.push(running);
      dispatch();
    });

  return {
    run,
    async dispose(): Promise<void> {
      isDisposed = true;
      for (const { fail } of unfinished) fail(new Error('pool: it was disposed before the job was done'));
      await Promise.all(handles.map((handle) => handle.end()));
    },
  };
}
