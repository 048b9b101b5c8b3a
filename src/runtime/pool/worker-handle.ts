import type { PortableModel } from '../program/program';
import type { Method, Work, WorkerRequest } from './messages';
import { workerCalls } from './worker-calls';
import type { PoolWorker } from './workers';

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

export type WorkerHandle = ReturnType<typeof workerHandle>;

/** One worker, which processes one call at a time. */
export function workerHandle(worker: PoolWorker) {
  const models = new Set<number>(); // the most recently used one is last
  const calls = workerCalls<WorkerRequest, Work[Method]['result']>('pool', worker);

  /** Sends a model unless the worker has it, and drops the least recently used one if there are too many. */
  const send = (model: PortableModel): number => {
    const number = numberOf(model);
    if (!models.delete(number)) calls.post({ kind: 'keep', model: number, value: model });
    models.add(number);
    const [oldest] = models;
    if (models.size > KEPT_MODELS && oldest !== undefined) {
      models.delete(oldest);
      calls.post({ kind: 'drop', model: oldest });
    }
    return number;
  };

  const { isLost, isFree, end } = calls;
  return {
    isLost,
    isFree,
    end,
    /** Makes the worker abandon its call, which rejects as soon as the worker reads the message. */
    abort(): void {
      if (!isFree()) calls.post({ kind: 'abort' });
    },
    /** Performs a call. Rejects with the worker's error, a DataCloneError, or an Error if the worker ended. */
    perform<M extends Method>(
      model: PortableModel,
      method: M,
      job: Work[M]['job'],
      follow?: (done: number) => void,
    ): Promise<Work[M]['result']> {
      const request = { kind: 'call', method, model: send(model), job, isFollowed: !!follow };
      return calls.call(request as WorkerRequest, [], follow) as Promise<Work[M]['result']>;
    },
  };
}
