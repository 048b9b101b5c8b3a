import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import { beforeAll, describe, expect, it } from 'vitest';
import { crossEntropy } from '../../src/ops/cross-entropy';
import { backends, onEachBackend, useBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { expectClose, take } from '../support/tensors';

onEachBackend('crossEntropy', () => {
  it('stays exact for labels whose probability underflows', async () => {
    // the label is 500 nats below the other level: e^-500 is 0 in float32
    const value = crossEntropy(tf.tensor1d([0, 1], 'int32'), tf.tensor2d([[-300, 200], [-300, 200]])); // biome-ignore format: rows
    const [low, high] = await take(value);
    expect(low).toBe(500);
    expect(high).toBe(0);
  });

  it('is constant in its labels, which may come from the input by operations without a gradient', async () => {
    const x = scoped(tf.tensor2d([[0, 2], [3, 1]])); // biome-ignore format: rows
    const likeliest = (z: tf.Tensor) => tf.argMax(z, 1) as tf.Tensor1D; // 1 and 0
    const gradient = tf.grad((z) => crossEntropy(likeliest(z), z as tf.Tensor2D))(x);
    const p = 1 / (1 + Math.exp(-2));
    expectClose(await take(gradient), [1 - p, p - 1, p - 1, 1 - p], 1e-6);
  });
});

describe.runIf(backends.includes('wasm'))('the cross-entropy by own kernels on wasm', () => {
  beforeAll(() => useBackend('wasm'));

  it('counts a label that is no level as a logit of 0, the number of levels too', async () => {
    const labels = scoped(tf.tensor1d([0, 9, -1, 2], 'int32'));
    const logits = scoped(tf.zeros<tf.Rank.R2>([4, 2]));
    for (const value of await take(crossEntropy(labels, logits))) expect(value).toBeCloseTo(Math.log(2), 6);
    const two = scoped(tf.tensor1d([2, 0], 'int32'));
    const none = scoped(tf.tensor2d([0, 0, 5, 5], [2, 2])); // behind the first row is a 5
    const level = tf.grad((x) => crossEntropy(two, x as tf.Tensor2D));
    expect((await take(crossEntropy(two, none)))[0]).toBeCloseTo(Math.log(2), 6);
    expectClose(await take(level(none)), [0.5, 0.5, -0.5, 0.5], 1e-6);
  });
});
