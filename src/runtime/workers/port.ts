type Builtins = {
  'node:os': typeof import('node:os');
  'node:worker_threads': typeof import('node:worker_threads');
};

/** Returns a built-in module of Node, Deno or Bun, in a way that bundlers do not follow. */
export const builtin = <Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined =>
  globalThis.process?.getBuiltinModule?.(name);

/** Messages from a worker to its caller: how much of the call is done, or its outcome. */
export type Reply<Result> =
  | { kind: 'progress'; done: number }
  | { kind: 'result'; result: Result }
  | { kind: 'error'; error: unknown };

// Separate from the code that starts workers, so that a bundler finds no further worker inside a worker.

/** Inside a worker, the channel to its parent. */
export interface Port {
  listen(onMessage: (message: unknown) => void): void;
  post(message: unknown, transfer: ArrayBuffer[]): void;
}

/** Answers a call with the result of `perform`, whose memory is transferred, or with its error. */
export async function answer<Result>(
  { post }: Port,
  perform: () => Promise<Result>,
  buffersOf: (result: Result) => ArrayBuffer[],
): Promise<void> {
  const reply = (message: Reply<Result>, transfer: ArrayBuffer[] = []) => post(message, transfer);
  try {
    const result = await perform();
    reply({ kind: 'result', result }, buffersOf(result));
  } catch (error) {
    reply({ kind: 'error', error }); // its class and message survive the transfer
  }
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
