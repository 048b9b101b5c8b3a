import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { checkCausality, levelLogProbs, normalize, pixelLogits, sample } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { outputsOf } from '../../src/inference/batches';
import { onEachBackend, useBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { take } from '../support/tensors';

type Symbolic = tfl.SymbolicTensor;

/** From features of an image of two channels to logits of three levels, by a kernel of 1x1: logit i is the sum of all features times i + 1. */
function logitsOf(features: Symbolic): Symbolic {
  const [rows, out] = [features.shape.at(-1) as number, 6];
  const numbers = Array.from({ length: rows * out }, (_, i) => (i % out) + 1);
  const kernel = tf.tensor4d(numbers, [1, 1, rows, out]);
  const conv = tfl.layers.conv2d({ filters: out, kernelSize: 1, weights: [kernel, tf.zeros([out])] });
  return pixelLogits({ imageChannels: 2, levels: 3 }).apply(conv.apply(features) as Symbolic) as Symbolic;
}

it('outputs of a whole model are of the height and width of its images', async () => {
  await useBackend('cpu');
  const image = tfl.input({ shape: [null, null, 2] });
  const cropped = tfl.layers.cropping2D({ cropping: [[0, 0], [1, 0]] }).apply(image); // biome-ignore format: pairs
  const model = scoped(tfl.model({ inputs: image, outputs: logitsOf(cropped as Symbolic) }));
  const [x, labels] = [scoped(tf.zeros<tf.Rank.R4>([1, 2, 3, 2])), scoped(tf.zeros<tf.Rank.R4>([1, 2, 3, 2], 'int32'))];
  const message = 'model: wanted outputs of height 2 and width 3, as the images have, got';
  expect(() => tf.tidy(() => outputsOf(model, x, []))).toThrow(message);
  await expect(levelLogProbs(model, labels)).rejects.toThrow(message);
  await expect(checkCausality(model, { imageShape: [2, 3, 2] })).rejects.toThrow(message);
  await expect(sample(model, { strategy: 'full', imageShape: [2, 3, 2], seed: 1 })).rejects.toThrow(message);
});

onEachBackend('normalize', () => {
  it('brings levels to [0, 1]', async () => {
    const images = scoped(tf.tensor1d([0, 4, 16], 'int32'));
    const x = normalize(images, 17);
    expect(x.dtype).toBe('float32');
    expect(await take(x)).toEqual([0, 0.25, 1]);
    expect(await take(normalize(images))).toEqual([0, 4 / 255, 16 / 255].map(Math.fround)); // 256 levels by default
    const none = scoped(tf.zeros<tf.Rank.R4>([0, 2, 2, 1], 'int32'));
    const empty = normalize(none);
    expect([empty.shape, empty.dtype, await take(empty)]).toEqual([[0, 2, 2, 1], 'float32', []]);
  });

  it('leads back to every level', async () => {
    for (const levels of [2, 3, 255, 256, 257, 511, 512, 4097, 50_000, 65_535, 65_536]) {
      const codes = tf.range(0, levels, 1, 'int32');
      const x = normalize(codes, levels);
      const back = tf.tidy(() => tf.cast(tf.round(tf.mul(x, levels - 1)), 'int32'));
      const [xs, backs] = [await take(x), await take(back)];
      codes.dispose();
      expect([levels, xs[0], xs.at(-1)]).toEqual([levels, 0, 1]);
      const wrong = backs.filter((level, code) => level !== code).length;
      const wrongInJavaScript = xs.filter((value, code) => Math.round(value * (levels - 1)) !== code).length;
      expect([levels, wrong, wrongInJavaScript]).toEqual([levels, 0, 0]);
    }
  });

  it('refuses fewer than two levels', () => {
    expect(() => normalize(tf.zeros([2]), 1)).toThrow('normalize: levels: wanted an integer of at least 2, got 1');
  });
});
