import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import { beforeAll, describe, expect, it } from 'vitest';
import { normalizedKernel } from '../../src/ops/normalized-kernel';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { expectClose, expectCloseRelative, noise, take } from '../support/tensors';

const gradients = tf.valueAndGrads((v, gain) => normalizedKernel(v as tf.Tensor4D, gain as tf.Tensor1D) as tf.Tensor);

onEachBackend('normalizedKernel', (backend) => {
  // By the places of NaN in v [2 inputs, 2 outputs], gain and dy: those in y, dv and dgain.
  const nan = Number.NaN;
  it.skipIf(isGpu(backend)).each([
    ['v', [nan, 1, 1, 1], [1, 1], [1, 1, 1, 1], [[0, 2], [0, 2], [0]]],
    ['gain', [1, 1, 1, 1], [1, nan], [1, 1, 1, 1], [[1, 3], [1, 3], []]],
    ['dy', [1, 1, 1, 1], [1, 1], [1, 1, nan, 1], [[], [0, 2], [0]]],
  ])('keeps NaN of %s within its output', async (_, v, gain, dy, expected) => {
    const { value, grads } = gradients([tf.tensor4d(v, [1, 1, 2, 2]), tf.tensor1d(gain)], tf.tensor4d(dy, [1, 1, 2, 2]));
    const all = await Promise.all([value, ...grads].map(take));
    expect(all.map((of) => [...of.keys()].filter((i) => Number.isNaN(of[i])))).toEqual(expected);
  });
});

describe.runIf(backends.includes('wasm'))('normalizedKernel by own kernels on wasm', () => {
  beforeAll(() => useBackend('wasm'));

  it('loses no digits over many weights', async () => {
    const [inputs, outputs] = [5_000, 5];
    const values = noise(inputs * outputs).map((value) => 1 + value / 8);
    const [v, gain] = [scoped(tf.tensor4d(values, [1, 1, inputs, outputs])), scoped(tf.ones<tf.Rank.R1>([outputs]))];
    const norms = Array.from({ length: outputs }, (_, o) =>
      Math.sqrt(values.reduce((sum, value, i) => (i % outputs === o ? sum + value ** 2 : sum), 0)),
    );
    const expected = Array.from(values, (value, i) => value / (norms[i % outputs] as number));
    expectClose(await take(normalizedKernel(v, gain)), expected, 2e-7 * Math.sqrt(1 / inputs));
    const ofGain = tf.grad((g) => tf.sum(tf.mul(v, normalizedKernel(v, g as tf.Tensor1D))) as tf.Tensor)(gain);
    expectCloseRelative(await take(ofGain), norms, 2e-7); // v v / ||v||
  });
});
