import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import { expect, it } from 'vitest';
import { embedLevels, oneHotLevels } from '../../src/ops/levels';
import { isGpu, onEachBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { expectClose, expectNoLeaks, noise, take } from '../support/tensors';

/** Numbers and the level of 4 that each stands for, -1 for none: round(3 x), half upwards. */
const LEVELS_OF_FOUR: [x: number, level: number][] = [
  [0, 0], [1 / 3, 1], [2 / 3, 2], [1, 3], [0.1, 0], [0.2, 1], [0.5, 2], // 1.5
  [-0.1, 0], [-0.2, -1], [1.1, 3], [1.2, -1], [7, -1],
]; // biome-ignore format: pairs

/** One-hot vectors by their definition: [M] -> [M*L]. */
const hot = (levels: readonly number[], count: number) =>
  levels.flatMap((level) => Array.from({ length: count }, (_, i) => (i === level ? 1 : 0)));

/** All rows of a table that belong to levels: [M] -> [M,U], zeros for none. */
const rowsOf = (table: ArrayLike<number>, units: number, levels: readonly number[]) =>
  levels.flatMap((level) => Array.from({ length: units }, (_, u) => (level < 0 ? 0 : (table[level * units + u] as number))));

onEachBackend('levels', (backend) => {
  const levels = LEVELS_OF_FOUR.map(([, level]) => level);
  const given = LEVELS_OF_FOUR.map(([x]) => x);
  const numbers = () => scoped(tf.tensor4d(given, [2, 1, 3, 2]));

  it('oneHotLevels: 1 at the nearest level, zeros if there is none, channel by channel', async () => {
    const x = numbers();
    const y = oneHotLevels(x, 4);
    expect([y.shape, y.dtype]).toEqual([[2, 1, 3, 8], 'float32']);
    expect(await take(y)).toEqual(hot(levels, 4));
    const flat = scoped(tf.tensor2d([1, 0, 0.5, 1], [2, 2])); // of what is the same at every pixel
    const z = oneHotLevels(flat, 3);
    expect(z.shape).toEqual([2, 6]);
    expect(await take(z)).toEqual(hot([2, 0, 1, 2], 3));
  });

  it('embedLevels: the row of the level, zeros if there is none, channel by channel', async () => {
    const [x, values] = [numbers(), noise(12, 1)];
    const table = scoped(tf.tensor2d(values, [4, 3]));
    const y = embedLevels(x, table);
    expect([y.shape, y.dtype]).toEqual([[2, 1, 3, 6], 'float32']);
    expect(await take(y)).toEqual(rowsOf(values, 3, levels));
    const flat = scoped(tf.tensor2d([1, 0], [1, 2]));
    const z = embedLevels(flat, table);
    expect(z.shape).toEqual([1, 6]);
    expect(await take(z)).toEqual(rowsOf(values, 3, [3, 0]));
  });

  it.each(isGpu(backend) ? [256, 65536] : [2, 3, 17, 256, 1000, 65536])('distinguish all of %i levels, normalized', async (count) => {
    const all = scoped(tf.range(0, count, 1, 'float32'));
    const x: tf.Tensor = scoped(tf.reshape(tf.div(all, count - 1), [1, 1, count, 1]));
    const table: tf.Tensor2D = scoped(tf.reshape(all, [count, 1]));
    expect(await take(embedLevels(x, table))).toEqual(Array.from({ length: count }, (_, i) => i));
    if (count <= 256) {
      const numbers = tf.tidy(() => tf.argMax(tf.reshape(oneHotLevels(x, count), [count, count]), 1));
      expect(await take(numbers)).toEqual(Array.from({ length: count }, (_, i) => i));
    }
  });

  it('distinguish the last of 2^20 levels, where float32 numbers in [0, 1] are closest', async () => {
    const [count, first] = [2 ** 20, 2 ** 20 - 2048];
    const last = scoped(tf.range(first, count, 1, 'float32'));
    const x: tf.Tensor = scoped(tf.reshape(tf.div(last, count - 1), [1, 1, 2048, 1]));
    const table: tf.Tensor2D = scoped(tf.reshape(tf.range(0, count, 1, 'float32'), [count, 1]));
    expect(await take(embedLevels(x, table))).toEqual(Array.from({ length: 2048 }, (_, i) => first + i));
  });

  it.skipIf(isGpu(backend))('take what is no number for no level', async () => {
    const x = scoped(tf.tensor4d([Number.NaN, Number.POSITIVE_INFINITY, 0.5, Number.NEGATIVE_INFINITY], [1, 1, 2, 2]));
    expect(await take(oneHotLevels(x, 3))).toEqual(hot([-1, -1, 1, -1], 3));
    const table = scoped(tf.tensor2d([1, 2, 3], [3, 1]));
    expect(await take(embedLevels(x, table))).toEqual([0, 0, 2, 0]);
  });

  it('embedLevels has second derivatives, and third', async () => {
    const x = scoped(tf.tensor4d([0, 1, 1, 0.5, 9], [1, 1, 5, 1])); // levels 0, 2, 2, 1 and none
    const table = scoped(tf.tensor2d([0.5, -1, 2], [3, 1]));
    // The sum over values of t^4, where the rows come once, once and twice; of the gradients' squares, and so on.
    const first = tf.grad((t: tf.Tensor) => tf.sum(tf.pow(embedLevels(x, t as tf.Tensor2D), 4)));
    const second = tf.grad((t: tf.Tensor) => tf.sum(tf.square(first(t))));
    const third = tf.grad((t: tf.Tensor) => tf.sum(second(t)));
    const powers = (factors: number[], power: number) => [0.5, -1, 2].map((t, i) => (factors[i] as number) * t ** power);
    const [a, b, c] = [first, second, third].map((of) => of(table)) as [tf.Tensor, tf.Tensor, tf.Tensor];
    expectClose(await take(a), powers([4, 4, 8], 3), 1e-4); // 4 n t^3
    expectClose(await take(b), powers([96, 96, 384], 5), 2e-2); // of (4 n t^3)^2: 96 n^2 t^5
    expectClose(await take(c), powers([480, 480, 1920], 4), 5e-2);
  });

  it.each([3, 4])('oneHotLevels makes numbers that a convolution takes, of %i levels', async (count) => {
    const images = 100; // of which webgpu computes convolutions by another program than of a few
    const x = scoped(tf.tensor4d(Array.from({ length: images }, () => [0, 1, 1, 0]).flat(), [images, 2, 2, 1]));
    const weights = Array.from({ length: 8 * count }, (_, i) => 1 + (Math.floor(i / 4) % count)); // of a level its number
    const kernel = scoped(tf.tensor4d(weights, [1, 2, count, 4]));
    const y = tf.tidy(() => tf.conv2d(oneHotLevels(x, count) as tf.Tensor4D, kernel, 1, 'valid')); // [N,2,1,4]
    expect(await take(y)).toEqual(new Array(8 * images).fill(1 + count)); // of both columns
  });

  it('let no gradient flow into the image', async () => {
    const x = scoped(tf.tensor4d([0, 0.5, 1], [1, 1, 3, 1]));
    const table = scoped(tf.tensor2d([1, 2, 3], [3, 1]));
    for (const of of [(image: tf.Tensor) => oneHotLevels(image, 3), (image: tf.Tensor) => embedLevels(image, table)]) {
      const gradient = tf.grad((image: tf.Tensor) => tf.add(tf.sum(of(image)), tf.sum(tf.mul(image, 3))));
      expect(await take(gradient(x))).toEqual([3, 3, 3]);
    }
  });

  it('leave no tensor behind, with and without a tape', async () => {
    const x = scoped(tf.zeros<tf.Rank.R4>([2, 2, 3, 2]));
    const table = scoped(tf.ones<tf.Rank.R2>([3, 4]));
    await expectNoLeaks(() => oneHotLevels(x, 3));
    await expectNoLeaks(() => embedLevels(x, table));
    await expectNoLeaks(() => tf.grad((t) => embedLevels(x, t as tf.Tensor2D))(table));
  });
});
