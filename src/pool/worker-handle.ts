import type { PortableModel } from '../program/program';
import type { Method, Reply, Request, Work } from './messages';
import { holdProcess, listen, type PoolWorker } from './workers';

/** The number of models that a worker keeps: the ones it used last. */
const KEPT_MODELS = 4;

/** A number for each model, by which workers identify it. */
const numbers = new WeakMap<PortableModel, number>();
let numModels = 0;

function numberOf(model: PortableModel): number {
  const number = numbers.get(model) ?? numModels++;
  numbers.set(model, number);
  return number;
}

/** The call that a worker is processing. */
interface Present {
  readonly id: number;
  resolve(result: Work[Method]['result']): void;
  reject(error: unknown): void;
  follow(done: number): void;
}

/** One worker, which processes one call at a time. */
export class WorkerHandle {
  /** Whether the worker has ended, or was told to. What it still sends is ignored. */
  isLost = false;
  private readonly models = new Set<number>(); // the most recently used one is last
  private present: Present | null = null;
  private numCalls = 0;

  constructor(private readonly worker: PoolWorker) {
    const onMessage = (reply: unknown) => this.onMessage(reply as Reply);
    listen(worker, onMessage, (cause) => this.onExit(cause));
    holdProcess(worker, false);
  }

  get isFree(): boolean {
    return this.present === null;
  }

  /**
   * Makes the worker process a call; `follow` is told how many values are done.
   *
   * @throws (rejects) with what the worker threw; DataCloneError if something cannot be sent; Error if the worker ended
   */
  perform<M extends Method>(
    model: PortableModel,
    method: M,
    job: Work[M]['job'],
    follow?: (done: number) => void,
  ): Promise<Work[M]['result']> {
    return new Promise((resolve, reject) => {
      const id = this.numCalls++;
      this.send(model);
      const call = { kind: 'call', id, method, model: numberOf(model), job, isFollowed: !!follow };
      this.post(call as Request);
      this.present = { id, resolve, reject, follow: follow ?? (() => {}) };
      holdProcess(this.worker, true);
    });
  }

  /** Makes the worker abandon its call, which rejects as soon as the worker reads the message. */
  abort(): void {
    if (this.present !== null) this.post({ kind: 'abort', id: this.present.id });
  }

  /** Ends the worker; its call rejects. Does not release the process, or a program that awaits this would end first. */
  async end(cause: unknown = new Error('pool: the worker was terminated')): Promise<void> {
    this.isLost = true;
    this.present?.reject(cause);
    this.present = null;
    await this.worker.terminate();
  }

  /** Sends a model unless the worker has it; the least recently used model is dropped for it. */
  private send(model: PortableModel): void {
    const number = numberOf(model);
    if (!this.models.delete(number)) this.post({ kind: 'keep', model: number, value: model });
    this.models.add(number);
    const [oldest] = this.models;
    if (oldest === undefined || this.models.size <= KEPT_MODELS) return;
    this.models.delete(oldest);
    this.post({ kind: 'drop', model: oldest });
  }

  private post(request: Request): void {
    this.worker.postMessage(request);
  }

  private onMessage(reply: Reply): void {
    const { present } = this; // null once the worker was told to end
    if (reply.id !== present?.id) return;
    if (reply.kind === 'progress') {
      present.follow(reply.done);
      return;
    }
    this.present = null;
    holdProcess(this.worker, false);
    if (reply.kind === 'result') present.resolve(reply.result);
    else present.reject(reply.error);
  }

  private onExit(cause: unknown): void {
    if (this.isLost) return;
    const why = cause instanceof Error ? cause.message : String(cause);
    void this.end(new Error(`pool: a worker ended before its work was done: ${why}`, { cause }));
  }
}
