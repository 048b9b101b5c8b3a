import type { WorkerHandle } from './worker-handle';

/** Consecutive images. */
export interface Piece {
  /** The number of the first one. */
  readonly first: number;
  readonly count: number;
}

/** The k-th of pieces of nearly equal sizes. */
export function pieceAt(k: number, numPieces: number, numImages: number): Piece {
  const start = (k: number) => Math.floor((k * numImages) / numPieces);
  return { first: start(k), count: start(k + 1) - start(k) };
}

/** A job of pieces, which workers perform in any order, each worker one at a time. */
export interface PiecewiseJob<Handle> {
  readonly numPieces: number;
  /** Has a worker perform a piece, by its number. */
  perform(worker: Handle, piece: number, job: RunningJob<Handle>): Promise<void>;
  /** Has a worker abandon its piece when the job fails. Without it, the job is over once none is at work any more. */
  abandon?(worker: Handle): void;
  /** What the job waits for after its last piece. */
  settled?(): Promise<unknown>;
  /** Whether other workers perform the piece of one that ends. By default, the job fails. */
  readonly outlivesWorkers?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A job that has not ended. */
export interface RunningJob<Handle> {
  /** Gives the first of the waiting pieces to a worker. */
  give(worker: Handle): Promise<void>;
  fail(error: unknown): void;
  isOver(): boolean;
  /** Why a worker has ended. */
  lastLoss: Error;
}

export type Scheduler<Handle extends WorkerHandle<never, unknown>> = ReturnType<typeof schedulerOf<Handle>>;

/**
 * Distributes the pieces of jobs to workers, and starts only as many workers as there is work for.
 *
 * @param start starts a worker beside `numWorkers` others; returns undefined if there are to be no more
 */
export function schedulerOf<Handle extends WorkerHandle<never, unknown>>(
  caller: string,
  start: (numWorkers: number) => Handle | undefined,
) {
  let workers: Handle[] = [];
  const busy = new Set<Handle>();
  const unfinished = new Set<RunningJob<Handle>>();
  let turns: RunningJob<Handle>[] = []; // jobs with waiting pieces, the next one first
  let isDisposed = false;

  /** Hands out pieces, one of each job in turn, while workers are available. */
  function dispatch(): void {
    for (let job = turns[0]; job !== undefined; job = turns[0]) {
      try {
        workers = workers.filter(({ isLost }) => !isLost);
        const free = workers.find((worker) => !busy.has(worker));
        const worker = free ?? start(workers.length);
        if (worker === undefined && workers.length > 0) return;
        const { lastLoss: cause } = job;
        if (worker === undefined)
          throw new Error(`${caller}: no worker is left: ${cause.message}`, { cause });
        if (free === undefined) workers.push(worker);
        turns.shift();
        void job.give(worker).then(dispatch);
      } catch (error) {
        job.fail(error);
      }
    }
  }

  /**
   * Runs a job.
   *
   * @throws (rejects) what `perform` or `start` throws; the signal's reason; an Error if the workers are disposed, or if
   * none is left
   */
  async function run(job: PiecewiseJob<Handle>): Promise<void> {
    if (isDisposed) throw new Error(`${caller}: it has been disposed`);
    const { numPieces, signal } = job;
    const atWork = new Map<Handle, Promise<void>>();
    const again: number[] = []; // pieces of workers that have ended
    let [numGiven, numDone] = [0, 0];
    return new Promise<void>((resolve, reject) => {
      const end = () => {
        signal?.removeEventListener('abort', abort);
        turns = turns.filter((other) => other !== running);
        return unfinished.delete(running);
      };
      const fail = (error: unknown) => {
        if (!end()) return; // it had already ended
        if (job.abandon === undefined) void Promise.allSettled(atWork.values()).then(() => reject(error));
        else reject(error);
        for (const worker of atWork.keys()) job.abandon?.(worker);
      };
      const abort = () => fail(signal?.reason);
      const running: RunningJob<Handle> = {
        async give(worker) {
          const piece = again.pop() ?? numGiven++;
          if (again.length > 0 || numGiven < numPieces) turns.push(running);
          busy.add(worker);
          const work = job.perform(worker, piece, running).finally(() => {
            atWork.delete(worker);
            busy.delete(worker);
          });
          atWork.set(worker, work);
          try {
            await work;
            numDone++;
            // Not awaited, since the worker is free.
            if (numDone === numPieces) void Promise.resolve(job.settled?.()).then(() => end() && resolve());
          } catch (error) {
            if (!worker.isLost || job.outlivesWorkers !== true) fail(error);
            else if (!running.isOver()) {
              running.lastLoss = error as Error;
              again.push(piece);
              if (!turns.includes(running)) turns.unshift(running);
            }
          }
        },
        fail,
        isOver: () => !unfinished.has(running),
        lastLoss: new Error('they ended while they had no work'),
      };
      unfinished.add(running);
      signal?.addEventListener('abort', abort);
      turns.push(running);
      dispatch();
    });
  }

  return {
    run,
    /** Ends all workers, and all jobs with an error that says why. */
    async dispose(why: string): Promise<void> {
      isDisposed = true;
      const cause = new Error(`${caller}: ${why}`);
      for (const { fail } of unfinished) fail(cause);
      await Promise.all(workers.map((worker) => worker.end(cause)));
    },
  };
}
