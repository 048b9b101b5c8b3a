import * as tf from '@tensorflow/tfjs-core';
import type { TrainingData } from '../models/training-data';

// Batches that a trainer's workers compute.

/** A dataset, as tfjs uses it. */
export interface Dataset {
  readonly size?: number;
  iterator(): Promise<{ next(): Promise<IteratorResult<unknown>> }>;
}

/** Inputs in the order of the model, then labels. */
export const tensorsOf = ({ images, conditions, levels }: TrainingData): tf.Tensor[] => [
  images,
  ...conditions,
  levels,
];

/** Consecutive images as a dataset of batches; with `isShuffled`, in another order at each pass. */
export function batchesOf(
  tensors: readonly tf.Tensor[],
  [from, end]: readonly [number, number],
  batchSize: number,
  isShuffled: boolean,
): Dataset {
  async function* pass() {
    const order = Int32Array.from({ length: end - from }, (_, i) => from + i);
    if (isShuffled) tf.util.shuffle(order as never); // its type leaves out typed arrays
    for (let at = 0; at < order.length; at += batchSize) {
      const images = order.subarray(at, at + batchSize);
      const batch = tf.tidy(() => tensors.map((tensor) => tf.gather(tensor, tf.tensor1d(images, 'int32'))));
      yield { xs: batch.slice(0, -1), ys: batch.at(-1) };
    }
  }
  return { size: Math.ceil((end - from) / batchSize), iterator: async () => pass() };
}

/** A dataset that asks for each batch while the one before is used, and tells which that is. */
export function askingAhead(dataset: Dataset, read: (batch: unknown) => TrainingData) {
  let current: TrainingData | undefined;
  let upcoming: Promise<IteratorResult<unknown>> | undefined; // none after the last batch
  async function* pass() {
    const batches = await dataset.iterator();
    const ask = async () => batches.next();
    for (let asked = ask(); ; asked = upcoming as typeof asked) {
      const { value, done = false } = await asked;
      upcoming = done ? undefined : ask();
      upcoming?.catch(() => undefined); // whoever awaits it gets the error
      if (value != null) {
        current = read(value);
        yield { xs: current.inputs, ys: current.labels };
      }
      if (done) return;
    }
  }
  return {
    dataset: { ...dataset, iterator: async () => pass() },
    current: () => current as TrainingData,
    /** Releases what is left over if training ended early. */
    dispose(): void {
      tf.dispose([current?.inputs, current?.labels] as tf.TensorContainer);
      upcoming?.then(({ value }) => tf.dispose(value)).catch(() => undefined);
    },
  };
}
