import * as tf from '@tensorflow/tfjs-core';
import { normalize } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { onEachBackend } from '../support/backends';
import { take } from '../support/tensors';

onEachBackend('normalize', () => {
  it('brings levels to [0, 1]', async () => {
    const images = tf.tensor1d([0, 4, 16], 'int32');
    const x = normalize(images, 17);
    expect(x.dtype).toBe('float32');
    expect(await take(x)).toEqual([0, 0.25, 1]);
    expect(await take(normalize(images))).toEqual([0, 4 / 255, 16 / 255].map(Math.fround)); // 256 levels by default
    images.dispose();
  });

  it('refuses fewer than two levels', () => {
    expect(() => normalize(tf.zeros([2]), 1)).toThrow(
      'normalize: levels: wanted an integer of at least 2, got 1',
    );
  });
});
