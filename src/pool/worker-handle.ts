import type { PortableModel } from '../program/program';
import type { Method, Request, Work } from './messages';
import { workerCalls } from './worker-calls';
import type { PoolWorker } from './workers';

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

export type WorkerHandle = ReturnType<typeof workerHandle>;

/** One worker, which processes one call at a time. */
export function workerHandle(worker: PoolWorker) {
  const models = new Set<number>(); // the most recently used one is last
  const calls = workerCalls<Request, Work[Method]['result']>('pool', worker);

  /** Sends a model unless the worker has it; the least recently used model is dropped for it. */
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
    perform<M extends Method>(
      model: PortableModel,
      method: M,
      job: Work[M]['job'],
      follow?: (done: number) => void,
    ): Promise<Work[M]['result']> {
      const request = { kind: 'call', method, model: send(model), job, isFollowed: !!follow };
      return calls.call(request as Request, [], follow) as Promise<Work[M]['result']>;
    },
  };
}
