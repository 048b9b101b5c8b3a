import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TrainingKernels } from '../../src/kernels/training-kernels';
import { trainingKernels } from '../../src/kernels/webassembly';
import { concatElu } from '../../src/ops/concat-elu';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { expectClose, expectNoLeaks, noise, take } from '../support/tensors';

const elu = (x: number) => (x > 0 ? x : Math.expm1(x));
const slope = (x: number) => (x > 0 ? 1 : Math.exp(x));

/** The values [rows,2,size] of x [rows,size], and the gradient for sum(y * g), in float64. */
function slow(x: ArrayLike<number>, g: ArrayLike<number>, size: number) {
  const [y, dx] = [new Float64Array(2 * x.length), new Float64Array(x.length)];
  for (let i = 0; i < x.length; i++) {
    const [value, first] = [x[i] as number, 2 * i - (i % size)];
    const second = first + size;
    y[first] = elu(value);
    y[second] = elu(-value);
    dx[i] = (g[first] as number) * slope(value) - (g[second] as number) * slope(-value);
  }
  return { y, dx };
}

const cases = fc.record({
  shape: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }), // and as many features
  size: fc.integer({ min: 1, max: 13 }), // whole vectors of four, and tails of each length
  scale: fc.constantFrom(0.1, 3, 100),
  seed: fc.integer({ min: 1, max: 1000 }),
});

onEachBackend('concatElu', (backend) => {
  it('equals loops in plain numbers, forward and in its gradient', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ shape, size, scale, seed }) => {
        const length = shape.reduce((a, b) => a * b, size);
        const values = noise(length, seed).map((value) => scale * value);
        const g = noise(2 * length, seed + 1);
        const expected = slow(values, g, size);
        const [x, dy] = [tf.tensor(values, [...shape, size]), tf.tensor(g, [...shape, 2 * size])];
        const { value, grad } = tf.valueAndGrad(concatElu)(x, dy);
        tf.dispose([x, dy]);
        const tolerance = isGpu(backend) ? 1e-5 : 4e-7; // shaders have their own exp
        expect(value.shape).toEqual([...shape, 2 * size]);
        expectClose(await take(value), expected.y, tolerance);
        expectClose(await take(grad), expected.dx, tolerance);
      }),
      { seed: 1, numRuns: isGpu(backend) ? 8 : 150 },
    );
  });

  it('has the slopes 1 and -1 at 0', async () => {
    const x = tf.tensor1d([0, -0]);
    const dy = tf.tensor1d([3, 3, 5, 5]);
    const { value, grad } = tf.valueAndGrad(concatElu)(x, dy);
    expectClose(await take(value), [0, 0, 0, 0], 0);
    expect(await take(grad)).toEqual([-2, -2]);
    tf.dispose([x, dy]);
  });

  it('has second derivatives', async () => {
    // y = (elu(x), elu(-x)): of y1 at -1 and y2 at 1, y'' = e^-1; where they are straight, 0. L = 3 y1 + 5 y2
    const x = tf.tensor2d([-1, 2, 1], [3, 1]);
    const weights = tf.tensor2d([3, 5], [1, 2]);
    const loss = (xs: tf.Tensor) => tf.sum(tf.mul(concatElu(xs), weights));
    const expected = [3 * Math.exp(-1), 5 * Math.exp(-2), 5 * Math.exp(-1)];
    expectClose(await take(tf.grad((xs) => tf.grad(loss)(xs))(x)), expected, 1e-5);
    tf.dispose([x, weights]);
  });

  it.skipIf(isGpu(backend))('keeps NaN, and has its limits', async () => {
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
    const x = tf.tensor2d([nan, 1, infinity, -infinity, 1, 1], [6, 1]);
    const dy = tf.tensor2d([1, 1, 1, 1, 1, 0, 1, 0, nan, 1, 1, nan], [6, 2]);
    const { value, grad } = tf.valueAndGrad(concatElu)(x, dy);
    expectClose((await take(value)).slice(2, 4), [1, Math.expm1(-1)], 1e-6);
    const again = concatElu(x);
    const values = await take(again);
    expect([values.slice(0, 2), values.slice(4, 8)]).toEqual([
      [nan, nan],
      [infinity, -1, -1, infinity],
    ]);
    const gradient = await take(grad);
    expect(gradient.map(Number.isNaN)).toEqual([true, false, false, false, true, true]);
    expectClose(gradient.slice(1, 4), [1 - Math.exp(-1), 1, 0], 1e-6);
    tf.dispose([x, dy]);
  });

  it('keeps nothing for its gradient but its input', () => {
    const x = tf.ones([2, 3, 5]);
    let kept = 0;
    const gradient = tf.grad((xs) => {
      const before = tf.memory().numBytes;
      const y = concatElu(xs);
      kept = tf.memory().numBytes - before - 4 * y.size;
      return y;
    })(x);
    expect(kept).toBe(4 * x.size);
    tf.dispose([x, gradient]);
  });

  it('leaves no tensor behind, with and without a tape', async () => {
    const x = tf.ones<tf.Rank.R4>([2, 2, 3, 5]);
    await expectNoLeaks(() => concatElu(x));
    await expectNoLeaks(() => tf.grad(concatElu)(x));
    x.dispose();
  });
});

describe.runIf(backends.includes('wasm'))('concatElu by own kernels on wasm', () => {
  beforeAll(() => useBackend('wasm'));

  /** The kernels of this library that a gradient runs. */
  async function kernelsOf() {
    const x = tf.ones([2, 5]);
    const { kernelNames, result } = await tf.profile(() => tf.grad(concatElu)(x));
    tf.dispose([x, result as tf.Tensor]);
    return kernelNames.filter((name) => name.startsWith('PixelCNN'));
  }

  it('serves it and its gradient, and gives way where it is switched off', async () => {
    expect(await kernelsOf()).toEqual(['PixelCNNConcatElu', 'PixelCNNConcatEluGradient']);
    await useBackend('wasm, composed');
    expect(await kernelsOf()).toEqual([]);
    await useBackend('wasm');
  });

  it('gives way for numbers that are not float32', () => {
    const x = tf.ones([2, 5], 'int32');
    expect(() => concatElu(x)).toThrow("'elu' must be float32"); // tfjs's own error
    x.dispose();
  });

  it('keeps seven digits, however small x is', () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const floats = new Float32Array(memory.buffer);
    const magnitudes = Array.from({ length: 400 }, (_, i) => Math.fround(10 ** (-12 + i / 30))); // 1e-12 to 20
    const xs = magnitudes.flatMap((x) => [x, -x]);
    const [y, dy, dx] = [xs.length, 3 * xs.length, 5 * xs.length];
    floats.set(xs);
    floats.fill(1, dy, dx);
    const { concatElu, concatEluBack } = trainingKernels(memory) as TrainingKernels;
    concatElu(4 * y, 0, xs.length, 1);
    concatEluBack(4 * dx, 4 * dy, 0, xs.length, 1);
    for (const [i, x] of xs.entries()) {
      expect(Math.abs((floats[y + 2 * i] as number) / elu(x) - 1)).toBeLessThan(2e-7);
      expect(Math.abs((floats[y + 2 * i + 1] as number) / elu(-x) - 1)).toBeLessThan(2e-7);
      expect(Math.abs((floats[dx + i] as number) - slope(x) + slope(-x))).toBeLessThan(2e-7);
    }
  });

  it('writes all of its outputs and nothing else, for any number of features', () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const floats = new Float32Array(memory.buffer);
    const { concatElu, concatEluBack } = trainingKernels(memory) as TrainingKernels;
    for (let size = 1; size <= 13; size++) {
      const [rows, length] = [3, 3 * size];
      const x = floats.length - length; // at the very end: nothing is read behind it
      floats.fill(7);
      floats.fill(-1, x);
      concatElu(4, 4 * x, rows, size);
      expect(floats.subarray(1, 2 * length + 1).every((value) => value !== 7)).toBe(true);
      floats.fill(7, 1, 2 * length + 1);
      floats.fill(2, x - 2 * length, x); // dy
      concatEluBack(4, 4 * (x - 2 * length), 4 * x, rows, size);
      expect(floats.subarray(1, length + 1).every((value) => value !== 7)).toBe(true);
      floats.fill(7, 1, length + 1);
      expect(floats.subarray(0, x - 2 * length).every((value) => value === 7)).toBe(true);
    }
  });
});
