import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { pixelNormalization } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { onEachBackend } from '../support/backends';
import { expectClose, expectNoLeaks, noise, take } from '../support/tensors';

onEachBackend('PixelNormalization', () => {
  it('is the layer normalization of tfjs where the image has one channel', async () => {
    for (const args of [{}, { epsilon: 0.3, center: false }, { scale: false }]) {
      await expectNoLeaks(async () => {
        const [layer, stock] = [pixelNormalization({ imageChannels: 1, ...args }), tfl.layers.layerNormalization(args)];
        const x = tf.tensor4d(noise(2 * 2 * 2 * 7), [2, 2, 2, 7]);
        const apply = (one: tfl.layers.Layer) => tf.tidy(() => one.apply(x) as tf.Tensor);
        for (const one of [layer, stock]) apply(one).dispose();
        expect(layer.weights.map(({ shape }) => shape)).toEqual(stock.weights.map(({ shape }) => shape));
        expectClose(await take(apply(layer)), await take(apply(stock)), 1e-6); // as they begin
        const weights = layer.weights.map((_, i) => tf.tensor1d(noise(7, i + 2)));
        for (const one of [layer, stock]) one.setWeights(weights);
        expectClose(await take(apply(layer)), await take(apply(stock)), 1e-5);
        for (const one of [layer, stock]) one.dispose();
        return [x, weights];
      });
    }
  });
});
