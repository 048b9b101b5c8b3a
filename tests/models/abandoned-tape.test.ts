import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // registers the gradients
import { expect, it } from 'vitest';
import { disposeAbandonedTape } from '../../src/models/abandoned-tape';
import { onEachBackend } from '../support/backends';
import { expectNoLeaks, take } from '../support/tensors';

onEachBackend('disposeAbandonedTape', () => {
  const failing = (x: tf.Tensor) => {
    tf.square(x); // saves x
    throw new Error('from the loss');
  };

  it('lets go of what an error in a loss left behind', async () => {
    const weight = tf.variable(tf.scalar(3));
    await expectNoLeaks(() => {
      expect(() => tf.variableGrads(() => failing(weight))).toThrow('from the loss');
      disposeAbandonedTape();
      disposeAbandonedTape(); // nothing more to do
    });
    const { value, grads } = tf.variableGrads(() => tf.square(weight) as tf.Scalar); // gradients go on as before
    expect(await take(grads[weight.name] as tf.Tensor)).toEqual([6]);
    tf.dispose([value, weight]);
  });

  it('leaves the tape of an outer gradient alone', async () => {
    const x = tf.scalar(3);
    const slope = tf.grad((outer) => {
      const y = tf.square(outer); // 2 * 3
      expect(() => tf.grad(failing)(outer)).toThrow('from the loss');
      disposeAbandonedTape();
      return y;
    })(x);
    expect(await take(slope)).toEqual([6]);
    disposeAbandonedTape();
    x.dispose();
  });
});
