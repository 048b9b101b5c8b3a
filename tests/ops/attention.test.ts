import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import { beforeAll, describe, expect, it } from 'vitest';
import { attention, chunkOf, provideAttentionKernels } from '../../src/ops/attention';
import { backends, onEachBackend, useBackend } from '../support/backends';
import { sampled } from '../support/runs';
import { scoped } from '../support/scoped';
import { expectClose, noise, take } from '../support/tensors';

provideAttentionKernels();

const run =
  (heads: number, chunk?: number, own = false) =>
  (queries: tf.Tensor, keys: tf.Tensor, values: tf.Tensor) =>
    attention({ queries, keys, values } as Parameters<typeof attention>[0], {
      heads,
      own,
      ...(chunk !== undefined && { chunk }),
    }) as tf.Tensor;

/** The attention and its gradients. */
async function gradientsOf(inputs: tf.Tensor[], dy: tf.Tensor, heads: number) {
  const { value, grads } = tf.valueAndGrads(run(heads))(inputs, dy);
  return Promise.all([value, ...grads].map(take)) as Promise<[number[], number[], number[], number[]]>;
}

onEachBackend('attention', () => {
  it.each([[1, 0, 2, 2], [1, 2, 0, 2], [0, 2, 2, 2]])('takes maps without places, and batches without images', async (...shape) => {
    const inputs = scoped([0, 1, 2].map(() => tf.zeros(shape)));
    for (const empty of await gradientsOf(inputs, tf.zeros(shape), 2)) expect(empty).toEqual([]);
  }); // biome-ignore format: rows

  it.each([1, 2])('gives the only place its own value, whatever query and key are: of %i images', async (n) => {
    const [q, k, v, dy] = scoped(
      [1, 2, 3, 4].map((seed) => tf.tensor4d(noise(4 * n, seed), [n, 1, 1, 4])) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor],
    );
    const { value, grads } = tf.valueAndGrads(run(2, undefined, true))([q, k, v], dy);
    const [y, dq, dk, dv] = await Promise.all([value, ...grads].map(take));
    expectClose(y as number[], await v.data(), 1e-6);
    expectClose(dv as number[], await dy.data(), 1e-6);
    for (const none of [dq, dk]) expectClose(none as number[], new Float32Array(4 * n), 1e-6);
  });

  it('hides later places, whatever their scores', async () => {
    // The third place has a score of 3e38 with every query: only the fourth sees it.
    const [q, k] = [scoped(tf.ones<tf.Rank.R4>([1, 1, 4, 1])), scoped(tf.tensor4d([0, 0, 3e38, 0], [1, 1, 4, 1]))];
    const v = scoped(tf.tensor4d([3, 5, 7, 9], [1, 1, 4, 1]));
    expectClose((await take(run(1)(q, k, v))).slice(0, 3), [0, 3, 4], 1e-6);
    // The first three have -1e10, which is still more than what is hidden.
    const low = scoped(tf.tensor4d([-1e10, -1e10, -1e10, 0], [1, 1, 4, 1]));
    expectClose(await take(run(1)(q, low, v)), [0, 3, 4, 5], 1e-6);
  });

  it('holds the weights of a chunk of queries at a time, for the gradients too', async () => {
    const places = 16 * 16;
    const x = scoped(tf.tensor4d(noise(places), [1, 16, 16, 1]));
    const before = tf.memory().numBytes;
    for (const compute of [() => run(1, 32)(x, x, x), () => tf.grads(run(1, 32))([x, x, x])]) {
      const { peakBytes, result } = await tf.profile(compute);
      // Computed together, each of about ten intermediate results would be as large as all weights.
      expect(peakBytes - before).toBeLessThan(3 * 4 * places ** 2);
      tf.dispose(result);
    }
  });

  it('drops weights, with the same noise for the gradient and all chunks, and keeps their mean', async () => {
    const [h, w] = [6, 8];
    // Of keys 0 and values 1, place i has a mean of i weights 1/i: of those kept, 4/3 as much
    const [q, k, v] = scoped([0, 0, 1].map((value) => tf.fill<tf.Rank.R4>([2, h, w, 4], value)) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D]);
    const dropped = (chunk: number) => (values: tf.Tensor) =>
      attention({ queries: q, keys: k, values: values as tf.Tensor4D }, { heads: 2, dropout: { rate: 0.25, seed: 'a' }, chunk });
    const whole = await take(dropped(48)(v));
    expectClose(await take(dropped(5)(v)), whole, 1e-5);
    const later = whole.filter((_, i) => Math.floor(i / 4) % (h * w) > 0);
    expect(new Set(later).size).toBeGreaterThan(40);
    expect(Math.abs(later.reduce((sum, value) => sum + value, 0) / later.length - 1)).toBeLessThan(0.05);
    // Each place drops others: if all dropped the same, none would keep fewer than one before it.
    const kept = Array.from({ length: h * w }, (_, i) => Math.round(i * (whole[4 * i] as number) * 0.75));
    expect(kept.some((count, i) => count < (kept[i - 1] ?? 0))).toBe(true);
    // y is linear in v, so the sum over v dv is that of y
    const gradient = await take(tf.grad((x) => dropped(7)(x) as tf.Tensor)(v));
    const sum = (numbers: number[]) => numbers.reduce((total, value) => total + value, 0);
    expect(Math.abs(sum(gradient) - sum(whole))).toBeLessThan(1e-3);
  });

  it('has the gradients of the kept weights, for queries and keys too', async () => {
    const shape: [number, number, number, number] = [1, 2, 4, 2];
    const all = [1, 2, 3, 4].map((seed) => Array.from(noise(16, seed)));
    const [q, k, v, g] = all as [number[], number[], number[], number[]];
    /** The sum of g y. */
    const loss = (queries: tf.Tensor, keys: tf.Tensor) => {
      const inputs = { queries, keys, values: tf.tensor4d(v, shape) } as Parameters<typeof attention>[0];
      return tf.sum(tf.mul(attention(inputs, { heads: 1, dropout: { rate: 0.5, seed: 'b' }, chunk: 3 }), tf.tensor4d(g, shape)));
    };
    const at = (queries: number[], keys: number[]) => take(tf.tidy(() => loss(tf.tensor4d(queries, shape), tf.tensor4d(keys, shape))));
    const slopesOf = (values: number[], lossAt: (of: number[]) => Promise<number[]>) =>
      Promise.all(
        values.map(async (_, i) => {
          const moved = (by: number) => lossAt(values.map((value, j) => (j === i ? value + by : value)));
          return (((await moved(0.05))[0] as number) - ((await moved(-0.05))[0] as number)) / 0.1;
        }),
      );
    const [dq, dk] = tf.tidy(() => tf.grads(loss)([tf.tensor4d(q, shape), tf.tensor4d(k, shape)])) as [tf.Tensor, tf.Tensor];
    expectClose(await take(dq), await slopesOf(q, (of) => at(of, k)), 2e-3);
    expectClose(await take(dk), await slopesOf(k, (of) => at(q, of)), 2e-3);
  });

  it('reports misfits before it computes', () => {
    // 2^14 images of 2 heads and 2^14 places: even the weights of one query are 2^29. No such tensor is made.
    const x = scoped(tf.zeros<tf.Rank.R4>([1, 1, 1, 1]));
    const shape = [2 ** 14, 2 ** 7, 2 ** 7, 2] as const;
    const large = Object.create(x, { shape: { value: shape } }) as tf.Tensor4D;
    expect(() => run(2)(large, large, large)).toThrow(
      'attend: images, heads, height, width: wanted sizes whose product is at most 268435456, got [16384, 2, 128, 128]',
    );
  });
});

it('computes as many queries together as their weights fit, at least one', () => {
  expect(chunkOf([1, 7, 7, 64], 8)).toBe(64); // all of them
  expect(chunkOf([16, 32, 32, 64], 8)).toBe(128); // an eighth
  expect(chunkOf([64, 32, 32, 64], 8)).toBe(32); // 64 * 8 images and heads, of 32 * 1024 weights: 2^24
  expect(chunkOf([2 ** 13, 128, 128, 2], 2)).toBe(1); // each has 2^28
  expect(chunkOf([0, 7, 7, 64], 8)).toBe(64);
});

describe.runIf(backends.includes('wasm'))('attention by own kernels on wasm', () => {
  beforeAll(() => useBackend('wasm'));

  it('does not depend on later places at all, and has no gradient for them', async () => {
    const [places, units] = [75, 6];
    const shape: [number, number, number, number] = [1, 5, 15, units];
    const [q, k, v] = [1, 2, 3].map((seed) => noise(places * units, seed)) as [Float32Array, Float32Array, Float32Array];
    const of = (...all: Float32Array[]) => all.map((values) => tf.tensor4d(values, shape));
    const ones = new Float32Array(places * units).fill(1);
    const compute = async (given: Float32Array[], slopes: Float32Array) => {
      const [inputs, [dy]] = [of(...given), of(slopes)] as [tf.Tensor[], [tf.Tensor]];
      const all = await gradientsOf(inputs, dy, 2);
      tf.dispose([inputs, dy]);
      return all;
    };
    const [whole] = await compute([q, k, v], ones);
    for (const i of sampled(places, 12)) {
      const upTo = (i + 1) * units;
      const later = [k, v].map((values) => values.slice().fill(1e30, i * units)); // from place i on
      const [y] = await compute([q, ...later], ones);
      expect(y.slice(0, upTo)).toEqual(whole.slice(0, upTo));
      const slopes = ones.map((_, at) => (at >= i * units && at < upTo ? 1 : 0));
      const [, dq, dk, dv] = await compute([q, k, v], slopes);
      const isZero = (numbers: number[]) => numbers.every((value) => value === 0);
      expect(isZero(dq.slice(0, i * units)) && isZero(dq.slice(upTo))).toBe(true);
      expect(isZero(dk.slice(i * units)) && isZero(dv.slice(i * units))).toBe(true);
      expect(isZero(dv.slice(0, i * units))).toBe(i === 0);
    }
  });

  it('is right where scores are far apart, and far from 0', async () => {
    // Of keys 0, 200, ..., the last one seen takes all the weight, at scores up to 1.6e6: e^score is no number
    const places = 20;
    const shape: [number, number, number, number] = [1, 4, 5, 1];
    const of = (fn: (i: number) => number) => tf.tensor4d(Array.from(Array(places).keys(), fn), shape);
    const [q, k, v, dy] = scoped([of(() => 400), of((i) => 200 * i), of((i) => i + 1), of(() => 1)] as const);
    for (const sign of [1, -1]) {
      const queries = scoped(tf.mul(q, sign));
      const [y, dq, dk, dv] = await gradientsOf([queries, k, v], dy, 1);
      // With the other sign, the first one takes all
      expect(y).toEqual(Array.from({ length: places }, (_, i) => (sign > 0 || i === 0 ? i : 1)));
      const all = Array.from({ length: places }, (_, i) => (i === 0 ? places - 1 : 0));
      expect(dv).toEqual(sign > 0 ? Array.from({ length: places }, (_, i) => (i < places - 1 ? 1 : 0)) : all);
      expect([...dq, ...dk].every((value) => value === 0)).toBe(true);
    }
  });

  it('keeps a NaN of a query within its head, and a NaN of a key to later places', async () => {
    const [q, k] = [noise(20 * 4, 1), noise(20 * 4, 2)];
    q[9 * 4] = Number.NaN; // place 9, head 0
    k[13 * 4 + 2] = Number.NaN; // place 13, head 1
    const [queries, keys] = [q, k].map((of) => tf.tensor4d(of, [1, 4, 5, 4])) as [tf.Tensor, tf.Tensor];
    const inputs = scoped([queries, keys, tf.ones([1, 4, 5, 4])] as const);
    const y = await take(run(2)(...inputs));
    const isNaNAt = (place: number, head: number) => Number.isNaN(y[place * 4 + head * 2]);
    for (let place = 0; place < 20; place++) expect([isNaNAt(place, 0), isNaNAt(place, 1)]).toEqual([place === 9, place > 13]);
  });
});
