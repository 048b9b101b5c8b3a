import * as tf from '@tensorflow/tfjs-core';
import { placeEmbedding, rasterShift } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { onEachBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { expectClose, take } from '../support/tensors';

onEachBackend('RasterShift', () => {
  it.each([
    [1, 1, [9]],
    [3, 1, [9, 1, 2]],
    [2, 2, [9, 1, 2, 3]],
  ])('gives each place of a map %i x %i what the place before it has', async (height, width, expected) => {
    const layer = scoped(rasterShift({ weights: [tf.tensor1d([9])] }));
    const x = scoped(tf.tensor4d([1, 2, 3, 4].slice(0, height * width), [1, height, width, 1]));
    expectClose(await take(layer.apply(x)), expected, 0);
  });

  it.each([[0, 2, 2], [2, 0, 2], [2, 2, 0]])('takes batches without images, and maps without places: [%i,%i,%i,3]', async (...shape) => {
    const layer = scoped(rasterShift());
    const x = scoped(tf.zeros([...shape, 3]));
    const y = scoped(layer.apply(x) as tf.Tensor);
    expect(y.shape).toEqual(x.shape);
  }); // biome-ignore format: rows
});

onEachBackend('PlaceEmbedding', () => {
  it('adds a vector of the place, and linear projections of conditions of images and of places', async () => {
    const table = tf.tensor3d([10, 20, 30, 40], [1, 2, 2]);
    const [ofVector, ofMap] = [tf.tensor2d([1, 2], [1, 2]), tf.tensor2d([100, 200, 300, 400], [2, 2])].map((kernel) =>
      tf.reshape(kernel, [1, 1, -1, 2]),
    );
    const layer = scoped(placeEmbedding({ weights: [table, ofVector as tf.Tensor, ofMap as tf.Tensor] }));
    const inputs = [tf.ones([2, 1, 2, 2]), tf.tensor2d([3, 4], [2, 1]), tf.tensor4d([1, 0, 0, 1, 0, 0, 0, 0], [2, 1, 2, 2])];
    const first = [1 + 10 + 3 + 100, 1 + 20 + 6 + 200, 1 + 30 + 3 + 300, 1 + 40 + 6 + 400];
    const second = [1 + 10 + 4, 1 + 20 + 8, 1 + 30 + 4, 1 + 40 + 8];
    expectClose(await take(layer.apply(inputs)), [...first, ...second], 1e-6);
    tf.dispose([inputs, table, ofVector as tf.Tensor, ofMap as tf.Tensor]);
  });

  it('refuses maps of another size than before, which its table would be repeated for', () => {
    const layer = scoped(placeEmbedding());
    tf.dispose(layer.apply(tf.zeros([1, 1, 2, 3])));
    expect(() => layer.apply(tf.zeros([1, 4, 2, 3]))).toThrow('[1,2], got [4, 2]');
  });
});
