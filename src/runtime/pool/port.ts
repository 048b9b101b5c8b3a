type Builtins = {
  'node:os': typeof import('node:os');
  'node:worker_threads': typeof import('node:worker_threads');
};

/** Returns a built-in module of Node, Deno or Bun, in a way that bundlers do not follow. */
export const builtin = <Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined =>
  globalThis.process?.getBuiltinModule?.(name);

// Separate from the code that starts workers, so that a bundler finds no further worker inside a worker.

/** Inside a worker, the channel to its parent. */
export interface Port {
  listen(onMessage: (message: unknown) => void): void;
  post(message: unknown, transfer: ArrayBuffer[]): void;
}

export function portOfWorker(): Port {
  const parent = builtin('node:worker_threads')?.parentPort;
  if (parent) {
    return {
      listen: (onMessage) => parent.on('message', onMessage),
      post: (message, transfer) => parent.postMessage(message, transfer),
    };
  }
  if (!('WorkerGlobalScope' in globalThis)) {
    throw new Error('pixelcnn-layers/worker: wanted to be run by a worker, got imported outside of one');
  }
  return {
    listen: (onMessage) => globalThis.addEventListener('message', ({ data }) => onMessage(data)),
    post: (message, transfer) => globalThis.postMessage(message, { transfer }),
  };
}
