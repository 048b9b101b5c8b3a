import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import { expect, it } from 'vitest';
import { layerNorm } from '../../src/ops/layer-norm';
import { onEachBackend } from '../support/backends';

onEachBackend('layerNorm', () => {
  it('takes as many operations for many pixels as for one', async () => {
    const counts = [];
    for (const side of [1, 6]) {
      const x = tf.ones<tf.Rank.R4>([2, side, side, 6]);
      const weights = { scale: undefined, shift: undefined };
      const gradient = tf.grad((xs) => layerNorm({ x: xs as tf.Tensor4D, ...weights }, { groups: 3, epsilon: 0.1 })); // biome-ignore format: one line
      const { kernels, result } = await tf.profile(() => gradient(x));
      counts.push(kernels.length);
      tf.dispose([x, result as tf.Tensor]);
    }
    expect(counts[1]).toBe(counts[0]);
  });
});
