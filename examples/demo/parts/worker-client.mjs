/**
 * Runs jobs in a worker of its own, which is started with the first of them.
 *
 * @typedef {import('../worker/protocol.mjs').Job} Job
 * @typedef {{ signal?: AbortSignal, onReport?: (report: any) => void }} JobOptions
 *
 * @typedef {{ run: (backend: string | null, job: Job, options?: JobOptions) => Promise<any> }} Client
 * `run` gives the job's result; where the backend does not start, its error has `isBackendLost`
 *
 * @param {{ onLost?: () => void }} [options] `onLost` is called when the worker, and all that it holds, is gone
 * @returns {Client}
 */
export function workerClient({ onLost = () => {} } = {}) {
  /** @type {Worker | null} */
  let worker = null;
  let lastId = 0;
  const pending = new Map();

  const start = () => {
    worker = new Worker(new URL('../worker/index.mjs', import.meta.url), { type: 'module' });
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
    if (report !== undefined) return job?.onReport?.(report);
    pending.delete(id);
    if (result !== undefined) return job?.resolve(result);
    const { name, isLost: isBackendLost } = error;
    const failure = Object.assign(new Error(error.message), { name, isBackendLost });
    job?.reject(failure);
    if (isBackendLost) lose(failure);
  };

  return {
    run(backend, job, { signal, onReport } = {}) {
      if (worker === null) start();
      const id = ++lastId;
      signal?.addEventListener('abort', () => worker?.postMessage({ id, cancel: true }), { once: true });
      worker.postMessage({ id, backend, job });
      return new Promise((resolve, reject) => pending.set(id, { resolve, reject, onReport }));
    },
  };
}
