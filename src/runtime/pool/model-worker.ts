import type { PortableModel } from '../program/program';
import { WorkerHandle } from '../workers/worker-handle';
import type { Method, Work, WorkerRequest } from './messages';

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

/** A worker of a pool, which keeps models. */
export class ModelWorker extends WorkerHandle<WorkerRequest, Work[Method]['result']> {
  private readonly models = new Set<number>(); // the most recently used one is last

  /** Performs a call. Rejects as {@link call}. */
  perform<M extends Method>(
    model: PortableModel,
    method: M,
    job: Work[M]['job'],
    follow?: (done: number) => void,
  ): Promise<Work[M]['result']> {
    const request = { kind: 'call', method, model: this.send(model), job, isFollowed: !!follow };
    return this.call(request as WorkerRequest, [], follow) as Promise<Work[M]['result']>;
  }

  /** Makes the worker abandon its call, which rejects as soon as the worker reads the message. */
  abort(): void {
    this.post({ kind: 'abort' });
  }

  /** Sends a model unless the worker has it, and drops the least recently used one if there are too many. */
  private send(model: PortableModel): number {
    const number = numberOf(model);
    if (!this.models.delete(number)) this.post({ kind: 'keep', model: number, value: model });
    this.models.add(number);
    const [oldest] = this.models;
    if (this.models.size > KEPT_MODELS && oldest !== undefined) {
      this.models.delete(oldest);
      this.post({ kind: 'drop', model: oldest });
    }
    return number;
  }
}
