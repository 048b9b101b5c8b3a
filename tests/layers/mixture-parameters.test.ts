import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { MixtureParameters, mixtureParameters } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, onEachBackend, useBackend } from '../support/backends';
import { take } from '../support/tensors';

onEachBackend('MixtureParameters', () => {
  it.each([
    // features are 1 to C*3K; K = 1: logit, mean, log scale of each channel
    [2, [1, 2, 3, 5, 6, 0]],
    [3, [1, 2, 3, 0, 5, 6, 0, 8, 9, 0]],
    [4, [1, 2, 3, 5, 6, 8, 9, 11, 12, 0, 0, 0, 0, 0, 0]],
  ])('puts the features of %i channels in order, with coefficients of 0', async (imageChannels, expected) => {
    const features = 3 * imageChannels;
    const x = tf.reshape(tf.range(1, features + 1), [1, 1, 1, features]);
    const y = mixtureParameters({ imageChannels, components: 1 }).apply(x) as tf.Tensor;
    expect(await take(y)).toEqual(expected);
    x.dispose();
  });

  it('has gradients: 1 for what it uses', async () => {
    const layer = mixtureParameters({ imageChannels: 2, components: 2 });
    const gradient = tf.grad((x) => tf.sum(layer.apply(x) as tf.Tensor))(tf.ones([1, 1, 2, 12]));
    expect(await take(gradient)).toEqual([...used, ...used]);
  });
  const used = [1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1]; // all but the logits of the second channel
});

describe('MixtureParameters', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it('has a config that makes it again', () => {
    const layer = mixtureParameters({ imageChannels: 3, components: 2 });
    const again = MixtureParameters.fromConfig(MixtureParameters, layer.getConfig());
    expect(again.getConfig()).toEqual(layer.getConfig());
    expect((again as MixtureParameters).computeOutputShape([null, null, null, 18])).toEqual([
      null,
      null,
      null,
      20,
    ]);
  });

  it('names what is wrong', () => {
    expect(() => mixtureParameters({ imageChannels: 0, components: 2 })).toThrow(
      'MixtureParameters: imageChannels',
    );
    expect(() => mixtureParameters({ imageChannels: 1, components: 0 })).toThrow(
      'MixtureParameters: components',
    );
    expect(() =>
      mixtureParameters({ imageChannels: 3, components: 2 }).apply(tfl.input({ shape: [2, 2, 17] })),
    ).toThrow('MixtureParameters: input features: wanted 3 * imageChannels * components = 18, got 17');
  });
});
