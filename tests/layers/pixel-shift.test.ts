import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { PixelShift, pixelShift } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { saveAndLoad } from '../support/memory-file';
import { grid } from '../support/slow-gated';
import { expectNoLeaks, noise, take } from '../support/tensors';

onEachBackend('PixelShift', (backend) => {
  const [n, h, w, features] = [2, 3, 4, 2];
  const size = h * w * features;

  it('moves all down and to the right, zeros coming in, and gradients back', async () => {
    const all = [0, 1, 2, 5].flatMap((rows) => [0, 1, 3, 4].map((columns) => [rows, columns] as const));
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

  it('leaves no tensor behind', () =>
    expectNoLeaks(() => {
      const x = tf.ones([1, 2, 2, 1]);
      return [x, pixelShift({ rows: 1 }).apply(x), pixelShift({ columns: 1 }).apply(x)];
    }));
});

describe('PixelShift', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it('comes back from a saved model', async () => {
    const layer = pixelShift({ rows: 1, columns: 2 });
    const model = tfl.sequential({ layers: [tfl.layers.inputLayer({ inputShape: [null, null, 2] }), layer] });
    const again = (await saveAndLoad(model)).layers.at(-1) as PixelShift;
    expect(again).toBeInstanceOf(PixelShift);
    expect(again.getConfig()).toEqual(layer.getConfig());
    expect(again.getConfig()).toMatchObject({ rows: 1, columns: 2 });
    expect(model.outputs[0]?.shape).toEqual([null, null, null, 2]);
  });

  it('names what is wrong', () => {
    expect(() => pixelShift(null as never)).toThrow('PixelShift: wanted an object of arguments');
    for (const wrong of [-1, 0.5, '1' as never]) {
      expect(() => pixelShift({ rows: wrong })).toThrow('PixelShift: rows: wanted an integer of at least 0');
      expect(() => pixelShift({ columns: wrong })).toThrow(
        'PixelShift: columns: wanted an integer of at least 0',
      );
    }
    const vector = tfl.input({ shape: [3] });
    expect(() => pixelShift({ rows: 1 }).apply(vector)).toThrow(
      'shift: input: wanted features [N,H,W,F], got [null, 3]',
    );
  });
});
