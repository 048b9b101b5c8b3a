import * as tf from '@tensorflow/tfjs-core';
import { pixelCNNResBlock } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { randomNumbers } from '../../kit/random.mjs';
import { partSeed } from '../../src/layers/seeds';
import { onEachBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { take } from '../support/tensors';

onEachBackend('PixelCNNResBlock', () => {
  it('drops features after its first convolution', async () => {
    const x = scoped(tf.fill([1, 3, 3, 4], 2));
    // conv_in takes features 0 and 1; conv_mid is the identity; conv_out gives them back, with a bias of 1.
    const eye = (rows: number, columns: number) =>
      tf.tidy(() => tf.reshape(tf.slice(tf.eye(4), [0, 0], [rows, columns]), [1, 1, rows, columns]));
    const weights = scoped([eye(4, 2), tf.zeros([2]), eye(2, 2), tf.zeros([2]), eye(2, 4), tf.ones([4])]);
    const block = scoped(pixelCNNResBlock({ filters: 2, imageChannels: 1, kernelSize: 1, dropout: 0.5, seed: 3, weights }));
    const uniform = randomNumbers(`${partSeed(3, 'dropout')}/0/0/0`);
    const dropped = Array.from({ length: 9 }, () => [0, 1].map(() => (uniform() < 0.5 ? 0 : 2 * 2)));
    // x + relu(what is left of features 0 and 1, and nothing of 2 and 3, + 1)
    const expected = dropped.flatMap(([a = 0, b = 0]) => [2 + a + 1, 2 + b + 1, 3, 3]);
    expect(await take(block.apply(x, { training: true }) as tf.Tensor)).toEqual(expected);
  });
});
