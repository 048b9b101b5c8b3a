import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { ConcatElu, concatElu } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { onEachBackend, useBackend } from '../support/backends';
import { saveAndLoad } from '../support/memory-file';
import { expectClose, expectNoLeaks, noise, take } from '../support/tensors';

onEachBackend('ConcatElu', () => {
  it('is elu(x) of all features, then elu(-x) of all, with its gradient', async () => {
    const values = [...Array.from(noise(24), (x) => Math.fround(3 * x)), 0, 30, -30];
    const x = tf.tensor4d(values, [3, 1, 3, 3]);
    const y = concatElu().apply(x);
    expect(y.shape).toEqual([3, 1, 3, 6]);
    const pixels = Array.from({ length: 9 }, (_, i) => values.slice(3 * i, 3 * i + 3));
    const elu = (of: number) => (of > 0 ? of : Math.expm1(of));
    expectClose(
      await take(y),
      pixels.flatMap((pixel) => [...pixel.map(elu), ...pixel.map((of) => elu(-of))]),
      1e-6,
    );

    const g = noise(54, 2);
    const gs = tf.tensor(g, [3, 1, 3, 6]);
    const dx = tf.grad((input: tf.Tensor) => tf.sum(tf.mul(concatElu().apply(input), gs)))(x);
    const slope = (of: number) => (of > 0 ? 1 : Math.exp(of));
    const slopes = values.map((of, i) => {
      const [pixel, f] = [Math.floor(i / 3), i % 3];
      return slope(of) * (g[6 * pixel + f] as number) - slope(-of) * (g[6 * pixel + 3 + f] as number);
    });
    expectClose(await take(dx), slopes, 1e-5);
    tf.dispose([x, gs]);
  });

  it('leaves no tensor behind', () =>
    expectNoLeaks(() => {
      const x = tf.ones([1, 2, 2, 1]);
      return [x, concatElu().apply(x)];
    }));
});

it('ConcatElu comes back from a saved model, and has no arguments of its own', async () => {
  await useBackend('cpu');
  const layers = [tfl.layers.inputLayer({ inputShape: [null, 2, 3] }), concatElu({ name: 'both' })];
  const model = tfl.sequential({ layers });
  expect(model.outputs[0]?.shape).toEqual([null, null, 2, 6]);
  const again = (await saveAndLoad(model)).getLayer('both');
  expect(again).toBeInstanceOf(ConcatElu);
  expect(again.getConfig()).toEqual(model.getLayer('both').getConfig());
  expect(() => concatElu(1 as never)).toThrow('ConcatElu: wanted an object of arguments');
});
