import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import { expect, it } from 'vitest';
import { gate } from '../../src/ops/gate';
import { isGpu, onEachBackend } from '../support/backends';
import { take } from '../support/tensors';

onEachBackend('gate', (backend) => {
  it.skipIf(isGpu(backend))('keeps NaN', async () => {
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
    const x = tf.tensor4d([nan, 0, 0, nan, infinity, -infinity, -infinity, infinity], [1, 1, 4, 2]);
    const dy = tf.ones([1, 1, 4, 1]);
    const { value, grad } = tf.valueAndGrad((xs: tf.Tensor) => gate(xs as tf.Tensor4D, 1) as tf.Tensor)(x, dy);
    expect(await take(value)).toEqual([nan, nan, 0, -1]);
    expect(await take(grad)).toEqual([nan, nan, nan, nan, 0, 0, 0, -0]);
    const linear = tf.valueAndGrad((xs: tf.Tensor) => gate(xs as tf.Tensor4D, 1, null, 'linear') as tf.Tensor);
    const { value: y, grad: dx } = linear(x, dy);
    expect(await take(y)).toEqual([nan, nan, nan, -infinity]); // of Infinity, times 0 and 1
    expect(await take(dx)).toEqual([0.5, nan, nan, nan, 0, nan, 1, nan]);
    tf.dispose([x, dy]);
  });
});
