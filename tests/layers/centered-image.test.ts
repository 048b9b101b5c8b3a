import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { CenteredImage, centeredImage } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { onEachBackend, useBackend } from '../support/backends';
import { saveAndLoad } from '../support/memory-file';
import { expectClose, expectNoLeaks, take } from '../support/tensors';

onEachBackend('CenteredImage', () => {
  it('scales [0, 1] to [-1, 1] and adds a channel of ones, with the slope 2', async () => {
    for (const channels of [1, 2, 3]) {
      const values = Array.from({ length: 4 * channels }, (_, i) => Math.fround(i / (4 * channels - 1)));
      const x = tf.tensor4d(values, [2, 1, 2, channels]);
      const y = centeredImage().apply(x);
      expect(y.shape).toEqual([2, 1, 2, channels + 1]);
      const pixels = [0, 1, 2, 3].map((i) => values.slice(channels * i, channels * (i + 1)));
      const wanted = pixels.flatMap((pixel) => [...pixel.map((of) => 2 * of - 1), 1]);
      expectClose(await take(y), wanted, 2e-7);
      const g = Array.from({ length: 4 * (channels + 1) }, (_, i) => i + 1);
      const gs = tf.tensor(g, [2, 1, 2, channels + 1]);
      const dx = tf.grad((input: tf.Tensor) => tf.sum(tf.mul(centeredImage().apply(input), gs)))(x);
      expect(await take(dx)).toEqual(g.filter((_, i) => i % (channels + 1) < channels).map((of) => 2 * of));
      tf.dispose([x, gs]);
    }
  });

  it('leaves no tensor behind, and reads levels as numbers', () =>
    expectNoLeaks(async () => {
      const x = tf.tensor4d([0, 1], [1, 2, 1, 1], 'int32');
      expect(await take(centeredImage().apply(x))).toEqual([-1, 1, 1, 1]);
      return x;
    }));
});

it('CenteredImage comes back from a saved model, and takes images only', async () => {
  await useBackend('cpu');
  const layers = [tfl.layers.inputLayer({ inputShape: [null, 2, 3] }), centeredImage({ name: 'image' })];
  const model = tfl.sequential({ layers });
  expect(model.outputs[0]?.shape).toEqual([null, null, 2, 4]);
  const again = (await saveAndLoad(model)).getLayer('image');
  expect(again).toBeInstanceOf(CenteredImage);
  expect(again.getConfig()).toEqual(model.getLayer('image').getConfig());
  expect(() => centeredImage('x' as never)).toThrow('CenteredImage: wanted an object of arguments');
  expect(() => centeredImage().apply(tfl.input({ shape: [2, 2, 3, 4] }))).toThrow('[N,H,W,F]');
});
