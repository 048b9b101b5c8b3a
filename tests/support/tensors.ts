import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { NamedTensor } from 'pixelcnn-layers/weights';
import { expect } from 'vitest';

/** An array as the golden files hold it. */
export interface GoldenArray {
  shape: number[];
  data: number[];
}

export function golden<T extends tf.Tensor = tf.Tensor>({ shape, data }: GoldenArray, dtype?: 'int32'): T {
  return tf.tensor(data, shape, dtype) as T;
}

export function golden4d(array: GoldenArray, dtype?: 'int32'): tf.Tensor4D {
  return golden<tf.Tensor4D>(array, dtype);
}

/** A tensor as files of weights hold it. */
export const f32 = (shape: readonly number[], numbers: ArrayLike<number>): NamedTensor => ({
  dtype: 'F32',
  shape,
  data: Float32Array.from(numbers),
});

/** All places of a shape, row-major. */
export const placesOf = (shape: readonly number[]): number[][] =>
  shape.reduce<number[][]>((places, size) => places.flatMap((place) => Array.from({ length: size }, (_, i) => [...place, i])), [[]]);

/** The numbers of tensors, one after the other. */
export const numbersOf = async (tensors: readonly tf.Tensor[]): Promise<number[]> =>
  (await Promise.all(tensors.map((tensor) => tensor.data()))).flatMap((values) => Array.from(values));

/** The numbers of all weights of a model. */
export const weightsOf = (model: tfl.LayersModel) => numbersOf(model.getWeights());

/** The values of a tensor, which is disposed. */
export async function take(tensor: tf.Tensor): Promise<number[]> {
  const values = await tensor.data();
  tensor.dispose();
  return Array.from(values);
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, a[i] === b[i] ? 0 : Math.abs((a[i] as number) - (b[i] as number))); // stays NaN
  return largest;
}

/** The gradients of a scalar function with regard to a layer's weights, in their order. */
export function weightGradients(layer: tfl.layers.Layer, f: () => tf.Scalar): tf.Tensor[] {
  const { value, grads } = tf.variableGrads(f);
  value.dispose();
  return layer.trainableWeights.map((weight) => grads[(weight.read() as tf.Variable).name] as tf.Tensor);
}

/** Every value within an absolute tolerance. */
export function expectClose(a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number): void {
  expect(largestDifference(a, b)).toBeLessThanOrEqual(tolerance);
}

/** Every value within a tolerance relative to the largest of them: the measure for gradients. */
export function expectCloseRelative(a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number): void {
  const scale = Math.max(...Array.from(b, Math.abs));
  expect(largestDifference(a, b)).toBeLessThanOrEqual(tolerance * scale);
}

/** Runs `work`, which must leave no tensor behind but those it returns; those are disposed. */
export async function expectNoLeaks(work: () => unknown): Promise<void> {
  const before = tf.memory().numTensors;
  const result = await work();
  tf.dispose(result as tf.TensorContainer);
  expect(tf.memory().numTensors).toBe(before);
}

/** Expects that `work` rejects with this message, and leaves no tensor behind. */
export const expectCleanRefusal = (work: () => Promise<unknown>, message: string) =>
  expectNoLeaks(async () => {
    await expect(work()).rejects.toThrow(message);
  });

/** Gives a model weights in [-scale, scale), the same wherever it is made. */
export function setNoise(model: tfl.LayersModel, seed = 1, scale = 1): void {
  const weights = model.getWeights().map(({ shape, size }, i) =>
    tf.tensor(
      noise(size, seed + i).map((x) => scale * x),
      shape,
    ),
  );
  model.setWeights(weights);
  tf.dispose(weights);
}

/** Deterministic values in [-1, 1) for tests. */
export function noise(length: number, seed = 1): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
