import { throwTypeError } from '../core/check';
import { builtin } from './port';

/** A worker of a page or of Node's `worker_threads`, as far as a pool needs it. */
export interface PoolWorker {
  /** Sends the worker a message, and transfers memory to it. */
  postMessage(message: unknown): void;
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  /** Terminates the worker. */
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

/** Starts a worker by the `createWorker` of a caller, and checks that it is one. */
export function startBy(caller: string, createWorker: () => PoolWorker): PoolWorker {
  const worker = createWorker();
  if (typeof worker?.postMessage !== 'function' || typeof worker.terminate !== 'function')
    throwTypeError(`${caller}: createWorker`, 'a function that returns a worker', worker);
  return worker;
}

/** Starts a worker of a pool. */
export const startWorker = (): PoolWorker =>
  // Written this way, bundlers recognize that a page also needs the worker's file.
  startThread('../worker.js') ?? new Worker(new URL('../worker.js', import.meta.url), { type: 'module' });

/** Starts a thread with a file of this package, by its path from this folder; undefined in a page. */
export function startThread(path: '../worker.js' | '../../train-thread.js'): PoolWorker | undefined {
  const threads = builtin('node:worker_threads');
  if (!threads) return undefined;
  // Workers inherit the flags of their process, but do not start with this one, which is not for files.
  const isInline = process.execArgv.some((flag) => flag.startsWith('--input-type'));
  return new threads.Worker(fileNearThis(path), isInline ? { execArgv: [] } : {});
}

/** A URL for Node, written so that bundlers for pages do not follow it. */
const fileNearThis = (name: string) => new URL(name, import.meta.url);

/** Calls `onMessage` with each message of a worker, and `onExit` after the last. */
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
    event.preventDefault(); // the job rejects with the error
    onExit(event.error ?? new Error(event.message || 'its file could not be loaded'));
  });
}

/** Sets whether a worker keeps the process alive, if there is a process. */
export function holdProcess(worker: PoolWorker, holds: boolean): void {
  (worker as Partial<Thread>)[holds ? 'ref' : 'unref']?.();
}
