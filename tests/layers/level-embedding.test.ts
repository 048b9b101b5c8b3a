import * as tf from '@tensorflow/tfjs-core';
import { levelEmbedding, normalize } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { onEachBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { take } from '../support/tensors';

onEachBackend('LevelEmbedding', () => {
  it('is a row of one table for each channel, from what normalize makes', async () => {
    const layer = scoped(levelEmbedding({ levels: 3, units: 2 }));
    const labels = scoped(tf.tensor4d([2, 0, 2, 1], [1, 1, 2, 2], 'int32'));
    const x = scoped(normalize(labels, 3));
    const table = scoped(tf.tensor2d([1, 10, 2, 20, 3, 30], [3, 2]));
    tf.dispose(layer.apply(x)); // builds it
    layer.setWeights([table]);
    const y = layer.apply(x);
    expect(y.shape).toEqual([1, 1, 2, 4]);
    expect(await take(y)).toEqual([3, 30, 1, 10, 3, 30, 2, 20]);
  });
});
