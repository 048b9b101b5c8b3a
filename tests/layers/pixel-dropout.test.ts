import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { type Ops, PixelLayer, pixelDropout } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { randomNumbers } from '../../kit/random.mjs';
import { anyBackend, onBackend, onEachBackend } from '../support/backends';
import { expectNoLeaks, noise, take } from '../support/tensors';

const SHAPE = [2, 3, 3, 4];
const SIZE = 72;

/** What dropout makes of ones: in the given step of training, by the call of that number in it. */
function expected(seed: number | string, step: number, call: number, rate: number, images = [0, 1]): number[] {
  return images.flatMap((image) => {
    const uniform = randomNumbers(`${seed}/${step}/${call}/${image}`);
    return Array.from({ length: SIZE / 2 }, () => (uniform() < rate ? 0 : Math.fround(1 / (1 - rate))));
  });
}

/** What a layer makes of ones. */
async function ofOnes(layer: tfl.layers.Layer, training?: boolean): Promise<number[]> {
  const x = tf.ones(SHAPE);
  const values = await take(layer.apply(x, training === undefined ? {} : { training }) as tf.Tensor);
  x.dispose();
  return values;
}

onEachBackend('PixelDropout', () => {
  it.each([0.5, 0.3])('drops what its seed, the step and the call say, at a rate of %f', async (rate) => {
    const layer = pixelDropout({ rate, seed: 7 });
    expect(await ofOnes(layer, true)).toEqual(expected(7, 0, 0, rate));
    expect(await ofOnes(layer, true)).toEqual(expected(7, 0, 1, rate));
    layer.setStep(5);
    expect(await ofOnes(layer, true)).toEqual(expected(7, 5, 0, rate));
    expect(await ofOnes(layer, true)).toEqual(expected(7, 5, 1, rate));
    layer.setStep(5);
    expect(await ofOnes(layer, true)).toEqual(expected(7, 5, 0, rate));
    layer.setStep(5, 3); // as a part of a batch that begins with image 3
    expect(await ofOnes(layer, true)).toEqual(expected(7, 5, 0, rate, [3, 4]));
  });

  it('takes the seed that is set with the step, if it has none of its own', async () => {
    const [layer, seeded] = [pixelDropout({ rate: 0.5 }), pixelDropout({ rate: 0.5, seed: 7 })];
    for (const each of [layer, seeded]) each.setStep(5, 0, 'of the model');
    expect(await ofOnes(layer, true)).toEqual(expected('of the model', 5, 0, 0.5));
    expect(await ofOnes(seeded, true)).toEqual(expected(7, 5, 0, 0.5));
  });

  it('changes nothing outside of training, and calls there do not count', async () => {
    const layer = pixelDropout({ rate: 0.5, seed: 7 });
    const ones = new Array(SIZE).fill(1);
    expect(await ofOnes(layer, true)).toEqual(expected(7, 0, 0, 0.5));
    for (const training of [undefined, false]) expect(await ofOnes(layer, training)).toEqual(ones);
    expect(await ofOnes(layer, true)).toEqual(expected(7, 0, 1, 0.5));
    expect(await ofOnes(pixelDropout({ rate: 0, seed: 7 }), true)).toEqual(ones);
  });

  it('has the gradient of a product with its noise', async () => {
    const layer = pixelDropout({ rate: 0.25, seed: 3 });
    const x = tf.ones(SHAPE);
    const dy = tf.tensor(noise(SIZE, 2), SHAPE);
    await expectNoLeaks(async () => {
      const dx = tf.grad((t) => layer.apply(t, { training: true }) as tf.Tensor)(x, dy);
      const factors = tf.tensor(expected(3, 0, 0, 0.25), SHAPE);
      const product = tf.mul(dy, factors);
      expect(await take(dx)).toEqual(await take(product));
      return factors;
    });
    tf.dispose([x, dy]);
  });
});

onBackend(anyBackend, 'PixelDropout', () => {
  it('draws anew for each layer and call where it has no seed', async () => {
    const layer = pixelDropout({ rate: 0.5 });
    const draws = [layer, layer, pixelDropout({ rate: 0.5 })].map((each) => ofOnes(each, true));
    expect(new Set((await Promise.all(draws)).map(String)).size).toBe(3); // that two are alike: 2^-72
  });
});

onBackend(anyBackend, 'dropout of a layer of the user', () => {
  class Twice extends PixelLayer {
    static className = 'Twice';
    readonly rates = [0.5, 0.5];

    override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
      return this.rates.reduce((y, rate) => ops.dropout(y, { rate, seed: 2 }), x);
    }
  }

  it('may occur twice in one call, each time with its own noise', async () => {
    const [first, second] = [0, 1].map((call) => expected(2, 0, call, 0.5)) as [number[], number[]];
    expect(await ofOnes(new Twice(), true)).toEqual(first.map((factor, i) => factor * (second[i] as number)));
    expect(await ofOnes(new Twice())).toEqual(new Array(SIZE).fill(1));
  });

  it('refuses an invalid rate when the layer is built', async () => {
    const layer = new Twice();
    layer.rates[1] = 1;
    await expect(ofOnes(layer)).rejects.toThrow('dropout: rate: wanted a number from 0, below 1, got 1');
  });
});
