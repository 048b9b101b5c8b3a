import type { PoolWorker } from 'pixelcnn-layers/runtime';

/** How tests start workers where they run. */
export interface Workers {
  /** One that runs `pixelcnn-layers/worker`. */
  startWorker(): PoolWorker;
  /** One that does what its source says for each message of the pool, `request`; `post` answers. */
  startBad(onRequest: string): PoolWorker;
  /** One whose source throws at once. */
  startBroken(): PoolWorker;
}

export const isNode = typeof document === 'undefined';

export const workers: Workers = isNode ? await import('./pool-workers-node') : await import('./pool-workers-page');
