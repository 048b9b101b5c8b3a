import * as tf from '@tensorflow/tfjs-core';
import { gatedActivation } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { onEachBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { expectClose, noise, take } from '../support/tensors';

// Of conditions, gatedPixelCNNBlock and GatedResBlock have it.
onEachBackend('GatedActivation', () => {
  it.each([
    ['tanh', Math.tanh],
    ['linear', (a: number) => a],
  ] as const)('of kind %s is that of a, times sigmoid(b), of the halves of each group', async (kind, fn) => {
    const values = noise(8);
    const x = scoped(tf.tensor4d(values, [1, 1, 1, 8]));
    const y = scoped(gatedActivation({ imageChannels: 2, kind })).apply(x) as tf.Tensor;
    expect(y.shape).toEqual([1, 1, 1, 4]);
    const expected = [0, 1, 4, 5].map((a) => fn(values[a] as number) / (1 + Math.exp(-(values[a + 2] as number))));
    expectClose(await take(y), expected, 1e-5);
  });
});
