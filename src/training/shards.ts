import type { Tensor, TypedArray } from '@tensorflow/tfjs-core';
import type { LayersModel, LayerVariable } from '@tensorflow/tfjs-layers';
import { sizeFromShape } from '../runtime/core/check';
import { type Piece, pieceAt } from '../runtime/workers/scheduler';

// What passes between a trainer and its workers.

/** A tensor as plain data, which can be sent. */
export interface Packed {
  readonly data: TypedArray;
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32' | 'bool';
}

export const packed = async (tensor: Tensor): Promise<Packed> => ({
  data: await tensor.data(),
  shape: tensor.shape,
  dtype: tensor.dtype as Packed['dtype'],
});

/** Cuts a batch into shards of nearly equal sizes. */
export function cut(numImages: number, shards: number): Piece[] {
  const length = Math.min(shards, numImages);
  return Array.from({ length }, (_, k) => pieceAt(k, length, numImages));
}

/** The images of a shard, copied. */
export function sliced({ data, shape, dtype }: Packed, { first, count }: Piece): Packed {
  const [images = 1, ...rest] = shape;
  const size = data.length / images;
  return { data: data.slice(first * size, (first + count) * size), shape: [count, ...rest], dtype };
}

/** All weights of a model, in an order that does not depend on which are trained, as that of `model.weights` does. */
export const weightsOf = ({ layers }: Pick<LayersModel, 'layers'>): LayerVariable[] =>
  layers.flatMap((layer) => ('layers' in layer ? weightsOf(layer as LayersModel) : layer.weights));

/** Where each of some weights lies in one array of all their numbers. */
export function layoutOf(weights: readonly { readonly shape: readonly (number | null)[] }[]) {
  let size = 0;
  const ranges = weights.map(({ shape }) => {
    const from = size;
    size += sizeFromShape(shape);
    return [from, size] as const;
  });
  return { size, ranges };
}

/** The parts of an array of all numbers of some weights, in the same memory. */
export const partsOf = (numbers: Float32Array, weights: Parameters<typeof layoutOf>[0]): Float32Array[] =>
  layoutOf(weights).ranges.map((range) => numbers.subarray(...range));

/** A request to make a replica of the model: the first of all, and again after another `compile`. */
export interface Begin {
  kind: 'begin';
  /** The model without its weights. */
  topology: object;
  loss: string;
  metrics: string[];
  /** The indices of trained weights among those of `weightsOf`. */
  trainable: number[];
  /** The model's seed of noise that has none. */
  noiseSeed: number;
  wasmPaths: unknown;
}

/** A request to compute the loss of a shard, to train or to evaluate. */
export interface Work {
  kind: 'work';
  /** Its inputs, in the order of the model, then its labels. */
  tensors: Packed[];
  /** The number of its first image in the batch. */
  first: number;
  /** Its fraction of the batch's images. Gradients are multiplied by it, so their sum is that of the batch. */
  share: number;
  /** The number of the step, from 0. */
  step: number;
  /** All weights, one after the other, in memory that is shared, if possible; null if the worker has them. */
  weights: Float32Array | null;
  /** Where gradients are written, one after the other: memory that is shared, or transferred back. Null to evaluate. */
  gradients: Float32Array | null;
}

export type Request = Begin | Work;

export interface Outcome {
  /** The loss, then metrics: means over the shard's images. */
  readonly figures: number[];
  readonly gradients: Float32Array | null;
}

/** The memory of numbers that has to be transferred, since it is not shared. */
export const unshared = (numbers: Float32Array | null): ArrayBuffer[] =>
  numbers?.buffer instanceof ArrayBuffer ? [numbers.buffer] : [];

/**
 * Adds up arrays in pairs, then the sums of pairs, and so on. Which ones are pairs does not depend on which come first, so
 * the result always has the same bits. `release` takes arrays that are no longer needed.
 */
export function treeOfSums(count: number, release: (numbers: Float32Array) => void) {
  const waiting = new Map<string, Float32Array>(); // by the width of their level and index, for the other of their pair
  let result: Float32Array | null = null;
  return {
    add(first: number, numbers: Float32Array): void {
      let index = first;
      for (let width = count; width > 1; width = Math.ceil(width / 2)) {
        const isAlone = (index ^ 1) === width; // the last of an odd number is its own sum
        const other = waiting.get(`${width}/${index ^ 1}`);
        if (!isAlone && other === undefined) {
          waiting.set(`${width}/${index}`, numbers);
          return;
        }
        if (other !== undefined) {
          addTo(numbers, other); // a + b has the bits of b + a
          release(other);
        }
        index >>= 1;
      }
      result = numbers;
    },
    result: () => result,
  };
}

/** A function by itself, since JavaScript engines compile that sooner than a loop within a larger one. */
function addTo(sum: Float32Array, numbers: Float32Array): void {
  for (let i = 0; i < sum.length; i++) (sum[i] as number) += numbers[i] as number;
}
