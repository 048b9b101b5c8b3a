import { builtin } from './builtin';

// Apart from what starts workers, so that a bundler that packs a worker finds no other worker to pack in it.

/** Inside a worker, the way to who started it: its listener, and how to post. */
export interface Port {
  listen(hear: (message: unknown) => void): void;
  post(message: unknown, transfer: ArrayBuffer[]): void;
}

/**
 * The port of the worker that this runs in.
 *
 * @throws Error where this runs in no worker
 */
export function portOfWorker(): Port {
  const parent = builtin('node:worker_threads')?.parentPort;
  if (parent) {
    return {
      listen: (hear) => parent.on('message', hear),
      post: (message, transfer) => parent.postMessage(message, transfer),
    };
  }
  if (!('WorkerGlobalScope' in globalThis)) {
    throw new Error('pixelcnn-layers/worker: wanted to be run by a worker, got imported outside of one');
  }
  return {
    listen: (hear) => globalThis.addEventListener('message', ({ data }) => hear(data)),
    post: (message, transfer) => globalThis.postMessage(message, { transfer }),
  };
}
