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

/** A dataset whose next batch can be asked for before tfjs asks for it. */
export function askingAhead(dataset: Dataset, read: (batch: unknown) => TrainingData) {
  let current: TrainingData | undefined;
  let ask: (() => Promise<IteratorResult<unknown>>) | undefined; // undefined after the last batch
  let upcoming: Promise<IteratorResult<unknown>> | undefined;
  return {
    dataset: {
      ...dataset,
      async iterator() {
        const batches = await dataset.iterator();
        return {
          async next() {
            const { value, done = false } = await (upcoming ?? batches.next());
            upcoming = undefined;
            ask = done ? undefined : async () => batches.next();
            if (value == null) return { value, done };
            current = read(value);
            return { value: { xs: current.inputs, ys: current.labels }, done };
          },
        };
      },
    },
    current: () => current as TrainingData,
    ask(): void {
      upcoming = ask?.();
      upcoming?.catch(() => undefined); // whoever awaits it gets the error
    },
    /** Releases what is left over if training ended early. */
    dispose(): void {
      tf.dispose([current?.inputs, current?.labels] as tf.TensorContainer);
      upcoming?.then(({ value }) => tf.dispose(value)).catch(() => undefined);
    },
  };
}
