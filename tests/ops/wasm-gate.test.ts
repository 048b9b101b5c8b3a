import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { TrainingKernels } from '../../src/kernels/training-kernels';
import { trainingKernels } from '../../src/kernels/webassembly';
import { gate } from '../../src/ops/gate';
import { wasmGate, wasmGateGradient } from '../../src/ops/wasm-gate';
import { backends, useBackend } from '../support/backends';
import { expectClose, noise, take } from '../support/tensors';

describe.runIf(backends.includes('wasm'))('the gate by own kernels on wasm', () => {
  beforeAll(() => useBackend('wasm'));

  afterEach(() => vi.restoreAllMocks());

  /** Value and gradients of a gate, and the kernels that were run. */
  async function run() {
    const x = tf.tensor4d(noise(2 * 3 * 5 * 66), [2, 3, 5, 66]);
    const condition = tf.tensor2d(noise(2 * 66, 2), [2, 66]);
    const profile = await tf.profile(() => {
      const { value, grads } = tf.valueAndGrads((xs, c) => gate(xs as tf.Tensor4D, 3, c as tf.Tensor2D))([
        x,
        condition,
      ]);
      return [value, ...grads];
    });
    tf.dispose([x, condition]);
    const tensors = profile.result as unknown as tf.Tensor[];
    return { kernelNames: profile.kernelNames, values: await Promise.all(tensors.map(take)) };
  }

  it('serves gate and its gradient, and gives way where it is switched off', async () => {
    const own = await run();
    expect(own.kernelNames).toEqual(expect.arrayContaining(['PixelCNNGate', 'PixelCNNGateGradient']));
    await useBackend('wasm, composed');
    const composed = await run();
    await useBackend('wasm');
    expect(composed.kernelNames).not.toContain('PixelCNNGate');
    expect(composed.kernelNames).not.toContain('PixelCNNGateGradient');
    for (const [i, values] of own.values.entries()) expectClose(values, composed.values[i] as number[], 2e-6);
  });

  it('gives way for numbers that are not float32', () => {
    const x = tf.ones<tf.Rank.R4>([1, 1, 1, 2], 'int32');
    expect(wasmGate(x, 1, null)).toBeNull();
    expect(wasmGateGradient(tf.ones([1, 1, 1, 1]), x, 1, null)).toBeNull();
  });

  it('leaves nothing in memory where it throws', () => {
    const x = tf.ones<tf.Rank.R4>([1, 1, 1, 2]);
    const condition = tf.ones<tf.Rank.R2>([1, 2]);
    condition.dispose();
    const before = tf.backend().numDataIds();
    expect(() => wasmGate(x, 1, condition)).toThrow();
    expect(tf.backend().numDataIds()).toBe(before);
    x.dispose();
  });

  it('writes all of its outputs and nothing else, for any number of features', () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const floats = new Float32Array(memory.buffer);
    const loops = trainingKernels(memory) as TrainingKernels;
    for (let size = 1; size <= 13; size++) {
      const [n, pixels, groups] = [2, 3, 2];
      const length = n * pixels * groups * size;
      floats.fill(7);
      floats.fill(-1, 0, 3 * length); // dy and x
      loops.gate(4 * (3 * length + 1), 4 * length, 4 * length, n, pixels, groups, size);
      const y = floats.subarray(3 * length + 1, 4 * length + 1);
      expect(y.every((value) => value < 0)).toBe(true);
      y.fill(7);
      loops.gateBack(4 * (3 * length + 1), 0, 4 * length, 4 * length, n, pixels, groups, size);
      const dx = floats.subarray(3 * length + 1, 5 * length + 1);
      expect(dx.every((value) => value !== 7)).toBe(true);
      dx.fill(7);
      expect(floats.subarray(3 * length).every((value) => value === 7)).toBe(true);
    }
  });
});
