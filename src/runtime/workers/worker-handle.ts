import type { Reply } from './port';
import { holdProcess, listen, type PoolWorker } from './workers';

/** The call that a worker is processing. */
interface Current<Result> {
  resolve(result: Result): void;
  reject(error: unknown): void;
  follow: ((done: number) => void) | undefined;
}

/** A worker, which has one call at a time. It keeps the process alive only during calls. Errors begin with `caller`. */
export class WorkerHandle<Request, Result> {
  /** Whether the worker has ended, or is being ended. Its further messages are ignored. */
  isLost = false;
  private current: Current<Result> | null = null;

  constructor(
    private readonly caller: string,
    private readonly worker: PoolWorker,
  ) {
    const onMessage = (message: unknown) => this.onReply(message as Reply<Result>);
    listen(worker, onMessage, (cause) => this.onExit(cause));
    holdProcess(worker, false);
  }

  post(request: Request, transfer: ArrayBuffer[] = []): void {
    this.worker.postMessage(request, transfer);
  }

  /** Rejects with the worker's error, a DataCloneError, or an Error if the worker ended. */
  call(request: Request, transfer?: ArrayBuffer[], follow?: (done: number) => void): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.post(request, transfer);
      this.current = { resolve, reject, follow };
      holdProcess(this.worker, true);
    });
  }

  /** Ends the worker, and rejects its call. Keeps the process alive meanwhile, since programs may await this. */
  async end(cause: unknown): Promise<void> {
    this.isLost = true;
    this.current?.reject(cause);
    this.current = null;
    await this.worker.terminate();
  }

  private onReply(reply: Reply<Result>): void {
    if (this.current === null) return; // it is being ended
    const { resolve, reject, follow } = this.current;
    if (reply?.kind === 'result') resolve(reply.result);
    else if (reply?.kind === 'error') reject(reply.error);
    else {
      if (reply?.kind === 'progress') follow?.(reply.done);
      else this.onExit(new Error('it sent a message of its own'));
      return;
    }
    this.current = null;
    holdProcess(this.worker, false);
  }

  private onExit(cause: unknown): void {
    if (this.isLost) return;
    const why = cause instanceof Error ? cause.message : String(cause);
    void this.end(new Error(`${this.caller}: a worker ended before its work was done: ${why}`, { cause }));
  }
}
