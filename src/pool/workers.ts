import { builtin } from './builtin';

/** A worker of a page or of Node's `worker_threads`: what a pool wants of either. */
export interface PoolWorker {
  /** Sends it a message. */
  postMessage(message: unknown): void;
  /** Ends it. */
  terminate(): unknown;
}

/** A worker of Node, Deno or Bun, or the end of the channel inside one. */
interface ThreadPort {
  on(event: string, listener: (value: unknown) => void): unknown;
}

/** Workers of Node that are idle let the process end. */
interface ThreadReference {
  ref?(): void;
  unref?(): void;
}

/** How many threads the machine runs at once. */
export function numCores(): number {
  return builtin('node:os')?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}

/** Starts a worker on this package's own file, which lies beside the one that this becomes part of. */
export function startWorker(): PoolWorker {
  const threads = builtin('node:worker_threads');
  // In this form bundlers see that a page needs the worker's file too.
  if (!threads) return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  const isCommonJs = typeof __dirname === 'string';
  // Workers take over the flags of their process; with this one, which is about no file, they do not start.
  const isInline = process.execArgv.some((flag) => flag.startsWith('--input-type'));
  const file = isCommonJs ? `${__dirname}/worker.cjs` : fileBesideThis('worker.js');
  return new threads.Worker(file, isInline ? { execArgv: [] } : {});
}

/** Not in the form above: for Node, which no page's bundle needs. */
const fileBesideThis = (name: string) => new URL(name, import.meta.url);

/** Calls `hear` with each message of a worker, and `die` when there will be no more. */
export function listen(
  worker: PoolWorker,
  hear: (message: unknown) => void,
  die: (cause: unknown) => void,
): void {
  const unreadable = () => die(new Error('a message could not be read'));
  if ('on' in worker) {
    const thread = worker as PoolWorker & ThreadPort;
    thread.on('message', hear);
    thread.on('messageerror', unreadable);
    thread.on('error', die);
    thread.on('exit', (code) => die(new Error(`it ended with exit code ${code}`)));
    return;
  }
  const page = worker as Worker;
  page.addEventListener('message', ({ data }) => hear(data));
  page.addEventListener('messageerror', unreadable);
  page.addEventListener('error', (event) => {
    event.preventDefault(); // who asked for the job hears of it
    die(event.error ?? new Error(event.message || 'its file could not be loaded'));
  });
}

/** Whether a worker keeps the process alive, where there is one. */
export function holdProcess(worker: PoolWorker & ThreadReference, holds: boolean): void {
  if (holds) worker.ref?.();
  else worker.unref?.();
}
