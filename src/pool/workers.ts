import { builtin } from './port';

/** A worker of a page or of Node's `worker_threads`: the common part that a pool needs. */
export interface PoolWorker {
  /** Sends it a message. */
  postMessage(message: unknown): void;
  /** Terminates it. */
  terminate(): unknown;
}

/** A worker of Node, Deno or Bun. */
interface Thread extends PoolWorker {
  on(event: string, listener: (value: unknown) => void): unknown;
  ref?(): void;
  unref?(): void;
}

/** The number of threads that the machine can run at once. */
export function numCores(): number {
  return builtin('node:os')?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}

/** Starts a worker with this package's own worker file, which lies above this file's folder. */
export function startWorker(): PoolWorker {
  const threads = builtin('node:worker_threads');
  // Written this way, bundlers recognize that a page also needs the worker's file.
  if (!threads) return new Worker(new URL('../worker.js', import.meta.url), { type: 'module' });
  const isCommonJs = typeof __dirname === 'string';
  // Workers inherit the flags of their process. With this flag, which does not concern a file, they would not start.
  const isInline = process.execArgv.some((flag) => flag.startsWith('--input-type'));
  const file = isCommonJs ? `${__dirname}/../worker.cjs` : fileNearThis('../worker.js');
  return new threads.Worker(file, isInline ? { execArgv: [] } : {});
}

/** Not written as above: this is for Node, and no page's bundle needs it. */
const fileNearThis = (name: string) => new URL(name, import.meta.url);

/** Calls `onMessage` with each message of a worker, and `onExit` when there will be no more messages. */
export function listen(
  worker: PoolWorker,
  onMessage: (message: unknown) => void,
  onExit: (cause: unknown) => void,
): void {
  const unreadable = () => onExit(new Error('a message could not be read'));
  if ('on' in worker) {
    const thread = worker as Thread;
    thread.on('message', onMessage);
    thread.on('messageerror', unreadable);
    thread.on('error', onExit);
    thread.on('exit', (code) => onExit(new Error(`it ended with exit code ${code}`)));
    return;
  }
  const page = worker as Worker;
  page.addEventListener('message', ({ data }) => onMessage(data));
  page.addEventListener('messageerror', unreadable);
  page.addEventListener('error', (event) => {
    event.preventDefault(); // whoever requested the job gets the error
    onExit(event.error ?? new Error(event.message || 'its file could not be loaded'));
  });
}

/** Sets whether a worker keeps the process alive, if there is a process. */
export function holdProcess(worker: PoolWorker, holds: boolean): void {
  (worker as Partial<Thread>)[holds ? 'ref' : 'unref']?.();
}
