import * as tf from '@tensorflow/tfjs-core';
import { upsampledMap } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { isGpu, onEachBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { expectClose, noise, take } from '../support/tensors';

onEachBackend('UpsampledMap', (backend) => {
  const [n, h, w, features] = [2, 2, 3, 2];

  it('repeats each place over rows and columns, and sums their gradients', async () => {
    const sizes = [[1, 1], [3, 1], [1, 2], [2, 3]] as const; // biome-ignore format: rows
    const values = noise(n * h * w * features);
    const x = scoped(tf.tensor4d(values, [n, h, w, features]));
    for (const [rows, columns] of isGpu(backend) ? sizes.slice(3) : sizes) {
      const [height, width] = [h * rows, w * columns];
      const layer = upsampledMap({ rows, columns });
      /** Where each value of the output comes from. */
      const from = Array.from({ length: n * height * width * features }, (_, i) => {
        const [feature, pixel] = [i % features, Math.floor(i / features)];
        const [column, row, image] = [pixel % width, Math.floor(pixel / width) % height, Math.floor(pixel / width / height)];
        return ((image * h + Math.floor(row / rows)) * w + Math.floor(column / columns)) * features + feature;
      });
      const y = layer.apply(x);
      expect(y.shape).toEqual([n, height, width, features]);
      expect(await take(y)).toEqual(from.map((at) => values[at]));
      const g = noise(from.length, 2);
      const gs = scoped(tf.tensor(g, [n, height, width, features]));
      const dx = tf.grad((input: tf.Tensor) => tf.sum(tf.mul(layer.apply(input), gs)))(x);
      const sums = new Array<number>(values.length).fill(0);
      for (const [i, at] of from.entries()) sums[at] = (sums[at] as number) + (g[i] as number);
      expectClose(await take(dx), sums, 1e-5);
    }
  });

  it('spreads features over rows and columns', async () => {
    const x = scoped(
      tf.tensor4d(
        Array.from({ length: 24 }, (_, i) => i),
        [1, 1, 2, 12],
      ),
    );
    const y = upsampledMap({ rows: 2, columns: 3, spread: true }).apply(x); // [1,2,6,2]
    const top = [0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 17]; // row 0 of both places, then row 1
    expect(await take(y)).toEqual([...top, ...top.map((feature) => feature + 6)]);
    const vector = scoped(
      tf.tensor2d(
        Array.from({ length: 6 }, (_, i) => i),
        [1, 6],
      ),
    );
    const map = upsampledMap({ rows: 3, columns: 1, spread: true }).apply(vector); // [1,3,1,2]
    expect([map.shape, await take(map)]).toEqual([[1, 3, 1, 2], [0, 1, 2, 3, 4, 5]]); // biome-ignore format: one line
    const dx = tf.grad((input: tf.Tensor) => tf.sum(tf.square(upsampledMap({ rows: 2, columns: 3, spread: true }).apply(input))))(x);
    expect(await take(dx)).toEqual(Array.from({ length: 24 }, (_, i) => 2 * i));
  });
});
