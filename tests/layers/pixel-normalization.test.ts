import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  type AutoregressiveModel,
  autoregressiveModel,
  bitsPerDim,
  checkCausality,
  logProb,
  maskedConv2d,
  normalize,
  PixelNormalization,
  pixelLogits,
  pixelNormalization,
  sample,
  toPortable,
} from 'pixelcnn-layers';
import { sample as drawPortable, readPortable, writePortable } from 'pixelcnn-layers/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { saveAndLoad } from '../support/memory-file';
import { expectClose, expectNoLeaks, noise, setNoise, take, weightGradients } from '../support/tensors';

type Symbolic = tfl.SymbolicTensor;

const LEVELS = 4;

/** Masked convolutions with a normalization between each and the next, from images [3,4,C] to logits. */
function network(channels: number, normalization: () => tfl.layers.Layer): AutoregressiveModel {
  const image = tfl.input({ shape: [3, 4, channels] });
  const conv = (filters: number, args: object, x: Symbolic) =>
    maskedConv2d({ filters: filters * channels, imageChannels: channels, kernelSize: 3, ...args }).apply(x) as Symbolic; // biome-ignore format: one line
  const normalized = (x: Symbolic) => normalization().apply(x) as Symbolic;
  const first = normalized(conv(4, { maskType: 'A' }, image));
  const second = normalized(conv(3, { activation: 'relu' }, first));
  const logits = conv(LEVELS, { kernelSize: 1 }, second);
  const outputs = pixelLogits({ imageChannels: channels, levels: LEVELS }).apply(logits) as Symbolic;
  const model = autoregressiveModel({ inputs: image, outputs });
  setNoise(model);
  return model;
}

const own = (channels: number) => network(channels, () => pixelNormalization({ imageChannels: channels }));

onEachBackend('PixelNormalization', (backend) => {
  it("normalizes each channel's group of each pixel by itself", async () => {
    const [pixels, channels, group, epsilon] = [2 * 3 * 2, 3, 5, 0.01];
    const features = channels * group;
    const layer = pixelNormalization({ epsilon });
    const values = noise(pixels * features, 1).map((value, i) => value * (1 + (i % 4)) + 2);
    const [gamma, beta] = [noise(features, 2), noise(features, 3)];
    const x = tf.tensor4d(values, [2, 3, 2, features]);
    tf.dispose(layer.apply(x) as tf.Tensor); // builds it
    const weights = [tf.tensor1d(gamma), tf.tensor1d(beta)];
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
        expected.push(((value - mean) / Math.sqrt(variance + epsilon)) * (gamma[f] as number) + (beta[f] as number)); // biome-ignore format: one line
      }
    }
    expectClose(await take(y), expected, isGpu(backend) ? 1e-4 : 1e-5);
    tf.dispose([x, weights]);
    layer.dispose();
  });

  it('is the layer normalization of tfjs where the image has one channel', async () => {
    for (const args of [{}, { epsilon: 0.3, center: false }, { scale: false }]) {
      await expectNoLeaks(async () => {
        const [layer, stock] = [pixelNormalization({ imageChannels: 1, ...args }), tfl.layers.layerNormalization(args)]; // biome-ignore format: one line
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

  it('has gradients for gamma and beta', async () => {
    await expectNoLeaks(async () => {
      const layer = pixelNormalization({ imageChannels: 2, epsilon: 1 });
      const x = tf.tensor4d([1, 3, 5, 5, -2, 2, 9, 11], [1, 1, 2, 4]); // normals are +-1 / sqrt(2), 0, +-2 / sqrt(5), +-1 / sqrt(2)
      const [a, b] = [Math.SQRT1_2, 2 / Math.sqrt(5)];
      const dy = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 2, 4]);
      tf.dispose(layer.apply(x) as tf.Tensor); // builds it
      const loss = () => tf.tidy(() => tf.sum(tf.mul(layer.apply(x) as tf.Tensor, dy))) as tf.Scalar;
      const [gamma, beta] = weightGradients(layer, loss) as [tf.Tensor, tf.Tensor];
      expectClose(await take(gamma), [-a - 5 * b, 2 * a + 6 * b, -7 * a, 8 * a], 1e-5);
      expectClose(await take(beta), [1 + 5, 2 + 6, 3 + 7, 4 + 8], 1e-5);
      layer.dispose();
      return [x, dy];
    });
  });

  it.skipIf(isGpu(backend))('trains, and leaves no tensor behind', async () => {
    await expectNoLeaks(async () => {
      const model = own(2);
      const optimizer = tf.train.adam(0.02, 0.9, 0.999, 1e-7);
      model.compile({ optimizer, loss: bitsPerDim });
      const labels = tf.tensor4d(Array.from({ length: 4 * 24 }, (_, i) => i % LEVELS), [4, 3, 4, 2], 'int32'); // biome-ignore format: one line
      const xs = normalize(labels, LEVELS);
      const { history } = await model.fit(xs, labels, { epochs: 25, verbose: 0 });
      const losses = history['loss'] as number[];
      expect(losses.at(-1)).toBeLessThan(0.9 * (losses[0] as number));
      model.dispose();
      optimizer.dispose();
      return [labels, xs];
    });
  });
});

describe.runIf(backends.includes('cpu'))('PixelNormalization', () => {
  beforeAll(() => useBackend('cpu'));

  it.each([1, 2, 3])('keeps the order of channels, %i of them', async (channels) => {
    const model = own(channels);
    expect(await checkCausality(model, { inputs: 'all' })).toEqual({ causal: true, leaks: [] });
    model.dispose();
  });

  it('keeps the order where the layer normalization of tfjs does not', async () => {
    const stock = network(3, () => tfl.layers.layerNormalization());
    const { causal, layer } = await checkCausality(stock, { inputs: 'all' });
    expect([causal, layer]).toEqual([false, expect.stringContaining('layer_normalization')]);
    stock.dispose();
  });

  it.each([1, 3])(
    'is drawn pixel by pixel as by whole passes, %i channels, and as a file',
    async (channels) => {
      const model = own(channels);
      const options = { numImages: 40, seed: 1 };
      const draw = async (strategy: 'full' | 'incremental') => take(await sample(model, { ...options, strategy })); // biome-ignore format: one line
      const images = await draw('incremental');
      expect(images).toEqual(await draw('full'));
      expect(new Set(images).size).toBe(LEVELS);
      const portable = readPortable(writePortable(await toPortable(model)));
      expect(portable.nodes.filter(({ op }) => op === 'normalize')).toHaveLength(2);
      expect(Array.from((await drawPortable(portable, options)).data)).toEqual(images);
      model.dispose();
    },
  );

  it('has the log-probability of whole passes', async () => {
    const model = own(3);
    const labels = tf.tensor4d(Array.from({ length: 72 }, (_, i) => (i * i) % LEVELS), [2, 3, 4, 3], 'int32'); // biome-ignore format: one line
    const bits = tf.tidy(() => bitsPerDim(labels, model.apply(normalize(labels, LEVELS)) as tf.Tensor));
    const nats = (await take(bits)).map((value) => -value * Math.LN2 * 36);
    expectClose(await take(await logProb(model, labels)), nats, 1e-4);
    labels.dispose();
    model.dispose();
  });

  it('comes back from a saved model', async () => {
    const x = tfl.input({ shape: [null, 2, 4] });
    const args = { imageChannels: 2, epsilon: 0.25, center: false, scale: true };
    const model = tfl.model({
      inputs: x,
      outputs: pixelNormalization({ ...args, name: 'normal' }).apply(x) as Symbolic,
    });
    const loaded = await saveAndLoad(model);
    const again = loaded.getLayer('normal');
    expect(again).toBeInstanceOf(PixelNormalization);
    expect(again.getConfig()).toMatchObject({ ...args, name: 'normal' });
    expect(again.weights.map(({ originalName }) => originalName)).toEqual(['normal/gamma']);
    for (const one of [model, loaded]) one.dispose();
  });

  it('has the settings of tfjs where none are given, and three channels', () => {
    expect(pixelNormalization().getConfig()).toMatchObject({
      imageChannels: 3,
      epsilon: 1e-3,
      center: true,
      scale: true,
    });
  });

  it('names what is wrong', async () => {
    expect(() => pixelNormalization(null as never)).toThrow('PixelNormalization: wanted an object');
    expect(() => pixelNormalization({ imageChannels: 0 })).toThrow('PixelNormalization: imageChannels');
    for (const epsilon of [-1, 0, Number.NaN, '1' as never]) {
      expect(() => pixelNormalization({ epsilon })).toThrow('PixelNormalization: epsilon: wanted a number above 0'); // biome-ignore format: one line
    }
    expect(() => pixelNormalization({ center: 1 as never })).toThrow('PixelNormalization: center: wanted true or false'); // biome-ignore format: one line
    expect(() => pixelNormalization({ scale: 'no' as never })).toThrow('PixelNormalization: scale: wanted true or false'); // biome-ignore format: one line
    const apply = (shape: (number | null)[]) => () => pixelNormalization().apply(tfl.input({ shape }));
    await expectNoLeaks(() => {
      expect(apply([4, 4, 8])).toThrow('PixelNormalization: input features: wanted a multiple of imageChannels (3), got 8'); // biome-ignore format: one line
      expect(apply([4, 4])).toThrow('PixelNormalization: input: wanted one tensor');
      expect(apply([4, 4, null])).toThrow('PixelNormalization: input: wanted one tensor');
    });
    const layer = pixelNormalization();
    layer.apply(tfl.input({ shape: [4, 4, 6] }));
    expect(() => layer.apply(tfl.input({ shape: [4, 4, 9] }))).toThrow('expected axis 3 of input shape to have value 6'); // biome-ignore format: one line
    layer.dispose();
  });
});
