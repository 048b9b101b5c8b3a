/**
 * Takes the page's jobs in a worker, one after the other.
 *
 * @typedef {(job: object, context: { signal: AbortSignal, report: (what: object) => Promise<void> }) => Promise<object>} Task
 *
 * @param {Record<string, () => Promise<Task>>} tasks by the kind of a job; loaded with the first job that needs it
 * @param {{ before?: (job: object) => Promise<void>, extras?: () => object }} [options] `before`: what a job needs first; `extras`: what
 * goes with each result
 */
export function serveJobs(tasks, { before = async () => {}, extras = () => ({}) } = {}) {
  /** Of jobs that are not yet done, by number. */
  const cancellers = new Map();
  let last = Promise.resolve();
  /** What to do once the page has read the reports, in their order. */
  const unread = [];

  self.addEventListener('message', ({ data }) => {
    if (data.isRead) {
      unread.shift()?.();
      return;
    }
    if (data.cancel) {
      cancellers.get(data.id)?.abort();
      return;
    }
    cancellers.set(data.id, new AbortController());
    last = last.then(() => carryOut(data));
  });

  /** @param {import('./protocol.mjs').ToWorker & { job: object }} request */
  async function carryOut({ id, job }) {
    const { signal } = cancellers.get(id);
    try {
      await before(job);
      const task = await tasks[job.kind]();
      signal.throwIfAborted();
      const report = (what) => {
        self.postMessage({ id, report: what });
        return new Promise((resolve) => unread.push(resolve));
      };
      const result = await task(job, { signal, report });
      self.postMessage({ id, result, ...extras() });
    } catch (error) {
      const { name = 'Error', message = String(error), isLost = false } = error ?? {};
      self.postMessage({ id, error: { name, message, isLost } });
    } finally {
      cancellers.delete(id);
    }
  }
}
