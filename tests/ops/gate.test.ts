import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TrainingKernels } from '../../src/kernels/training-kernels';
import { trainingKernels } from '../../src/kernels/webassembly';
import { gate } from '../../src/ops/gate';
import type { GateKind } from '../../src/program/ops';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { expectClose, expectNoLeaks, noise, take } from '../support/tensors';

/** Images, pixels of each, channels of the image, and features of the output in each of as many groups. */
interface Sizes {
  n: number;
  pixels: number;
  channels: number;
  size: number;
}

/** The gate of x plus a condition, and its gradients for sum(y * g), in float64. */
function slow(
  x: Float32Array,
  condition: Float32Array | null,
  g: Float32Array,
  { n, pixels, channels, size }: Sizes,
  kind: GateKind,
) {
  const width = 2 * channels * size;
  const y = new Float64Array(n * pixels * channels * size);
  const [dx, dc] = [new Float64Array(x.length), new Float64Array(n * width)];
  for (let i = 0; i < y.length; i++) {
    const [pixel, channel, feature] = [
      Math.floor(i / (channels * size)),
      Math.floor(i / size) % channels,
      i % size,
    ];
    const image = Math.floor(pixel / pixels);
    const [a, b] = [2 * channel * size + feature, (2 * channel + 1) * size + feature]; // places in a pixel
    const sum = (place: number) =>
      Math.fround((x[pixel * width + place] as number) + (condition?.[image * width + place] ?? 0));
    const isLinear = kind === 'linear';
    const [t, s] = [isLinear ? sum(a) : Math.tanh(sum(a)), 1 / (1 + Math.exp(-sum(b)))];
    y[i] = t * s;
    for (const [place, slope] of [
      [a, isLinear ? s : s * (1 - t * t)],
      [b, t * s * (1 - s)],
    ] as const) {
      // biome-ignore format: one line
      const d = (g[i] as number) * slope;
      dx[pixel * width + place] = d;
      dc[image * width + place] = (dc[image * width + place] as number) + d;
    }
  }
  return { y, dx, dc };
}

const cases = fc.record({
  n: fc.integer({ min: 1, max: 3 }),
  h: fc.integer({ min: 1, max: 3 }),
  w: fc.integer({ min: 1, max: 4 }),
  channels: fc.integer({ min: 1, max: 3 }),
  size: fc.integer({ min: 1, max: 13 }), // G: whole vectors of four, and tails of each length
  scale: fc.constantFrom(0.1, 3, 100),
  hasCondition: fc.boolean(),
  kind: fc.constantFrom<GateKind>('tanh', 'linear'),
  seed: fc.integer({ min: 1, max: 1000 }),
});

onEachBackend('gate', (backend) => {
  it('equals loops in plain numbers, forward and in all gradients', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ n, h, w, channels, size, scale, hasCondition, kind, seed }) => {
        const features = 2 * channels * size;
        const scaled = (length: number, from: number) => noise(length, from).map((value) => scale * value);
        const x = scaled(n * h * w * features, seed);
        const condition = hasCondition ? scaled(n * features, seed + 1) : null;
        const g = noise((n * h * w * features) / 2, seed + 2);
        const expected = slow(x, condition, g, { n, pixels: h * w, channels, size }, kind);

        const inputs = [
          tf.tensor4d(x, [n, h, w, features]),
          ...(condition ? [tf.tensor2d(condition, [n, features])] : []),
        ];
        const dy = tf.tensor4d(g, [n, h, w, features / 2]);
        const op = (...[xs, c]: tf.Tensor[]) =>
          gate(xs as tf.Tensor4D, channels, (c as tf.Tensor2D) ?? null, kind);
        const { value, grads } = tf.valueAndGrads(op)(inputs, dy);
        tf.dispose([...inputs, dy]);
        const largest = kind === 'linear' ? Math.max(1, 2 * scale) : 1; // of a
        const tolerance = largest * (isGpu(backend) ? 1e-5 : 1e-6); // shaders have their own exp
        expect(value.shape).toEqual([n, h, w, features / 2]);
        expectClose(await take(value), expected.y, tolerance);
        expectClose(await take(grads[0] as tf.Tensor), expected.dx, tolerance);
        if (hasCondition) expectClose(await take(grads[1] as tf.Tensor), expected.dc, h * w * tolerance);
      }),
      { seed: 1, numRuns: isGpu(backend) ? 8 : 150 },
    );
  });

  it('has second derivatives', async () => {
    // One pixel: y = tanh(a) sigmoid(b) at a = b = 0, L = y^2 / 2: d2L/da2 = (dy/da)^2 = 1/4, all others 0
    const x = tf.zeros<tf.Rank.R4>([1, 1, 1, 2]);
    const condition = tf.zeros<tf.Rank.R2>([1, 2]);
    const loss = (xs: tf.Tensor, c: tf.Tensor) =>
      tf.mul(0.5, tf.sum(tf.square(gate(xs as tf.Tensor4D, 1, c as tf.Tensor2D))));
    const first = (xs: tf.Tensor, c: tf.Tensor) => tf.grads(loss)([xs, c]);
    const [xx, xc] = tf.grads((xs, c) => first(xs, c)[0] as tf.Tensor)([x, condition]);
    const [cx, cc] = tf.grads((xs, c) => first(xs, c)[1] as tf.Tensor)([x, condition]);
    for (const second of [xx, xc, cx, cc]) expectClose(await take(second as tf.Tensor), [0.25, 0], 1e-5);
    tf.dispose([x, condition]);
  });

  it('has second derivatives of the linear kind', async () => {
    // One pixel: y = a s(b) at (a, b) = (2, 0), L = y: da = s, db = a s (1 - s); of db: 1/4 for a, a s'' = 0 for b
    const x = tf.tensor4d([2, 0], [1, 1, 1, 2]);
    const first = (xs: tf.Tensor, part: number) =>
      tf.slice(tf.grad((z) => gate(z as tf.Tensor4D, 1, null, 'linear'))(xs), [0, 0, 0, part], [1, 1, 1, 1]);
    expectClose(await take(tf.grad((xs) => first(xs, 0))(x)), [0, 0.25], 1e-5);
    expectClose(await take(tf.grad((xs) => first(xs, 1))(x)), [0.25, 0], 1e-5);
    x.dispose();
  });

  it('has second derivatives for a condition, summed over pixels', async () => {
    // As above, over 6 pixels: d2L/dc2 = 6/4
    const x = tf.zeros<tf.Rank.R4>([1, 2, 3, 2]);
    const loss = (c: tf.Tensor) => tf.mul(0.5, tf.sum(tf.square(gate(x, 1, c as tf.Tensor2D))));
    const condition = tf.zeros<tf.Rank.R2>([1, 2]);
    expectClose(await take(tf.grad((c) => tf.grad(loss)(c))(condition)), [1.5, 0], 1e-5);
    tf.dispose([x, condition]);
  });

  it.skipIf(isGpu(backend))('keeps NaN', async () => {
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
    const x = tf.tensor4d([nan, 0, 0, nan, infinity, -infinity, -infinity, infinity], [1, 1, 4, 2]);
    const dy = tf.ones([1, 1, 4, 1]);
    const { value, grad } = tf.valueAndGrad((xs: tf.Tensor) => gate(xs as tf.Tensor4D, 1) as tf.Tensor)(
      x,
      dy,
    );
    expect(await take(value)).toEqual([nan, nan, 0, -1]);
    expect(await take(grad)).toEqual([nan, nan, nan, nan, 0, 0, 0, -0]);
    const linear = tf.valueAndGrad(
      (xs: tf.Tensor) => gate(xs as tf.Tensor4D, 1, null, 'linear') as tf.Tensor,
    );
    const { value: y, grad: dx } = linear(x, dy);
    expect(await take(y)).toEqual([nan, nan, nan, -infinity]); // of Infinity, times 0 and 1
    expect(await take(dx)).toEqual([0.5, nan, nan, nan, 0, nan, 1, nan]);
    tf.dispose([x, dy]);
  });

  it('leaves no tensor behind, with and without a tape', async () => {
    const x = tf.ones<tf.Rank.R4>([2, 2, 3, 12]);
    const condition = tf.ones<tf.Rank.R2>([2, 12]);
    await expectNoLeaks(() => gate(x, 3));
    await expectNoLeaks(() => gate(x, 3, condition));
    await expectNoLeaks(() => tf.grad((xs) => gate(xs as tf.Tensor4D, 3))(x));
    await expectNoLeaks(() =>
      tf.grads((xs, c) => gate(xs as tf.Tensor4D, 3, c as tf.Tensor2D))([x, condition]),
    );
    tf.dispose([x, condition]);
  });
});

describe.runIf(backends.includes('wasm'))('the gate by own kernels on wasm', () => {
  beforeAll(() => useBackend('wasm'));

  /** Value and gradients of a gate, and the kernels that were run. */
  async function run(kind: GateKind) {
    const x = tf.tensor4d(noise(2 * 3 * 5 * 66), [2, 3, 5, 66]);
    const condition = tf.tensor2d(noise(2 * 66, 2), [2, 66]);
    const profile = await tf.profile(() => {
      const { value, grads } = tf.valueAndGrads((xs, c) => gate(xs as tf.Tensor4D, 3, c as tf.Tensor2D, kind))([x, condition]); // biome-ignore format: one line
      return [value, ...grads];
    });
    tf.dispose([x, condition]);
    const tensors = profile.result as unknown as tf.Tensor[];
    return { kernelNames: profile.kernelNames, values: await Promise.all(tensors.map(take)) };
  }

  it.each(['tanh', 'linear'] as const)(
    'serves the gate of kind %s and its gradient, and gives way where it is switched off',
    async (kind) => {
      const own = await run(kind);
      expect(own.kernelNames).toEqual(expect.arrayContaining(['PixelCNNGate', 'PixelCNNGateGradient']));
      await useBackend('wasm, composed');
      const composed = await run(kind);
      await useBackend('wasm');
      expect(composed.kernelNames).not.toContain('PixelCNNGate');
      expect(composed.kernelNames).not.toContain('PixelCNNGateGradient');
      for (const [i, values] of own.values.entries())
        expectClose(values, composed.values[i] as number[], 2e-6);
    },
  );

  it('gives way for numbers that are not float32', async () => {
    const x = tf.ones<tf.Rank.R4>([1, 1, 1, 2]);
    const condition = tf.ones<tf.Rank.R2>([1, 2], 'int32');
    const gradient = tf.grad((xs) => gate(xs as tf.Tensor4D, 1, condition));
    const { kernelNames, result } = await tf.profile(() => [gate(x, 1, condition), gradient(x)]);
    expect(kernelNames).not.toContain('PixelCNNGate');
    expect(kernelNames).not.toContain('PixelCNNGateGradient');
    const integers = tf.ones<tf.Rank.R4>([1, 1, 1, 2], 'int32');
    expect(() => gate(integers, 1)).toThrow("'tanh' must be float32"); // tfjs's own error
    tf.dispose([x, condition, integers, result]);
  });

  it('leaves nothing in memory where it throws', () => {
    const x = tf.ones<tf.Rank.R4>([1, 1, 1, 2]);
    const condition = tf.ones<tf.Rank.R2>([1, 2]);
    condition.dispose();
    const before = tf.backend().numDataIds();
    expect(() => gate(x, 1, condition)).toThrow();
    expect(tf.backend().numDataIds()).toBe(before);
    x.dispose();
  });

  it.each([false, true])(
    'writes all of its outputs and nothing else, for any number of features; linear: %s',
    (isLinear) => {
      const memory = new WebAssembly.Memory({ initial: 1 });
      const floats = new Float32Array(memory.buffer);
      const loops = trainingKernels(memory) as TrainingKernels;
      const [forward, back] = isLinear
        ? [loops.linearGate, loops.linearGateBack]
        : [loops.gate, loops.gateBack];
      for (let size = 1; size <= 13; size++) {
        const [n, pixels, groups] = [2, 3, 2];
        const length = n * pixels * groups * size;
        floats.fill(7);
        floats.fill(-1, 0, 3 * length); // dy and x
        const sizes = [n, pixels, groups, size] as const;
        forward(4 * (3 * length + 1), 4 * length, 4 * length, ...sizes);
        const y = floats.subarray(3 * length + 1, 4 * length + 1);
        expect(y.every((value) => value < 0)).toBe(true);
        y.fill(7);
        back(4 * (3 * length + 1), 0, 4 * length, 4 * length, ...sizes);
        const dx = floats.subarray(3 * length + 1, 5 * length + 1);
        expect(dx.every((value) => value !== 7)).toBe(true);
        dx.fill(7);
        expect(floats.subarray(3 * length).every((value) => value === 7)).toBe(true);
      }
    },
  );
});
