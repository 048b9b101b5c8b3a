import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { PixelLogits, pixelLogits } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, onEachBackend, useBackend } from '../support/backends';
import { take } from '../support/tensors';

onEachBackend('PixelLogits', () => {
  it('splits features channel-major: [.., C*L] -> [.., C, L]', async () => {
    const x = tf.reshape(tf.range(0, 12), [1, 1, 2, 6]);
    const y = pixelLogits({ imageChannels: 2, levels: 3 }).apply(x) as tf.Tensor;
    expect(y.shape).toEqual([1, 1, 2, 2, 3]);
    expect(await take(y)).toEqual(await take(x)); // same order: levels innermost, then channels
  });
});

describe('PixelLogits', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it('takes images of unknown size', () => {
    const y = pixelLogits({ imageChannels: 3, levels: 4 }).apply(tfl.input({ shape: [null, null, 12] }));
    expect((y as tfl.SymbolicTensor).shape).toEqual([null, null, null, 3, 4]);
  });

  it('has no weights, and a config that makes it again', () => {
    const layer = pixelLogits({ imageChannels: 3, levels: 4, name: 'logits' });
    expect(layer.getWeights()).toEqual([]);
    const again = PixelLogits.fromConfig(PixelLogits, layer.getConfig());
    expect(again.getConfig()).toEqual(layer.getConfig());
  });

  it('names what is wrong', () => {
    expect(() => pixelLogits({ imageChannels: 0, levels: 4 })).toThrow('PixelLogits: imageChannels');
    expect(() => pixelLogits({ imageChannels: 1, levels: 1 })).toThrow('PixelLogits: levels');
    expect(() =>
      pixelLogits({ imageChannels: 3, levels: 4 }).apply(tfl.input({ shape: [2, 2, 11] })),
    ).toThrow('PixelLogits: input features: wanted imageChannels * levels = 12, got 11');
  });
});
