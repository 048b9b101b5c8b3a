import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // registers gradients
import { beforeAll, expect, it } from 'vitest';
import { useWasmGradients } from '../../../research/vq/wasm-gradients.mjs';
import { useBackend } from '../../support/backends';
import { expectCloseRelative, expectNoLeaks, take } from '../../support/tensors';

beforeAll(async () => {
  await useBackend('wasm');
  useWasmGradients();
});

/** Size of the image, kernel, stride, padding. */
const cases = [[8, 4, 2, 'same'], [7, 3, 1, 'same'], [7, 1, 2, 'same'], [8, 3, 2, 'valid'], [9, 2, 3, 'valid']] as const; // biome-ignore format: one list

it.each(cases)('are those of the cpu backend: %i pixels, kernel %i, stride %i, %s', async (size, k, stride, pad) => {
  const gradients = async (backend: 'cpu' | 'wasm') => {
    await useBackend(backend);
    const [x, kernel] = tf.tidy(() => [
      tf.randomNormal([2, size, size + 1, 3], 0, 1, 'float32', 1) as tf.Tensor4D,
      tf.randomNormal([k, k, 3, 5], 0, 1, 'float32', 2) as tf.Tensor4D,
    ]) as [tf.Tensor4D, tf.Tensor4D];
    const all: number[][] = [];
    await expectNoLeaks(async () => {
      // Squared, so that the gradient of each place differs.
      const loss = (x: tf.Tensor4D, kernel: tf.Tensor4D) => tf.sum(tf.square(tf.conv2d(x, kernel, stride, pad))) as tf.Scalar;
      for (const gradient of tf.grads(loss as never)([x, kernel])) all.push(await take(gradient));
    });
    tf.dispose([x, kernel]);
    return all;
  };
  const [wanted, got] = [await gradients('cpu'), await gradients('wasm')];
  for (const [i, gradient] of got.entries()) expectCloseRelative(gradient, wanted[i] as number[], 1e-5);
});

it('also compute transposed convolutions', async () => {
  const double = async (backend: 'cpu' | 'wasm') => {
    await useBackend(backend);
    const image = tf.tidy(() => {
      const x = tf.randomNormal([2, 3, 4, 5], 0, 1, 'float32', 1) as tf.Tensor4D;
      const kernel = tf.randomNormal([4, 4, 3, 5], 0, 1, 'float32', 2) as tf.Tensor4D;
      return tf.conv2dTranspose(x, kernel, [2, 6, 8, 3], 2, 'same');
    });
    expect(image.shape).toEqual([2, 6, 8, 3]);
    return take(image);
  };
  expectCloseRelative(await double('wasm'), await double('cpu'), 1e-5);
});
