import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gate } from '../../src/ops/gate';
import { isGpu, onEachBackend } from '../support/backends';
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
    const [t, s] = [Math.tanh(sum(a)), 1 / (1 + Math.exp(-sum(b)))];
    y[i] = t * s;
    for (const [place, slope] of [
      [a, s * (1 - t * t)],
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
  seed: fc.integer({ min: 1, max: 1000 }),
});

onEachBackend('gate', (backend) => {
  it('equals loops in plain numbers, forward and in all gradients', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ n, h, w, channels, size, scale, hasCondition, seed }) => {
        const features = 2 * channels * size;
        const scaled = (length: number, from: number) => noise(length, from).map((value) => scale * value);
        const x = scaled(n * h * w * features, seed);
        const condition = hasCondition ? scaled(n * features, seed + 1) : null;
        const g = noise((n * h * w * features) / 2, seed + 2);
        const expected = slow(x, condition, g, { n, pixels: h * w, channels, size });

        const inputs = [
          tf.tensor4d(x, [n, h, w, features]),
          ...(condition ? [tf.tensor2d(condition, [n, features])] : []),
        ];
        const dy = tf.tensor4d(g, [n, h, w, features / 2]);
        const op = (...[xs, c]: tf.Tensor[]) => gate(xs as tf.Tensor4D, channels, (c as tf.Tensor2D) ?? null);
        const { value, grads } = tf.valueAndGrads(op)(inputs, dy);
        tf.dispose([...inputs, dy]);
        const tolerance = isGpu(backend) ? 1e-5 : 1e-6; // shaders have their own exp
        expect(value.shape).toEqual([n, h, w, features / 2]);
        expectClose(await take(value), expected.y, tolerance);
        expectClose(await take(grads[0] as tf.Tensor), expected.dx, tolerance);
        if (hasCondition) expectClose(await take(grads[1] as tf.Tensor), expected.dc, h * w * tolerance);
      }),
      { numRuns: isGpu(backend) ? 8 : 150 },
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
