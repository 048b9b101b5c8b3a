import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import { expect, it } from 'vitest';
import { crossEntropy } from '../../src/ops/cross-entropy';
import { onEachBackend } from '../support/backends';
import { expectClose, expectNoLeaks, noise, take } from '../support/tensors';

/** -log softmax and its gradient for sum(value * g), in float64. */
function slow(labels: number[], logits: number[][], g: number[]) {
  const value = logits.map((row, m) => {
    const max = Math.max(...row);
    const sum = row.reduce((total, x) => total + Math.exp(x - max), 0);
    return max + Math.log(sum) - (row[labels[m] as number] as number);
  });
  const gradient = logits.map((row, m) => {
    const max = Math.max(...row);
    const sum = row.reduce((total, x) => total + Math.exp(x - max), 0);
    return row.map((x, l) => (g[m] as number) * (Math.exp(x - max) / sum - (l === labels[m] ? 1 : 0)));
  });
  return { value, gradient: gradient.flat() };
}

onEachBackend('crossEntropy', () => {
  const [m, l] = [40, 17];
  const labels = Array.from({ length: m }, (_, i) => (i * 7) % l);
  const flat = Array.from(noise(m * l), (x) => 8 * x);
  const logits = Array.from({ length: m }, (_, i) => flat.slice(i * l, (i + 1) * l));
  const g = Array.from(noise(m, 5));

  it('equals a slow implementation in value and gradient', async () => {
    const expected = slow(labels, logits, g);
    const y = tf.tensor1d(labels, 'int32');
    const x = tf.tensor2d(logits);
    const dy = tf.tensor1d(g);
    const { value, grad } = tf.valueAndGrad((z: tf.Tensor) => crossEntropy(y, z as tf.Tensor2D))(x, dy);
    tf.dispose([y, x, dy]);
    expectClose(await take(value), expected.value, 1e-5);
    expectClose(await take(grad), expected.gradient, 1e-6);
  });

  it('stays exact for labels whose probability underflows', async () => {
    // the label is 500 nats below the other level: e^-500 is 0 in float32
    const value = crossEntropy(tf.tensor1d([0, 1], 'int32'), tf.tensor2d([[-300, 200], [-300, 200]])); // biome-ignore format: rows
    const [low, high] = await take(value);
    expect(low).toBe(500);
    expect(high).toBe(0);
  });

  it('has second derivatives', async () => {
    // of p = softmax(x): d/dx sum_i v_i (p_i - target_i) = p_j (v_j - sum_i v_i p_i), times dy
    const [x, v, dy] = [[0.5, -1, 2], [1, 3, -2], 0.7] as const;
    const weights = x.map(Math.exp);
    const p = weights.map((weight) => weight / weights.reduce((a, b) => a + b));
    const mean = p.reduce((sum, pi, i) => sum + pi * (v[i] as number), 0);
    const expected = p.map((pj, j) => dy * pj * ((v[j] as number) - mean));

    const loss = (z: tf.Tensor) => tf.mul(dy, crossEntropy(tf.tensor1d([1], 'int32'), z as tf.Tensor2D));
    const first = (z: tf.Tensor) => tf.sum(tf.mul(tf.grad(loss)(z), [v]));
    const second = tf.grad(first)(tf.tensor2d([[...x]]));
    expectClose(await take(second), expected, 1e-5);
  });

  it('leaves no tensor behind, with and without a tape', async () => {
    const y = tf.tensor1d([0, 1], 'int32');
    const x = tf.zeros<tf.Rank.R2>([2, 3]);
    await expectNoLeaks(() => crossEntropy(y, x));
    await expectNoLeaks(() => tf.grad((z) => crossEntropy(y, z as tf.Tensor2D))(x));
    tf.dispose([x, y]);
  });
});
