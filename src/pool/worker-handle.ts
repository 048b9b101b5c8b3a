import type { PortableModel } from '../program/program';
import type { Method, Work, WorkerReply, WorkerRequest } from './messages';
import { holdProcess, listen, type PoolWorker } from './workers';

/** The number of models that a worker keeps, the most recently used ones. */
const KEPT_MODELS = 4;

/** The numbers by which workers identify models. */
const numbers = new WeakMap<PortableModel, number>();
let numModels = 0;

function numberOf(model: PortableModel): number {
  const number = numbers.get(model) ?? numModels++;
  numbers.set(model, number);
  return number;
}

/** The call that a worker is processing. */
interface CurrentCall {
  resolve(result: Work[Method]['result']): void;
  reject(error: unknown): void;
  follow?(done: number): void;
}

export type WorkerHandle = ReturnType<typeof workerHandle>;

/** One worker, which processes one call at a time. */
export function workerHandle(worker: PoolWorker) {
  const models = new Set<number>(); // the most recently used one is last
  let current: CurrentCall | null = null;
  let isLost = false;

  const post = (request: WorkerRequest) => worker.postMessage(request);

  /** Sends a model unless the worker has it, and drops the least recently used one if there are too many. */
  const send = (model: PortableModel): number => {
    const number = numberOf(model);
    if (!models.delete(number)) post({ kind: 'keep', model: number, value: model });
    models.add(number);
    const [oldest] = models;
    if (models.size > KEPT_MODELS && oldest !== undefined) {
      models.delete(oldest);
      post({ kind: 'drop', model: oldest });
    }
    return number;
  };

  /** Ends the worker, and rejects its call. Keeps the process alive meanwhile, since programs may await this. */
  const end = async (cause: unknown = new Error('pool: the worker was terminated')): Promise<void> => {
    isLost = true;
    current?.reject(cause);
    current = null;
    await worker.terminate();
  };

  const onMessage = (message: unknown) => {
    const reply = message as WorkerReply;
    if (current === null) return; // it is being ended
    const { resolve, reject, follow } = current;
    if (reply.kind === 'progress') return follow?.(reply.done);
    current = null;
    holdProcess(worker, false);
    if (reply.kind === 'result') resolve(reply.result);
    else reject(reply.error);
  };
  const onExit = (cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    if (!isLost) void end(new Error(`pool: a worker ended before its work was done: ${why}`, { cause }));
  };
  listen(worker, onMessage, onExit);
  holdProcess(worker, false);

  return {
    /** Whether the worker has ended, or is being ended. Its further messages are ignored. */
    isLost: () => isLost,
    isFree: () => current === null,
    end,
    /** Makes the worker abandon its call, which rejects as soon as the worker reads the message. */
    abort(): void {
      if (current !== null) post({ kind: 'abort' });
    },
    /** Performs a call. Rejects with the worker's error, a DataCloneError, or an Error if the worker ended. */
    perform<M extends Method>(
      model: PortableModel,
      method: M,
      job: Work[M]['job'],
      follow?: (done: number) => void,
    ): Promise<Work[M]['result']> {
      return new Promise((resolve, reject) => {
        const call = { kind: 'call', method, model: send(model), job, isFollowed: !!follow };
        post(call as WorkerRequest);
        current = { resolve, reject, ...(follow && { follow }) };
        holdProcess(worker, true);
      });
    },
  };
}
