import { holdProcess, listen, type PoolWorker } from './workers';

/** Messages from a worker to its caller: how much of the call is done, or its outcome. */
export type Reply<Result> =
  | { kind: 'progress'; done: number }
  | { kind: 'result'; result: Result }
  | { kind: 'error'; error: unknown };

/** The call that a worker is processing. */
interface Current<Result> {
  resolve(result: Result): void;
  reject(error: unknown): void;
  follow: ((done: number) => void) | undefined;
}

/** Calls a worker, one call at a time. The worker keeps the process alive only during calls. Errors begin with `caller`. */
export function workerCalls<Request, Result>(caller: string, worker: PoolWorker) {
  let current: Current<Result> | null = null;
  let isLost = false;

  const post = (request: Request, transfer: ArrayBuffer[] = []) => worker.postMessage(request, transfer);

  /** Ends the worker, and rejects its call. Keeps the process alive meanwhile, since programs may await this. */
  const end = async (cause: unknown = new Error(`${caller}: the worker was terminated`)): Promise<void> => {
    isLost = true;
    current?.reject(cause);
    current = null;
    await worker.terminate();
  };

  const onMessage = (message: unknown) => {
    const reply = message as Reply<Result>;
    if (current === null) return; // it is being ended
    if (!['progress', 'result', 'error'].includes(reply?.kind))
      return onExit(new Error('it sent a message of its own'));
    const { resolve, reject, follow } = current;
    if (reply.kind === 'progress') return follow?.(reply.done);
    current = null;
    holdProcess(worker, false);
    if (reply.kind === 'result') resolve(reply.result);
    else reject(reply.error);
  };
  const onExit = (cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    if (!isLost) void end(new Error(`${caller}: a worker ended before its work was done: ${why}`, { cause }));
  };
  listen(worker, onMessage, onExit);
  holdProcess(worker, false);

  return {
    /** Whether the worker has ended, or is being ended. Its further messages are ignored. */
    isLost: () => isLost,
    isFree: () => current === null,
    end,
    post,
    /** Rejects with the worker's error, a DataCloneError, or an Error if the worker ended. */
    call: (request: Request, transfer?: ArrayBuffer[], follow?: (done: number) => void): Promise<Result> =>
      new Promise((resolve, reject) => {
        post(request, transfer);
        current = { resolve, reject, follow };
        holdProcess(worker, true);
      }),
  };
}
