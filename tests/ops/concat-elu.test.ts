import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import { beforeAll, describe, expect, it } from 'vitest';
import { concatElu } from '../../src/ops/concat-elu';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { trainingLoops } from '../support/kernels/loops';
import { scoped } from '../support/scoped';
import { expectClose, take } from '../support/tensors';

const elu = (x: number) => (x > 0 ? x : Math.expm1(x));
const slope = (x: number) => (x > 0 ? 1 : Math.exp(x));

onEachBackend('concatElu', (backend) => {
  it('has the slopes 1 and -1 at 0', async () => {
    const x = scoped(tf.tensor1d([0, -0]));
    const dy = scoped(tf.tensor1d([3, 3, 5, 5]));
    const { value, grad } = tf.valueAndGrad(concatElu)(x, dy);
    expectClose(await take(value), [0, 0, 0, 0], 0);
    expect(await take(grad)).toEqual([-2, -2]);
  });

  it.skipIf(isGpu(backend))('keeps NaN, and has its limits', async () => {
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
    const x = scoped(tf.tensor2d([nan, 1, infinity, -infinity, 1, 1], [6, 1]));
    const dy = scoped(tf.tensor2d([1, 1, 1, 1, 1, 0, 1, 0, nan, 1, 1, nan], [6, 2]));
    const { value, grad } = tf.valueAndGrad(concatElu)(x, dy);
    expectClose((await take(value)).slice(2, 4), [1, Math.expm1(-1)], 1e-6);
    const again = concatElu(x);
    const values = await take(again);
    expect([values.slice(0, 2), values.slice(4, 8)]).toEqual([[nan, nan], [infinity, -1, -1, infinity]]); // biome-ignore format: rows
    const gradient = await take(grad);
    expect(gradient.map(Number.isNaN)).toEqual([true, false, false, false, true, true]);
    expectClose(gradient.slice(1, 4), [1 - Math.exp(-1), 1, 0], 1e-6);
  });
});

describe.runIf(backends.includes('wasm'))('concatElu by own kernels on wasm', () => {
  beforeAll(() => useBackend('wasm'));

  it('is accurate to seven digits, however small x is', () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const floats = new Float32Array(memory.buffer);
    const magnitudes = Array.from({ length: 400 }, (_, i) => Math.fround(10 ** (-12 + i / 30))); // 1e-12 to 20
    const xs = magnitudes.flatMap((x) => [x, -x]);
    const [y, dy, dx] = [xs.length, 3 * xs.length, 5 * xs.length];
    floats.set(xs);
    floats.fill(1, dy, dx);
    const { concatElu, concatEluBack } = trainingLoops(memory);
    concatElu(4 * y, 0, xs.length, 1);
    concatEluBack(4 * dx, 4 * dy, 0, xs.length, 1);
    for (const [i, x] of xs.entries()) {
      expect(Math.abs((floats[y + 2 * i] as number) / elu(x) - 1)).toBeLessThan(2e-7);
      expect(Math.abs((floats[y + 2 * i + 1] as number) / elu(-x) - 1)).toBeLessThan(2e-7);
      expect(Math.abs((floats[dx + i] as number) - slope(x) + slope(-x))).toBeLessThan(2e-7);
    }
  });
});
