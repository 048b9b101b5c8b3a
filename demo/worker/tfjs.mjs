// The entry of the worker that trains, with tfjs.

import { serveJobs } from './serve-jobs.mjs';

const training = () => import('./training.mjs');
const backends = () => import('./backends.mjs');
let tensorCount = () => 0;

serveJobs(
  {
    train: async () => (await training()).train,
    draw: async () => (await training()).draw,
    save: async () => (await training()).save,
    load: async () => (await training()).load,
    write: async () => (await training()).write,
    forget: async () => (await training()).forget,
  },
  {
    async before({ backend }) {
      try {
        const loaded = await backends();
        tensorCount = loaded.tensorCount;
        if (backend !== undefined) await loaded.useBackend(backend);
      } catch (error) {
        throw Object.assign(error, { isLost: backend !== undefined });
      }
    },
    extras: () => ({ tensors: tensorCount() }),
  },
);
