import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { attention } from '../../src/ops/attention';
import { isGpu, onEachBackend } from '../support/backends';
import { slowAttention } from '../support/slow-attention';
import { expectClose, expectNoLeaks, noise, take } from '../support/tensors';

const cases = fc.record({
  n: fc.integer({ min: 1, max: 3 }),
  h: fc.integer({ min: 1, max: 4 }),
  w: fc.integer({ min: 1, max: 4 }),
  heads: fc.integer({ min: 1, max: 3 }),
  size: fc.integer({ min: 1, max: 5 }),
  scale: fc.constantFrom(0.1, 1, 5),
  chunk: fc.constantFrom(1, 2, 3, 5, undefined),
  seed: fc.integer({ min: 1, max: 1000 }),
});

const run = (heads: number, chunk?: number) => (queries: tf.Tensor, keys: tf.Tensor, values: tf.Tensor) =>
  attention({ queries, keys, values } as Parameters<typeof attention>[0], heads, null, chunk) as tf.Tensor;

onEachBackend('attention', (backend) => {
  it('equals loops in plain numbers, forward and in all gradients, in chunks of any size', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ n, h, w, heads, size, scale, chunk, seed }) => {
        const shape: [number, number, number, number] = [n, h, w, heads * size];
        const length = n * h * w * heads * size;
        const numbers = [0, 1, 2, 3].map((i) => noise(length, seed + i).map((value) => scale * value));
        const sizes = { n, places: h * w, heads, size };
        const expected = slowAttention(numbers as unknown as Parameters<typeof slowAttention>[0], sizes);
        const [q, k, v, dy] = numbers.map((of) => tf.tensor4d(of, shape)) as tf.Tensor4D[];
        const inputs = [q, k, v] as tf.Tensor[];
        const { value, grads } = tf.valueAndGrads(run(heads, chunk))(inputs, dy);
        tf.dispose([...inputs, dy as tf.Tensor]);
        const tolerance = (isGpu(backend) ? 2e-5 : 5e-6) * Math.max(1, scale ** 2);
        expect(value.shape).toEqual(shape);
        expectClose(await take(value), expected.y, tolerance);
        for (const [i, gradient] of grads.entries())
          expectClose(await take(gradient), expected.gradients[i] as Float64Array, tolerance * scale ** 2);
      }),
      { seed: 1, numRuns: isGpu(backend) ? 4 : 60 },
    );
  });

  it('hides later places whatever their scores', async () => {
    // q k = 0 at the first place, 1e30 at all others: none but the first is seen by the second
    const [q, k] = [tf.ones<tf.Rank.R4>([1, 1, 3, 1]), tf.tensor4d([0, 1e30, 1e30], [1, 1, 3, 1])];
    const v = tf.tensor4d([3, 5, 7], [1, 1, 3, 1]);
    expectClose(await take(run(1)(q, k, v)), [0, 3, 5], 1e-6);
    tf.dispose([q, k, v]);
  });

  it('has second derivatives', async () => {
    // One head of one feature, of two earlier places with keys 0 and values 0 and 1, at the third query q = 0:
    // y = s(q (k2 - k1)), dy/dk2 = q s' = 0, and its derivative for q is s'(0) = 1/4, for k1 it is 0
    const q = tf.zeros<tf.Rank.R4>([1, 1, 3, 1]);
    const k = tf.zeros<tf.Rank.R4>([1, 1, 3, 1]);
    const v = tf.tensor4d([0, 1, 9], [1, 1, 3, 1]);
    const ofKeys = (queries: tf.Tensor, keys: tf.Tensor) =>
      tf.slice(tf.grad((x) => run(1, 1)(queries, x, v))(keys), [0, 0, 1, 0], [1, 1, 1, 1]);
    const [dq, dk] = tf.grads(ofKeys)([q, k]) as [tf.Tensor, tf.Tensor];
    expectClose(await take(dq), [0, 0, 0.25], 1e-6);
    expectClose(await take(dk), [0, 0, 0], 1e-6);
    tf.dispose([q, k, v]);
  });

  it('drops weights, the same for the gradient and whatever the chunks, and keeps their mean', async () => {
    const [h, w] = [6, 8];
    // Of keys 0 and values 1, place i has a mean of i weights 1/i: of those kept, twice as much
    const [q, k, v] = [0, 0, 1].map((value) => tf.fill<tf.Rank.R4>([2, h, w, 4], value)) as [
      tf.Tensor4D,
      tf.Tensor4D,
      tf.Tensor4D,
    ];
    const dropped = (chunk: number) => (values: tf.Tensor) =>
      attention({ queries: q, keys: k, values: values as tf.Tensor4D }, 2, { rate: 0.5, seed: 'a' }, chunk);
    const whole = await take(dropped(48)(v));
    expectClose(await take(dropped(5)(v)), whole, 1e-5);
    const later = whole.filter((_, i) => Math.floor(i / 4) % (h * w) > 0);
    expect(new Set(later).size).toBeGreaterThan(40);
    expect(Math.abs(later.reduce((sum, value) => sum + value, 0) / later.length - 1)).toBeLessThan(0.05);
    // y is linear in v, so the sum over v dv is that of y
    const gradient = await take(tf.grad((x) => dropped(7)(x) as tf.Tensor)(v));
    const sum = (numbers: number[]) => numbers.reduce((total, value) => total + value, 0);
    expect(Math.abs(sum(gradient) - sum(whole))).toBeLessThan(1e-3);
    tf.dispose([q, k, v]);
  });

  it('leaves no tensor behind, with and without a tape', async () => {
    const x = tf.ones<tf.Rank.R4>([2, 2, 3, 4]);
    await expectNoLeaks(() => run(2, 2)(x, x, x));
    await expectNoLeaks(() => tf.grads(run(2, 2))([x, x, x]));
    const one = tf.ones<tf.Rank.R4>([2, 1, 1, 4]);
    await expectNoLeaks(() => tf.grads(run(2, 2))([one, one, one]));
    tf.dispose([x, one]);
  });

  it('says what does not fit, before it computes', () => {
    // 2^14 images of 2 heads and 2^14 places: even the weights of one query are 2^29. No such tensor is made.
    const x = tf.zeros<tf.Rank.R4>([1, 1, 1, 1]);
    const shape = [2 ** 14, 2 ** 7, 2 ** 7, 2] as const;
    const large = Object.create(x, { shape: { value: shape } }) as tf.Tensor4D;
    expect(() => run(2)(large, large, large)).toThrow(
      'attend: images, heads, height, width: wanted sizes whose product is at most 268435456, got [16384, 2, 128, 128]',
    );
    x.dispose();
  });
});
