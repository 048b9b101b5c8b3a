import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { pixelNormalization } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { scoped } from '../scoped';
import { isGpu, onEachBackend } from '../support/backends';
import { expectClose, expectNoLeaks, noise, take } from '../support/tensors';

onEachBackend('PixelNormalization', (backend) => {
  it("normalizes each channel's group of each pixel by itself", async () => {
    const [pixels, channels, group, epsilon] = [2 * 3 * 2, 3, 5, 0.01];
    const features = channels * group;
    const layer = scoped(pixelNormalization({ epsilon }));
    const values = noise(pixels * features, 1).map((value, i) => value * (1 + (i % 4)) + 2);
    const [gamma, beta] = [noise(features, 2), noise(features, 3)];
    const x = scoped(tf.tensor4d(values, [2, 3, 2, features]));
    tf.dispose(layer.apply(x) as tf.Tensor); // builds it
    const weights = scoped([tf.tensor1d(gamma), tf.tensor1d(beta)]);
    layer.setWeights(weights);
    const y = layer.apply(x) as tf.Tensor;
    expect(layer.computeOutputShape(x.shape)).toEqual(y.shape);

    const expected: number[] = [];
    for (let first = 0; first < values.length; first += group) {
      const own = values.slice(first, first + group);
      let mean = 0;
      for (const value of own) mean += value / group;
      let variance = 0;
      for (const value of own) variance += (value - mean) ** 2 / group;
      for (const [i, value] of own.entries()) {
        const f = (first + i) % features;
        expected.push(((value - mean) / Math.sqrt(variance + epsilon)) * (gamma[f] as number) + (beta[f] as number));
      }
    }
    expectClose(await take(y), expected, isGpu(backend) ? 1e-4 : 1e-5);
  });

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
