import { type PortableModel, packedOf } from '../program/program';
import { WorkerHandle } from '../workers/worker-handle';
import type { Method, Work, WorkerRequest } from './messages';

/** The most bytes that a worker keeps, of the most recently used models; that of the current call may be larger. */
const KEPT_BYTES = 2 ** 28;

/** What a model counts besides its weights, for the features that a worker keeps for its next job: up to 64 MiB, see `evaluatorFor`. */
const JOB_BYTES = 2 ** 24;

/** The bytes that a model counts. */
function bytesOf({ weights }: PortableModel): number {
  let bytes = JOB_BYTES;
  for (const weight of weights.values()) bytes += (packedOf(weight)?.packed ?? weight.data).byteLength;
  return bytes;
}

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
  /** The bytes of those that it keeps; the most recently used one is last. */
  private readonly models = new Map<number, number>();
  /** Drops models that the program no longer holds. */
  private readonly lost = new FinalizationRegistry((number: number) => this.drop(number));

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

  /** Sends a model unless the worker has it, and drops the least recently used ones if there are too many. */
  private send(model: PortableModel): number {
    const number = numberOf(model);
    const bytes = this.models.get(number) ?? bytesOf(model);
    if (!this.models.delete(number)) {
      this.post({ kind: 'keep', model: number, value: model });
      this.lost.register(model, number);
    }
    let all = bytes;
    for (const [other, ofOther] of [...this.models].reverse()) {
      if (all + ofOther > KEPT_BYTES) this.drop(other);
      else all += ofOther;
    }
    this.models.set(number, bytes);
    return number;
  }

  private drop(model: number): void {
    if (this.models.delete(model) && !this.isLost) this.post({ kind: 'drop', model });
  }
}
