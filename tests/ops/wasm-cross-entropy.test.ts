import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { crossEntropy } from '../../src/ops/cross-entropy';
import { wasmCrossEntropy } from '../../src/ops/wasm-cross-entropy';
import { backends, useBackend } from '../support/backends';
import { expectClose, expectNoLeaks, noise, take } from '../support/tensors';

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
        const tensors: [tf.Tensor1D, tf.Tensor2D] = [
          tf.tensor1d(labels, 'int32'),
          tf.tensor2d(x, [rows, levels]),
        ];
        const own = tf.tidy(() => {
          const result = wasmCrossEntropy(...tensors);
          return result === null ? [] : [result.value, result.gradient];
        }) as tf.Tensor[];
        const [value, gradient] = [await take(own[0] as tf.Tensor), await take(own[1] as tf.Tensor)];
        tf.dispose(tensors);
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
      { numRuns: 100 },
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
    expect(wasmCrossEntropy(labels, logits)).toBeNull();
    tf.dispose([labels, logits]);
    await useBackend('wasm');
  });
});
