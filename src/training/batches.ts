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
  return {
    size: Math.ceil((end - from) / batchSize),
    async iterator() {
      const order = Int32Array.from({ length: end - from }, (_, i) => from + i);
      if (isShuffled) tf.util.shuffle(order as never); // its type leaves out typed arrays
      let at = 0;
      return {
        async next() {
          const images = order.subarray(at, at + batchSize);
          at += batchSize;
          const batch = tf.tidy(() =>
            tensors.map((tensor) => tf.gather(tensor, tf.tensor1d(images, 'int32'))),
          );
          return { value: { xs: batch.slice(0, -1), ys: batch.at(-1) }, done: at >= order.length };
        },
      };
    },
  };
}

/** A dataset that asks for each batch while the one before is used, and tells which that is. */
export function askingAhead(dataset: Dataset, read: (batch: unknown) => TrainingData) {
  let current: TrainingData | undefined;
  let upcoming: Promise<IteratorResult<unknown>> | undefined; // none after the last batch
  return {
    dataset: {
      ...dataset,
      async iterator() {
        const batches = await dataset.iterator();
        const ask = async () => batches.next();
        return {
          async next() {
            const { value, done = false } = await (upcoming ?? ask());
            upcoming = done ? undefined : ask();
            upcoming?.catch(() => undefined); // whoever awaits it gets the error
            if (value == null) return { value, done };
            current = read(value);
            return { value: { xs: current.inputs, ys: current.labels }, done };
          },
        };
      },
    },
    current: () => current as TrainingData,
    /** Releases what is left over if training ended early. */
    dispose(): void {
      tf.dispose([current?.inputs, current?.labels] as tf.TensorContainer);
      upcoming?.then(({ value }) => tf.dispose(value)).catch(() => undefined);
    },
  };
}
