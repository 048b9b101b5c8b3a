import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TrainingKernels } from '../../src/kernels/training-kernels';
import { trainingKernels } from '../../src/kernels/webassembly';
import { normalizedKernel } from '../../src/ops/normalized-kernel';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { expectClose, expectCloseRelative, expectNoLeaks, noise, take } from '../support/tensors';

/** The kernel [inputs,outputs] and its gradients for sum(y * g), in float64: dv by the derivative of each y for each v. */
function slow(v: ArrayLike<number>, gain: ArrayLike<number>, g: ArrayLike<number>) {
  const [outputs, inputs] = [gain.length, v.length / gain.length];
  let largest = 0; // sum of terms of dgain, which may cancel
  const [y, dv, dgain] = [new Float64Array(v.length), new Float64Array(v.length), new Float64Array(outputs)];
  for (let o = 0; o < outputs; o++) {
    const at = (array: ArrayLike<number>, i: number) => array[i * outputs + o] as number;
    let [squares, terms] = [0, 0];
    for (let i = 0; i < inputs; i++) squares += at(v, i) ** 2;
    const [norm, isClipped] = [Math.sqrt(Math.max(squares, 1e-12)), squares < 1e-12];
    for (let i = 0; i < inputs; i++) {
      const index = i * outputs + o;
      y[index] = ((gain[o] as number) * at(v, i)) / norm;
      terms += Math.abs(at(g, i) * at(v, i)) / norm;
      dgain[o] = (dgain[o] as number) + (at(g, i) * at(v, i)) / norm;
      for (let j = 0; j < inputs; j++) {
        const slope = (i === j ? 1 : 0) / norm - (isClipped ? 0 : (at(v, i) * at(v, j)) / norm ** 3);
        dv[index] = (dv[index] as number) + (gain[o] as number) * slope * at(g, j);
      }
    }
    largest = Math.max(largest, terms);
  }
  return { y, dv, dgain, largest };
}

const cases = fc.record({
  shape: fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 20 }),
  ),
  outputs: fc.integer({ min: 1, max: 13 }), // whole vectors of four, and tails of each length
  scale: fc.constantFrom(1e-8, 0.05, 30), // of the first, the norm is less than the smallest
  seed: fc.integer({ min: 1, max: 1000 }),
});

const gradients = tf.valueAndGrads(
  (v, gain) => normalizedKernel(v as tf.Tensor4D, gain as tf.Tensor1D) as tf.Tensor,
);

onEachBackend('normalizedKernel', (backend) => {
  it('equals loops in plain numbers, forward and in its gradients', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ shape: [rows, columns, inputs], outputs, scale, seed }) => {
        const shape = [rows, columns, inputs, outputs] as [number, number, number, number];
        const values = noise(rows * columns * inputs * outputs, seed).map((value) => scale * value);
        const [gains, g] = [noise(outputs, seed + 1), noise(values.length, seed + 2)];
        const expected = slow(values, gains, g);
        const [v, gain, dy] = [tf.tensor4d(values, shape), tf.tensor1d(gains), tf.tensor4d(g, shape)];
        const { value, grads } = gradients([v, gain], dy);
        tf.dispose([v, gain, dy]);
        expect(value.shape).toEqual(shape);
        const tolerance = isGpu(backend) ? 4e-6 : 1e-6;
        expectCloseRelative(await take(value), expected.y, tolerance);
        expectClose(await take(grads[1] as tf.Tensor), expected.dgain, tolerance * expected.largest);
        const steepest = Math.max(...Array.from(expected.y, Math.abs)) / Math.max(...values.map(Math.abs)); // gain / norm
        expectClose(await take(grads[0] as tf.Tensor), expected.dv, 2 * tolerance * steepest);
      }),
      { seed: 1, numRuns: isGpu(backend) ? 8 : 100 },
    );
  });

  it('gives numbers where a direction is 0', async () => {
    const [v, gain, dy] = [
      tf.tensor4d([0, 3, 0, 4], [1, 1, 2, 2]),
      tf.tensor1d([2, 5]),
      tf.ones([1, 1, 2, 2]),
    ];
    const { value, grads } = gradients([v, gain], dy);
    expectClose(await take(value), [0, 3, 0, 4], 1e-5);
    expectClose(await take(grads[1] as tf.Tensor), [0, 1.4], 1e-5); // (3 + 4) / 5
    // 2 / 1e-6, and 5 / 5 of 1 - 3 * 7 / 25 and of 1 - 4 * 7 / 25
    const [first, second, third, fourth] = await take(grads[0] as tf.Tensor);
    expectClose([first as number, third as number], [2e6, 2e6], 2);
    expectClose([second as number, fourth as number], [0.16, -0.12], 1e-5);
    tf.dispose([v, gain, dy]);
  });

  it('has second derivatives: those of the formula in operations of tfjs', async () => {
    const [v, gain] = [tf.tensor4d(noise(24), [1, 2, 4, 3]), tf.tensor1d([2, -3, 1.5])];
    const formula = (direction: tf.Tensor, g: tf.Tensor) => {
      const squares = tf.sum(tf.square(direction), [0, 1, 2], true);
      return tf.mul(tf.div(direction, tf.sqrt(squares)), g);
    };
    const own = (direction: tf.Tensor, g: tf.Tensor) =>
      normalizedKernel(direction as tf.Tensor4D, g as tf.Tensor1D);
    const seconds = (of: (direction: tf.Tensor, g: tf.Tensor) => tf.Tensor) => {
      const loss = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.pow(of(a, b), 3));
      const first = (index: number) => (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.square(tf.grads(loss)([a, b])[index] as tf.Tensor)); // biome-ignore format: one line
      return [0, 1].flatMap((index) => tf.grads(first(index))([v, gain]));
    };
    const [got, want] = [seconds(own), seconds(formula)];
    expect(got).toHaveLength(4);
    for (const [i, gradient] of got.entries()) {
      const values = await take(want[i] as tf.Tensor);
      expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(0.1);
      expectCloseRelative(await take(gradient), values, 1e-4);
    }
    tf.dispose([v, gain]);
  });

  it.skipIf(isGpu(backend))('keeps NaN within its output', async () => {
    const nan = Number.NaN;
    const isOf = async (tensor: tf.Tensor) => (await take(tensor)).map(Number.isNaN);
    const [first, second, neither] = [
      [true, false, true, false],
      [false, true, false, true],
      Array(4).fill(false),
    ];
    const of = (v: number[], gain: number[], dy: number[]) =>
      tf.tidy(() =>
        gradients([tf.tensor4d(v, [1, 1, 2, 2]), tf.tensor1d(gain)], tf.tensor4d(dy, [1, 1, 2, 2])),
      );
    for (const [{ value, grads }, y, dv, dgain] of [
      [of([nan, 1, 1, 1], [1, 1], [1, 1, 1, 1]), first, first, [true, false]],
      [of([1, 1, 1, 1], [1, nan], [1, 1, 1, 1]), second, second, [false, false]],
      [of([1, 1, 1, 1], [1, 1], [1, 1, nan, 1]), neither, first, [true, false]],
    ] as const) {
      expect(await isOf(value)).toEqual(y);
      expect(await isOf(grads[0] as tf.Tensor)).toEqual(dv);
      expect(await isOf(grads[1] as tf.Tensor)).toEqual(dgain);
    }
  });

  it('leaves no tensor behind, with and without a tape', async () => {
    const [v, gain] = [tf.ones<tf.Rank.R4>([1, 2, 3, 5]), tf.ones<tf.Rank.R1>([5])];
    await expectNoLeaks(() => normalizedKernel(v, gain));
    await expectNoLeaks(() => gradients([v, gain]));
    await expectNoLeaks(() => tf.grad((g) => normalizedKernel(v, g as tf.Tensor1D))(gain));
    await expectNoLeaks(() => tf.grad((a) => normalizedKernel(a as tf.Tensor4D, gain))(v));
    tf.dispose([v, gain]);
  });
});

describe.runIf(backends.includes('wasm'))('normalizedKernel by own kernels on wasm', () => {
  beforeAll(() => useBackend('wasm'));

  async function kernelsOf() {
    const [v, gain] = [tf.ones<tf.Rank.R4>([1, 2, 3, 5]), tf.ones<tf.Rank.R1>([5])];
    const { kernelNames, result } = await tf.profile(() => gradients([v, gain]).grads);
    tf.dispose([v, gain, result as unknown as tf.Tensor[]]);
    return kernelNames.filter((name) => name.startsWith('PixelCNN'));
  }

  it('takes one call each way, and gives way where it is switched off', async () => {
    expect(await kernelsOf()).toEqual(['PixelCNNNormalizedKernel', 'PixelCNNNormalizedKernelGradient']);
    await useBackend('wasm, composed');
    expect(await kernelsOf()).toEqual([]);
    await useBackend('wasm');
  });

  it('loses no digits over many weights', async () => {
    const [inputs, outputs] = [20_000, 5];
    const values = noise(inputs * outputs).map((value) => 1 + value / 8);
    const [v, gain] = [tf.tensor4d(values, [1, 1, inputs, outputs]), tf.ones<tf.Rank.R1>([outputs])];
    const norms = Array.from({ length: outputs }, (_, o) =>
      Math.sqrt(values.reduce((sum, value, i) => (i % outputs === o ? sum + value ** 2 : sum), 0)),
    );
    const expected = Array.from(values, (value, i) => value / (norms[i % outputs] as number));
    expectClose(await take(normalizedKernel(v, gain)), expected, 2e-7 * Math.sqrt(1 / inputs));
    const ofGain = tf.grad((g) => tf.sum(tf.mul(v, normalizedKernel(v, g as tf.Tensor1D))) as tf.Tensor)(
      gain,
    );
    expectCloseRelative(await take(ofGain), norms, 2e-7); // v v / ||v||
    tf.dispose([v, gain]);
  });

  it('writes all of its outputs and nothing else, for any number of them', () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const floats = new Float32Array(memory.buffer);
    const { normalizedKernel, normalizedKernelBack } = trainingKernels(memory) as TrainingKernels;
    for (let outputs = 1; outputs <= 13; outputs++) {
      const [inputs, length] = [3, 3 * outputs];
      const [gain, v, dy] = [1, 2, 3].map((i) => floats.length - i * length) as [number, number, number]; // to the very end
      floats.fill(7);
      floats.fill(-1, dy);
      const sizes = [inputs, outputs, 1e-12] as const;
      normalizedKernel(4, 4 * v, 4 * (gain + length - outputs), ...sizes);
      expect(floats.subarray(1, length + 1).every((value) => value !== 7)).toBe(true);
      floats.fill(7, 1, length + 1);
      const dgain = length + 2;
      normalizedKernelBack(4, 4 * dgain, 4 * dy, 4 * v, 4 * (gain + length - outputs), ...sizes);
      expect(floats.subarray(1, length + 1).every((value) => value !== 7)).toBe(true);
      expect(floats.subarray(dgain, dgain + outputs).every((value) => value !== 7)).toBe(true);
      floats.fill(7, 1, length + 1);
      floats.fill(7, dgain, dgain + outputs);
      expect(floats.subarray(0, dy).every((value) => value === 7)).toBe(true);
    }
  });
});
