import * as tf from '@tensorflow/tfjs-core';
import { getMask } from 'pixelcnn-layers';
import { beforeAll, expect, it } from 'vitest';
import { CausalMask } from '../../src/layers/causal-mask';
import { useBackend } from '../support/backends';
import { expectNoLeaks, take } from '../support/tensors';

beforeAll(() => useBackend('cpu'));

it('keeps the causal rows of a kernel, masked', async () => {
  const args = { kernelSize: [5, 3] as [number, number], featuresIn: 3, featuresOut: 6 };
  const mask = new CausalMask(args);
  const causal = tf.tidy(() => mask.apply(tf.ones([5, 3, 3, 6])));
  expect(causal.shape).toEqual([3, 3, 3, 6]); // rows 0, 1 and the centre's, 2
  expect(await take(causal)).toEqual(Array.from(getMask(args).values.subarray(0, 3 * 3 * 3 * 6)));
  mask.dispose();
});

it('costs nothing where it hides nothing', async () => {
  await expectNoLeaks(() => {
    const mask = new CausalMask({ kernelSize: 1, featuresIn: 4, featuresOut: 4, imageChannels: 1 });
    const kernel = tf.ones<tf.Rank.R4>([1, 1, 4, 4]);
    expect(mask.apply(kernel)).toBe(kernel);
    mask.dispose();
    return kernel;
  });
});

it('outlives the tidy in which it was made, and goes when disposed', async () => {
  await expectNoLeaks(() => {
    let mask: CausalMask | undefined;
    tf.tidy(() => {
      mask = new CausalMask({ kernelSize: 3, featuresIn: 3, featuresOut: 3 });
    });
    tf.tidy(() => mask?.apply(tf.ones([3, 3, 3, 3])).dispose());
    mask?.dispose();
  });
});
