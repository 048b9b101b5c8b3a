import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { crossEntropy } from '../../src/ops/cross-entropy';
import { backends, onEachBackend, useBackend } from '../support/backends';
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

  it('keeps nothing for its gradient but the slope', () => {
    const y = tf.zeros<tf.Rank.R1>([m], 'int32');
    const x = tf.zeros<tf.Rank.R2>([m, l]);
    let kept = 0;
    const gradient = tf.grad((z) => {
      const before = tf.memory().numBytes;
      const value = crossEntropy(y, z as tf.Tensor2D); // [m]
      kept = tf.memory().numBytes - before - 4 * m;
      return value;
    })(x);
    expect(kept).toBe(4 * m * l); // float32
    tf.dispose([y, x, gradient]);
  });

  it('is constant in its labels, which may come from the input by operations without a gradient', async () => {
    const x = tf.tensor2d([[0, 2], [3, 1]]); // biome-ignore format: rows
    const likeliest = (z: tf.Tensor) => tf.argMax(z, 1) as tf.Tensor1D; // 1 and 0
    const gradient = tf.grad((z) => crossEntropy(likeliest(z), z as tf.Tensor2D))(x);
    const p = 1 / (1 + Math.exp(-2));
    expectClose(await take(gradient), [1 - p, p - 1, p - 1, 1 - p], 1e-6);
    x.dispose();
  });

  it('leaves no tensor behind, with and without a tape', async () => {
    const y = tf.tensor1d([0, 1], 'int32');
    const x = tf.zeros<tf.Rank.R2>([2, 3]);
    await expectNoLeaks(() => crossEntropy(y, x));
    await expectNoLeaks(() => tf.grad((z) => crossEntropy(y, z as tf.Tensor2D))(x));
    tf.dispose([x, y]);
  });
});

describe.runIf(backends.includes('wasm'))('the cross-entropy by own kernels on wasm', () => {
  beforeAll(() => useBackend('wasm'));

  it('is -log softmax at the label, and its gradient softmax minus one-hot, for any number of levels', async () => {
    const cases = fc.record({
      rows: fc.integer({ min: 1, max: 5 }),
      levels: fc.integer({ min: 2, max: 40 }),
      scale: fc.constantFrom(0.1, 1, 30, 1000),
      seed: fc.integer({ min: 1, max: 1000 }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ rows, levels, scale, seed }) => {
        const x = noise(rows * levels, seed).map((value) => scale * value);
        const labels = Int32Array.from({ length: rows }, (_, row) => (7 * row + seed) % levels);
        const labelTensor = tf.tensor1d(labels, 'int32');
        const logitTensor = tf.tensor2d(x, [rows, levels]);
        const own = tf.valueAndGrad((x: tf.Tensor) => crossEntropy(labelTensor, x as tf.Tensor2D))(
          logitTensor,
        );
        const [value, gradient] = [await take(own.value), await take(own.grad)];
        tf.dispose([labelTensor, logitTensor]);
        for (let row = 0; row < rows; row++) {
          const logits = Array.from(x.subarray(row * levels, (row + 1) * levels));
          const max = Math.max(...logits);
          const sum = logits.reduce((total, logit) => total + Math.exp(logit - max), 0);
          const label = labels[row] as number;
          const expected = max + Math.log(sum) - (logits[label] as number);
          expect(Math.abs((value[row] as number) - expected)).toBeLessThan(1e-6 * (1 + expected));
          for (const [level, logit] of logits.entries()) {
            const slope = Math.exp(logit - max) / sum - (level === label ? 1 : 0);
            expect(Math.abs((gradient[row * levels + level] as number) - slope)).toBeLessThan(1e-6);
          }
        }
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it('serves crossEntropy, counts its tensors, and writes nothing for a label that is no level', async () => {
    const labels = tf.tensor1d([0, 9, -1], 'int32');
    const logits = tf.zeros<tf.Rank.R2>([3, 2]);
    const { kernelNames, result } = await tf.profile(() => crossEntropy(labels, logits));
    expect(kernelNames).toContain('PixelCNNCrossEntropy');
    const values = await take(result as tf.Tensor);
    for (const value of values) expect(value).toBeCloseTo(Math.log(2), 6); // an unknown label counts as a logit of 0
    await expectNoLeaks(() => crossEntropy(labels, logits));
    await expectNoLeaks(() => tf.grad((x) => crossEntropy(labels, x as tf.Tensor2D))(logits));
    tf.dispose([labels, logits]);
  });

  it('takes the number of levels for no level', async () => {
    const labels = tf.tensor1d([2, 0], 'int32');
    const logits = tf.tensor2d([0, 0, 5, 5], [2, 2]); // the first number behind the first row is 5
    const loss = (x: tf.Tensor) => crossEntropy(labels, x as tf.Tensor2D);
    const values = await take(loss(logits));
    for (const value of values) expect(value).toBeCloseTo(Math.log(2), 6);
    expectClose(await take(tf.grad(loss)(logits)), [0.5, 0.5, -0.5, 0.5], 1e-6);
    tf.dispose([labels, logits]);
  });

  it('keeps NaN', async () => {
    const labels = tf.tensor1d([0], 'int32');
    const logits = tf.tensor2d([0, Number.NaN, 0], [1, 3]);
    expect((await take(crossEntropy(labels, logits)))[0]).toBeNaN();
    tf.dispose([labels, logits]);
  });

  it('gives way elsewhere', async () => {
    await useBackend(backends.includes('cpu') ? 'cpu' : 'wasm, composed');
    const labels = tf.tensor1d([0], 'int32');
    const logits = tf.zeros<tf.Rank.R2>([1, 2]);
    const { kernelNames, result } = await tf.profile(() => crossEntropy(labels, logits));
    expect(kernelNames).not.toContain('PixelCNNCrossEntropy');
    tf.dispose([labels, logits, result]);
    await useBackend('wasm');
  });
});
