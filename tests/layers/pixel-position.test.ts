import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { PixelPosition, pixelPosition } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { onEachBackend, useBackend } from '../support/backends';
import { saveAndLoad } from '../support/memory-file';
import { expectClose, expectNoLeaks, take } from '../support/tensors';

onEachBackend('PixelPosition', () => {
  it.each([
    [1, 1],
    [2, 4],
    [3, 2],
  ])('is the place of each pixel of %i x %i, from -1/2 on, whatever its features', async (h, w) => {
    const x = tf.fill([2, h, w, 3], 7);
    const y = pixelPosition().apply(x);
    expect(y.shape).toEqual([2, h, w, 2]);
    const place = Array.from({ length: h * w }, (_, i) => [Math.floor(i / w) / h - 0.5, (i % w) / w - 0.5]);
    expectClose(await take(y), [...place, ...place].flat(), 1e-6);
    x.dispose();
  });

  it('has no gradient, and leaves no tensor behind', () =>
    expectNoLeaks(async () => {
      const x = tf.ones([1, 2, 2, 1]);
      const dx = tf.grad((input: tf.Tensor) => tf.sum(tf.mul(tf.sum(input), tf.sum(pixelPosition().apply(input)))))(x); // biome-ignore format: one line
      expectClose(await take(dx), [-2, -2, -2, -2], 1e-6); // the sum of positions, times the slope of the sum
      return x;
    }));
});

it('PixelPosition comes back from a saved model, and takes maps only', async () => {
  await useBackend('cpu');
  const layers = [tfl.layers.inputLayer({ inputShape: [null, 2, 3] }), pixelPosition({ name: 'place' })];
  const model = tfl.sequential({ layers });
  expect(model.outputs[0]?.shape).toEqual([null, null, 2, 2]);
  const again = (await saveAndLoad(model)).getLayer('place');
  expect(again).toBeInstanceOf(PixelPosition);
  expect(again.getConfig()).toEqual(model.getLayer('place').getConfig());
  expect(() => pixelPosition('x' as never)).toThrow('PixelPosition: wanted an object of arguments');
  expect(() => pixelPosition().apply(tfl.input({ shape: [3] }))).toThrow(
    'position: input: wanted features [N,H,W,F], got [null, 3]',
  );
});
