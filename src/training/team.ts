import type * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import type { AutoregressiveModel } from '../models/autoregressive-model';
import { namesOf } from '../models/loss';
import { throwTypeError } from '../runtime/core/check';
import { workerCalls } from '../runtime/pool/worker-calls';
import { type PoolWorker, startThread } from '../runtime/pool/workers';
import {
  type Begin,
  cut,
  layoutOf,
  type Outcome,
  type Packed,
  type Request,
  type Shard,
  sliced,
  trainedWeights,
  treeOfSums,
  unshared,
  type Work,
  weightsOf,
} from './shards';

export interface TeamOptions {
  /** The number of workers. */
  workers: number;
  createWorker?: (() => PoolWorker) | undefined;
  wasmPaths?: unknown;
  /** Milliseconds within which a worker must answer for the first time: its module may come over a slow network. */
  timeLimit?: number;
}

/** What workers have computed of a batch. */
export interface Computed {
  /** The loss, then metrics: means over all images. */
  readonly figures: readonly number[];
  /** Those of all trained weights, one after the other. Pass them to `release` after use. */
  readonly gradients: Float32Array | null;
  /** Whether the model still has the weights, and trains those, that the batch was computed with. */
  isCurrent(): boolean;
}

/** Starts workers that each have a replica of a model, and compute the shards of batches. */
export async function teamOf(
  model: AutoregressiveModel,
  { workers, createWorker = startTrainWorker, wasmPaths, timeLimit = 60_000 }: TeamOptions,
) {
  const isShared = typeof SharedArrayBuffer === 'function';
  const memory = (length: number) =>
    new Float32Array(isShared ? new SharedArrayBuffer(4 * length) : new ArrayBuffer(4 * length));
  const weights = weightsOf(model);
  const { size, ranges } = layoutOf(weights);
  const values = memory(size); // all weights
  const published: object[] = []; // the dataId of each weight in `values`: it has another one once it is assigned
  let version = 0;
  let free: Float32Array[] = []; // memory for gradients, to be used again
  let last: Promise<unknown> = Promise.resolve(); // settles when the last batch has been computed
  let isDisposed = false;

  type Member = ReturnType<typeof start>;
  const members: Member[] = [];

  function start() {
    const worker = createWorker();
    if (typeof worker?.postMessage !== 'function' || typeof worker.terminate !== 'function')
      throwTypeError('createTrainer: createWorker', 'a function that returns a worker', worker);
    return { ...workerCalls<Request, Outcome>('trainer', worker), version: -1, replica: '' };
  }

  const disposed = () => new Error('trainer: it has been disposed');
  const dispose = async (): Promise<void> => {
    isDisposed = true;
    await Promise.all(members.map((member) => member.end(disposed())));
  };

  const mute = () => {
    const wanted = 'a worker that runs pixelcnn-layers/train-worker';
    const got = `one that does not answer within ${timeLimit / 1000} seconds`;
    return new Error(`createTrainer: createWorker: wanted ${wanted}, got ${got}`);
  };

  const dataIds = (): object[] => weights.map((weight) => weight.read().dataId);

  /** Copies to `values` the weights that the model has now, of these dataIds. Others may be assigned meanwhile. */
  async function publish(now: readonly object[]): Promise<void> {
    const changed = [...now.keys()].filter((i) => now[i] !== published[i]);
    if (changed.length === 0) return;
    version++;
    await Promise.all(
      changed.map(async (i) => {
        const held = (weights[i] as LayerVariable).read().clone();
        try {
          values.set(await held.data<'float32'>(), ranges[i]?.[0]);
        } finally {
          held.dispose();
        }
        published[i] = now[i] as object;
      }),
    );
  }

  /** What a worker needs to compute the loss, metrics and gradients that the model was compiled for. */
  function replica(): Omit<Begin, 'topology'> {
    const [loss, ...others] = namesOf(model.loss);
    const metrics = namesOf(model.metrics);
    if (loss === undefined || others.length > 0 || metrics.includes(undefined)) {
      const wanted = 'bitsPerDim or negativeLogLikelihood, since no other function can be sent to a worker';
      throwTypeError('trainer: loss and metrics of the model', wanted, [model.loss, model.metrics]);
    }
    const trainable = trainedWeights(model).map((weight) => weights.indexOf(weight));
    return {
      kind: 'begin',
      loss,
      metrics: metrics as string[],
      trainable,
      noiseSeed: model.noiseSeed,
      wasmPaths,
      weights: isShared ? values : null,
    };
  }

  async function begin(member: Member, wanted: ReturnType<typeof replica>): Promise<void> {
    const name = JSON.stringify([wanted.loss, wanted.metrics, wanted.trainable]);
    if (member.replica === name) return;
    const request: Begin = { ...wanted, topology: model.toJSON(null, false) as object };
    const timer = setTimeout(() => void member.end(mute()), timeLimit);
    try {
      await member.call(request, [], () => clearTimeout(timer));
    } finally {
      clearTimeout(timer);
    }
    member.replica = name;
    member.version = -1;
  }

  /**
   * Gives a task to all workers, and again to those that are left if some end, until there is no more to do. Rejects once
   * none is at work: if none is left, or with what a task threw.
   */
  async function byAll(isDone: () => boolean, task: (member: Member) => Promise<void>): Promise<void> {
    let cause: unknown = new Error('they ended while they had no work');
    while (!isDone()) {
      const left = members.filter(({ isLost }) => !isLost());
      if (isDisposed) throw disposed();
      if (left.length === 0)
        throw new Error(`trainer: no worker is left: ${(cause as Error).message}`, { cause });
      const outcomes = await Promise.allSettled(left.map(task));
      for (const [i, outcome] of outcomes.entries()) {
        if (outcome.status === 'fulfilled') continue;
        cause = outcome.reason;
        if (!left[i]?.isLost()) throw cause;
      }
    }
  }

  async function compute(
    tensors: readonly tf.Tensor[],
    shards: number,
    isTraining: boolean,
  ): Promise<Computed> {
    // Before anything is waited for, since all of this may change meanwhile.
    const [wanted, trained, used] = [replica(), trainedWeights(model), dataIds()];
    const step = isTraining ? model.optimizer.iterations : 0;
    const [batch] = await Promise.all([Promise.all(tensors.map(packed)), publish(used)]);
    const [numImages = 0] = tensors[0]?.shape ?? [];
    const parts = cut(numImages, shards);
    const waiting = [...parts.keys()];
    const figures: (readonly number[])[] = [];
    let numDone = 0;
    const { size: length } = layoutOf(trained);
    free = free.filter((numbers) => numbers.length === length);
    const sum = treeOfSums(parts.length, (numbers) => free.push(numbers));
    await byAll(
      () => numDone === parts.length,
      async (member) => {
        await begin(member, wanted);
        for (let k = waiting.shift(); k !== undefined; k = waiting.shift()) {
          const shard = parts[k] as Shard;
          const share = shard.count / numImages;
          const gradients = isTraining ? (free.pop() ?? memory(length)) : null;
          const isBehind = !isShared && member.version !== version;
          const update = isBehind ? values.slice() : null;
          const work: Work = {
            kind: 'work',
            tensors: batch.map((tensor) => sliced(tensor, shard)),
            first: shard.first,
            share,
            step,
            version,
            weights: update,
            gradients,
          };
          try {
            const outcome = await member.call(work, [...unshared(update), ...unshared(gradients)]);
            member.version = version;
            figures[k] = outcome.figures.map((figure) => figure * share);
            if (gradients !== null) sum.add(k, isShared ? gradients : (outcome.gradients as Float32Array));
            numDone++;
          } catch (error) {
            if (member.isLost())
              waiting.unshift(k); // with other memory for gradients, since the worker may still be writing
            else waiting.length = 0; // the others begin no more parts
            throw error;
          }
        }
      },
    );
    const [first = []] = figures;
    return {
      figures: first.map((_, i) => figures.reduce((total, ofShard) => total + (ofShard[i] as number), 0)),
      gradients: sum.result(),
      isCurrent: () => trainedWeights(model) === trained && dataIds().every((id, i) => id === used[i]),
    };
  }

  try {
    for (let k = 0; k < workers; k++) members.push(start());
    const wanted = replica();
    await Promise.all(members.map((member) => begin(member, wanted)));
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    dispose,
    /**
     * Computes loss and metrics of a batch, its inputs and then its labels, and to train the gradients.
     *
     * @throws (rejects) what a worker threw; an Error if no worker is left
     */
    compute(...args: Parameters<typeof compute>): Promise<Computed> {
      const work = last.then(() => compute(...args));
      last = work.catch(() => undefined);
      return work;
    },
    release(gradients: Float32Array): void {
      free.push(gradients);
    },
  };
}

/** Starts a worker of a trainer. */
function startTrainWorker(): PoolWorker {
  // Written this way, bundlers recognize that a page also needs the worker's file.
  return (
    startThread('../../train-thread.js') ??
    new Worker(new URL('../train-worker.js', import.meta.url), { type: 'module' })
  );
}

const packed = async (tensor: tf.Tensor): Promise<Packed> => ({
  data: await tensor.data(),
  shape: tensor.shape,
  dtype: tensor.dtype as Packed['dtype'],
});
