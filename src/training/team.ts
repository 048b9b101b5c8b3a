import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import type { AutoregressiveModel } from '../models/autoregressive-model';
import { namesOf } from '../models/loss';
import { trainedWeights } from '../models/tfjs-workarounds';
import { throwTypeError } from '../runtime/core/check';
import { type Piece, schedulerOf } from '../runtime/workers/scheduler';
import { WorkerHandle } from '../runtime/workers/worker-handle';
import { type PoolWorker, startBy, startThread } from '../runtime/workers/workers';
import * as shards from './shards';

/** A worker, which has a replica of the model. */
class Member extends WorkerHandle<shards.Request, shards.Outcome> {
  /** The version of the weights that it has. */
  version = -1;
  /** What its replica was made for; '' before it has one. */
  replica = '';
}

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
  /**
   * Applies the gradients, once, and returns loss and metrics.
   *
   * @throws Error if the model has no longer the weights that they were computed with, or no longer trains them
   */
  step(): tf.Scalar[];
}

export type Team = Awaited<ReturnType<typeof teamOf>>;

/** Starts workers that each have a replica of a model, and compute the shards of batches. */
export async function teamOf(
  model: AutoregressiveModel,
  { workers, createWorker = startTrainWorker, wasmPaths, timeLimit = 60_000 }: TeamOptions,
) {
  const isShared = typeof SharedArrayBuffer === 'function';
  const memory = (length: number) =>
    new Float32Array(isShared ? new SharedArrayBuffer(4 * length) : new ArrayBuffer(4 * length));
  const weights = shards.weightsOf(model);
  const values = memory(shards.layoutOf(weights).size); // all weights
  const parts = shards.partsOf(values, weights);
  const published: object[] = []; // the dataId of each weight in `values`: it has another one once it is assigned
  let version = 0;
  let free: Float32Array[] = []; // memory for gradients, to be used again
  const next = inTurn(); // one batch at a time
  let numStarted = 0;
  const scheduler = schedulerOf('trainer', () =>
    numStarted++ < workers ? new Member('trainer', startBy('createTrainer', createWorker)) : undefined,
  );
  const dispose = () => scheduler.dispose('it has been disposed');

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
          parts[i]?.set(await held.data<'float32'>());
        } finally {
          held.dispose();
        }
        published[i] = now[i] as object;
      }),
    );
  }

  /** What a worker needs to compute the loss, metrics and gradients that the model was compiled for. */
  function replica(): Omit<shards.Begin, 'topology'> {
    const [loss, ...others] = namesOf(model.loss);
    const metrics = namesOf(model.metrics);
    if (loss === undefined || others.length > 0 || metrics.includes(undefined)) {
      const wanted = 'bitsPerDim or negativeLogLikelihood, since no other function can be sent to a worker';
      throwTypeError('trainer: loss and metrics of the model', wanted, [model.loss, model.metrics]);
    }
    const trainable = trainedWeights(model).map((weight) => weights.indexOf(weight));
    const { noiseSeed } = model;
    return { kind: 'begin', loss, metrics: metrics as string[], trainable, noiseSeed, wasmPaths };
  }

  async function begin(member: Member, wanted: ReturnType<typeof replica>): Promise<void> {
    const name = JSON.stringify([wanted.loss, wanted.metrics, wanted.trainable]);
    if (member.replica === name) return;
    const request: shards.Begin = { ...wanted, topology: model.toJSON(null, false) as object };
    const wantedWorker = 'a worker that runs pixelcnn-layers/train-worker';
    const got = `one that does not answer within ${timeLimit / 1000} seconds`;
    const mute = new Error(`createTrainer: createWorker: wanted ${wantedWorker}, got ${got}`);
    const timer = setTimeout(() => void member.end(mute), timeLimit);
    try {
      await member.call(request, [], () => clearTimeout(timer));
    } finally {
      clearTimeout(timer);
    }
    member.replica = name;
    member.version = -1;
  }

  async function compute(
    tensors: readonly tf.Tensor[],
    numShards: number,
    isTraining: boolean,
  ): Promise<Computed> {
    // Before anything is waited for, since all of this may change meanwhile.
    const [wanted, trained, used] = [replica(), trainedWeights(model), dataIds()];
    const step = isTraining ? model.optimizer.iterations : 0;
    const [batch] = await Promise.all([Promise.all(tensors.map(shards.packed)), publish(used)]);
    const [numImages = 0] = tensors[0]?.shape ?? [];
    const cuts = shards.cut(numImages, numShards);
    const figures: (readonly number[])[] = [];
    const { size: length } = shards.layoutOf(trained);
    free = free.filter((numbers) => numbers.length === length);
    const sum = shards.treeOfSums(cuts.length, (numbers) => free.push(numbers));
    async function perform(member: Member, k: number): Promise<void> {
      await begin(member, wanted);
      const shard = cuts[k] as Piece;
      const share = shard.count / numImages;
      // If the worker is lost, this memory is too: it may still be writing.
      const gradients = isTraining ? (free.pop() ?? memory(length)) : null;
      const update = member.version === version ? null : isShared ? values : values.slice();
      const tensors = batch.map((tensor) => shards.sliced(tensor, shard));
      const outcome = await member.call(
        { kind: 'work', tensors, first: shard.first, share, step, weights: update, gradients },
        [...shards.unshared(update), ...shards.unshared(gradients)],
      );
      member.version = version;
      figures[k] = outcome.figures.map((figure) => figure * share);
      if (gradients !== null) sum.add(k, isShared ? gradients : (outcome.gradients as Float32Array));
    }
    await scheduler.run({ numPieces: cuts.length, perform, outlivesWorkers: true });
    const [first = []] = figures;
    const means = first.map((_, i) => figures.reduce((total, ofShard) => total + (ofShard[i] as number), 0));
    return {
      figures: means,
      step() {
        if (trainedWeights(model) !== trained || dataIds().some((id, i) => id !== used[i])) {
          const cause = 'weights of the model were assigned while their gradients were computed';
          throw new Error(`trainer: ${cause}, or it was compiled again`);
        }
        const gradients = sum.result() as Float32Array;
        free.push(gradients);
        return applied(model.optimizer, trained, means, gradients);
      },
    };
  }

  try {
    const wanted = replica();
    const abandon = () => {}; // all workers are ended below
    await scheduler.run({ numPieces: workers, perform: (member) => begin(member, wanted), abandon });
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    dispose,
    /**
     * Computes loss and metrics of a batch, its inputs and then its labels, and with `isTraining` the gradients.
     *
     * @throws (rejects) what a worker threw; an Error if no worker is left
     */
    compute: (...args: Parameters<typeof compute>) => next(() => compute(...args)),
  };
}

/** Takes a step of an optimizer, on a loss whose gradients are those that workers have computed. */
function applied(
  optimizer: tf.Optimizer,
  weights: readonly LayerVariable[],
  figures: readonly number[],
  gradients: Float32Array,
): tf.Scalar[] {
  const variables = weights.map((weight) => weight.read() as tf.Variable);
  const parts = shards.partsOf(gradients, weights);
  const [loss, ...metrics] = figures.map((figure) => tf.scalar(figure)) as [tf.Scalar, ...tf.Scalar[]];
  const known = tf.customGrad(() => ({
    value: loss.clone(),
    gradFunc: () => parts.map((part, i) => tf.tensor(part.slice(), variables[i]?.shape)),
  }));
  const total = optimizer.minimize(() => known(...variables) as tf.Scalar, true, variables);
  loss.dispose();
  return [total as tf.Scalar, ...metrics];
}

/** Has functions run one after the other, each once those before it have settled. */
export function inTurn() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(act: () => Promise<T>): Promise<T> => {
    const result = last.then(act);
    last = result.catch(() => undefined);
    return result;
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
