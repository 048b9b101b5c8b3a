import { MODELS } from '../catalogue.mjs';

/** Each in words of its own: a bundler finds workers by them. */
const START = {
  engine: () => new Worker(new URL('../worker/engine.mjs', import.meta.url), { type: 'module' }),
  tfjs: () => new Worker(new URL('../worker/tfjs.mjs', import.meta.url), { type: 'module' }),
};

/**
 * Runs jobs in a worker of its own, which is started with the first of them: the engine, or the one that trains, with tfjs.
 *
 * @typedef {import('../worker/protocol.mjs').Job} Job
 * @typedef {{ signal?: AbortSignal, onReport?: (report: any) => void }} JobOptions
 *
 * @typedef {{ run: (job: Job, options?: JobOptions) => Promise<any> }} Client
 * `run` gives the job's result
 *
 * @param {'engine' | 'tfjs'} [which]
 * @param {{ onLost?: () => void }} [options] `onLost` is called when the worker, and all that it holds, is gone
 * @returns {Client}
 */
export function workerClient(which = 'engine', { onLost = () => {} } = {}) {
  /** @type {Worker | null} */
  let worker = null;
  let lastId = 0;
  const pending = new Map();

  const start = () => {
    worker = START[which]();
    worker.addEventListener('message', ({ data }) => receive(data));
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      lose(
        new Error(
          `The worker that computes has stopped: ${event.message || 'its script could not be loaded'}`,
        ),
      );
    });
  };
  /** Ends the worker; the next job starts another. */
  const lose = (error) => {
    worker?.terminate();
    worker = null;
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
    onLost();
  };
  /** @param {import('../worker/protocol.mjs').FromWorker} message */
  const receive = ({ id, report, result, error }) => {
    const job = pending.get(id);
    if (report !== undefined) {
      job?.onReport?.(report);
      worker?.postMessage({ isRead: true });
      return undefined;
    }
    pending.delete(id);
    if (result !== undefined) return job?.resolve(result);
    const failure = Object.assign(new Error(error.message), { name: error.name });
    job?.reject(failure);
    if (error.isLost) lose(failure);
  };

  return {
    run(job, { signal, onReport } = {}) {
      if (signal?.aborted) return Promise.reject(signal.reason); // its event has passed
      if (worker === null) start();
      const id = ++lastId;
      signal?.addEventListener('abort', () => worker?.postMessage({ id, cancel: true }), { once: true });
      worker.postMessage({ id, job: { ...job, model: MODELS[job.model]?.url ?? job.model } });
      return new Promise((resolve, reject) => pending.set(id, { resolve, reject, onReport }));
    },
  };
}
