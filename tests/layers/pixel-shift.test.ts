import * as tf from '@tensorflow/tfjs-core';
import { pixelShift } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { isGpu, onEachBackend } from '../support/backends';
import { grid } from '../support/slow/gated';
import { noise, take } from '../support/tensors';

onEachBackend('PixelShift', (backend) => {
  const [n, h, w, features] = [2, 3, 4, 2];
  const size = h * w * features;

  it('moves all down and to the right, zeros coming in, and gradients back', async () => {
    const all = [0, 1, 2, 2 ** 30].flatMap((rows) => [0, 1, 3, 2 ** 30].map((columns) => [rows, columns] as const));
    const values = noise(n * size);
    const x = tf.tensor4d(values, [n, h, w, features]);
    const g = noise(n * size, 2);
    const gs = tf.tensor(g, x.shape);
    for (const [rows, columns] of isGpu(backend) ? all.slice(4, 6) : all) {
      const layer = pixelShift({ rows, columns });
      const moved = (of: Float32Array, down: number, right: number) =>
        Array.from({ length: n }, (_, image) => {
          const from = grid(of.slice(image * size, (image + 1) * size), [h, w, features]);
          const place = (r: number, c: number) => from[r - down]?.[c - right] ?? new Array(features).fill(0);
          return Array.from({ length: h * w }, (_, at) => place(Math.floor(at / w), at % w));
        }).flat(2);
      const y = layer.apply(x);
      expect(y.shape).toEqual(x.shape);
      expect(await take(y)).toEqual(moved(values, rows, columns));
      const dx = tf.grad((input: tf.Tensor) => tf.sum(tf.mul(layer.apply(input), gs)))(x);
      expect(await take(dx)).toEqual(moved(g, -rows, -columns));
    }
    tf.dispose([x, gs]);
  });
});
