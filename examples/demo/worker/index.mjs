// The worker's entry: takes jobs of protocol.mjs, one after the other. What does the work is loaded with the first job that needs it.

/** @typedef {import('./protocol.mjs').ToWorker} ToWorker */

const TASKS = {
  sample: async () => (await import('./sampling.mjs')).drawImages,
  likelihood: async () => (await import('./likelihood.mjs')).measure,
  train: async () => (await import('./training.mjs')).train,
  draw: async () => (await import('./training.mjs')).draw,
  save: async () => (await import('./training.mjs')).save,
  load: async () => (await import('./training.mjs')).load,
  forget: async () => (await import('./training.mjs')).forget,
  look: async () => (await import('./training.mjs')).look,
};

/** Of jobs that are not yet done, by number. */
const cancellers = new Map();
let last = Promise.resolve();

self.addEventListener('message', ({ data }) => {
  if (data.cancel) {
    cancellers.get(data.id)?.abort();
    return;
  }
  cancellers.set(data.id, new AbortController());
  last = last.then(() => carryOut(data));
});

/** @param {ToWorker & { job: object }} request */
async function carryOut({ id, backend, job }) {
  const { signal } = cancellers.get(id);
  let isLost = backend !== null; // until the backend has started
  try {
    const { useBackend, tensorCount } = await import('./backends.mjs');
    if (backend !== null) await useBackend(backend);
    isLost = false;
    const task = await TASKS[job.kind]();
    const report = (what) => self.postMessage({ id, report: what });
    const result = await task(job, { signal, report });
    self.postMessage({ id, result, tensors: tensorCount() });
  } catch (error) {
    const { name = 'Error', message = String(error) } = error ?? {};
    self.postMessage({ id, error: { name, message, isLost } });
  } finally {
    cancellers.delete(id);
  }
}
