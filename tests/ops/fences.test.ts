import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { gatedActivation, maskedConv2d, negativeLogLikelihood, pixelNormalization } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { causalConv2d } from '../../src/ops/causal-conv';
import { concatElu } from '../../src/ops/concat-elu';
import { gate } from '../../src/ops/gate';
import { normalizedKernel } from '../../src/ops/normalized-kernel';
import { backends, useBackend } from '../support/backends';
import { withFencedTensors } from '../support/fences';
import { noise, take } from '../support/tensors';

/** An operation's values and all gradients, which must be numbers, for inputs of some shapes. */
async function useOperation(op: (...inputs: tf.Tensor[]) => tf.Tensor, ...shapes: number[][]): Promise<void> {
  const inputs = shapes.map((shape, i) => tf.tensor(noise(tf.util.sizeFromShape(shape), i + 1), shape));
  const { value, grads } = tf.valueAndGrads(op)(inputs);
  for (const tensor of [value, ...grads]) expect((await take(tensor)).every(Number.isFinite)).toBe(true);
  tf.dispose(inputs);
}

/** The values and all gradients of a layer, which must be numbers. */
async function useLayer(layer: tfl.layers.Layer, shape: number[]): Promise<void> {
  const x = tf.tensor(noise(shape.reduce((a, b) => a * b, 1)), shape);
  const apply = (xs: tf.Tensor) => layer.apply(xs) as tf.Tensor;
  const values = [apply(x), tf.grad(apply)(x)];
  if (layer.trainableWeights.length > 0) {
    const { value, grads } = tf.variableGrads(() => tf.sum(apply(x)) as tf.Scalar);
    values.push(value, ...Object.values(grads));
  }
  for (const value of values) expect((await take(value)).every(Number.isFinite)).toBe(true);
  x.dispose();
  layer.dispose();
}

describe.runIf(backends.includes('wasm'))(
  'own kernels on wasm write nothing behind the memory that they take',
  () => {
    beforeAll(() => useBackend('wasm'));

    const conv = { height: 4, width: 5, featuresIn: 3, filters: 3, kernelSize: [3, 3] as [number, number] };
    it.each([
      conv,
      { ...conv, featuresIn: 9 }, // more memory for the features in
      { ...conv, filters: 17 }, // and for those out
      { ...conv, height: 1, width: 40, featuresIn: 9 }, // of rows longer than what is kept beside them
      { ...conv, height: 1, width: 40, filters: 17 },
      { ...conv, kernelSize: [1, 1] as [number, number], featuresIn: 4, filters: 8 },
      { ...conv, kernelSize: [1, 1] as [number, number], width: 2 },
      { ...conv, kernelSize: [7, 5] as [number, number], height: 1, width: 1 },
      { ...conv, kernelSize: [1, 5] as [number, number], height: 2 },
      { ...conv, kernelSize: [5, 1] as [number, number], width: 9 },
    ])('convolutions: %j', async ({ height, width, featuresIn, filters, kernelSize }) => {
      const sizes = await withFencedTensors(async () => {
        for (const activation of ['linear', 'relu'] as const) {
          for (const vertical of [false, true]) {
            const args = { filters, kernelSize, activation, vertical, imageChannels: 1 };
            await useLayer(maskedConv2d({ ...args, maskType: 'A' }), [2, height, width, featuresIn]);
          }
        }
      });
      expect(sizes.length).toBeGreaterThan(40);
    });

    it.each([
      [2, 3, 1, 3],
      [2, 3, 0, 1],
      [2, 2, 1, 2],
      [1, 3, 1, 3],
      [1, 5, 4, 5],
      [1, 5, 0, 1],
      [2, 1, 0, 1],
    ])(
      'convolutions by a kernel of %i rows and %i columns, %i to the left, %i present',
      async (rows, columns, left, present) => {
        const conv = (...[x, kernel, bias]: tf.Tensor[]) =>
          causalConv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, bias as tf.Tensor1D, 'relu', left, present);
        for (const [width, featuresIn, featuresOut] of [
          [5, 3, 9],
          [1, 9, 3],
          [40, 1, 17],
        ] as const) {
          const shapes = [[2, 2, width, featuresIn], [rows, columns, featuresIn, featuresOut], [featuresOut]];
          await withFencedTensors(() => useOperation(conv, ...shapes));
        }
      },
    );

    it.each([1, 2, 3, 4, 5])('gates of %i features', async (size) => {
      await withFencedTensors(() => useLayer(gatedActivation({ imageChannels: 3 }), [2, 3, 5, 6 * size]));
      const linear = (x: tf.Tensor) => gate(x as tf.Tensor4D, 3, null, 'linear');
      await withFencedTensors(() => useOperation(linear, [2, 3, 5, 6 * size]));
    });

    it.each([1, 2, 3, 4, 5])('elu both ways of %i features', async (size) => {
      await withFencedTensors(() => useOperation(concatElu, [2, 3, 5, size]));
    });

    it.each([1, 2, 3, 4, 5])('kernels of %i outputs by direction and length', async (outputs) => {
      const op = (v: tf.Tensor, gain: tf.Tensor) => normalizedKernel(v as tf.Tensor4D, gain as tf.Tensor1D);
      await withFencedTensors(() => useOperation(op, [2, 3, 3, outputs], [outputs]));
    });

    it.each([1, 2, 3, 4, 5])('normalizations of groups of %i features', async (size) => {
      for (const given of [{}, { center: false, scale: false }]) {
        await withFencedTensors(() => useLayer(pixelNormalization(given), [2, 3, 5, 3 * size]));
      }
    });

    it.each([2, 3, 4, 5, 6, 7, 8, 9])('the cross-entropy of %i levels', async (levels) => {
      await withFencedTensors(async () => {
        const labels = tf.tensor4d([0, 1, levels - 1, 1], [1, 2, 2, 1], 'int32');
        const logits = tf.tensor5d(noise(4 * levels), [1, 2, 2, 1, levels]);
        const loss = (x: tf.Tensor) => negativeLogLikelihood(labels, x);
        for (const value of [loss(logits), tf.grad(loss)(logits)]) {
          expect((await take(value)).every(Number.isFinite)).toBe(true);
        }
        tf.dispose([labels, logits]);
      });
    });
  },
);
