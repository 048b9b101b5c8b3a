import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import { expect, it } from 'vitest';
import { layerNorm } from '../../src/ops/layer-norm';
import { isGpu, onEachBackend } from '../support/backends';
import { take } from '../support/tensors';

onEachBackend('layerNorm', (backend) => {
  it.skipIf(isGpu(backend))('keeps NaN within its group, in gradients too', async () => {
    const x = tf.tensor4d([Number.NaN, 1, -1, 1, -1, 1, 1, Number.NaN], [1, 1, 2, 4]);
    const weights = { scale: undefined, shift: undefined };
    const { value, grad } = tf.valueAndGrad((xs: tf.Tensor) =>
      layerNorm({ x: xs as tf.Tensor4D, ...weights }, { groups: 2, epsilon: 1, norm: 'layer' }),
    )(x);
    for (const of of [value, grad])
      expect((await take(of)).map(Number.isNaN)).toEqual([true, true, false, false, false, false, true, true]);
    x.dispose();
  });

  it('takes as many operations for many pixels as for one', async () => {
    const counts = [];
    for (const side of [1, 6]) {
      const x = tf.ones<tf.Rank.R4>([2, side, side, 6]);
      const weights = { scale: undefined, shift: undefined };
      const gradient = tf.grad((xs) => layerNorm({ x: xs as tf.Tensor4D, ...weights }, { groups: 3, epsilon: 0.1, norm: 'layer' }));
      const { kernels, result } = await tf.profile(() => gradient(x));
      counts.push(kernels.length);
      tf.dispose([x, result as tf.Tensor]);
    }
    expect(counts[1]).toBe(counts[0]);
  });
});
