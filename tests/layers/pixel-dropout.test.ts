import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  maskedConv2d,
  type Ops,
  type PixelDropout,
  PixelLayer,
  pixelDropout,
  pixelLogits,
  sample,
} from 'pixelcnn-layers';
import { alea } from 'seedrandom';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, onEachBackend, useBackend } from '../support/backends';
import { saveAndLoad } from '../support/memory-file';
import { expectNoLeaks, noise, setNoise, take } from '../support/tensors';

/** What dropout makes of ones: in the given step of training, by the call of that number in it. */
function expected(seed: number, step: number, call: number, rate: number, size: number): number[] {
  const uniform = alea(`${seed}/${step}/${call}`);
  return Array.from({ length: size }, () => (uniform() < rate ? 0 : Math.fround(1 / (1 - rate))));
}

const SHAPE = [2, 3, 3, 4];
const SIZE = 72;

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
    expect(await ofOnes(layer, true)).toEqual(expected(7, 0, 0, rate, SIZE));
    expect(await ofOnes(layer, true)).toEqual(expected(7, 0, 1, rate, SIZE));
    layer.setStep(5);
    expect(await ofOnes(layer, true)).toEqual(expected(7, 5, 0, rate, SIZE));
    expect(await ofOnes(layer, true)).toEqual(expected(7, 5, 1, rate, SIZE));
    layer.setStep(5);
    expect(await ofOnes(layer, true)).toEqual(expected(7, 5, 0, rate, SIZE));
  });

  it('changes nothing outside of training, and calls there do not count', async () => {
    const layer = pixelDropout({ rate: 0.5, seed: 7 });
    const ones = new Array(SIZE).fill(1);
    expect(await ofOnes(layer, true)).toEqual(expected(7, 0, 0, 0.5, SIZE));
    for (const training of [undefined, false]) expect(await ofOnes(layer, training)).toEqual(ones);
    expect(await ofOnes(layer, true)).toEqual(expected(7, 0, 1, 0.5, SIZE));
    expect(await ofOnes(pixelDropout({ rate: 0, seed: 7 }), true)).toEqual(ones);
  });

  it('has the gradient of a product with what it drew', async () => {
    const layer = pixelDropout({ rate: 0.25, seed: 3 });
    const x = tf.ones(SHAPE);
    const dy = tf.tensor(noise(SIZE, 2), SHAPE);
    await expectNoLeaks(async () => {
      const dx = tf.grad((t) => layer.apply(t, { training: true }) as tf.Tensor)(x, dy);
      const factors = tf.tensor(expected(3, 0, 0, 0.25, SIZE), SHAPE);
      const product = tf.mul(dy, factors);
      expect(await take(dx)).toEqual(await take(product));
      return factors;
    });
    tf.dispose([x, dy]);
  });
});

describe('PixelDropout', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it('draws anew for each layer and call where it has no seed', async () => {
    const layer = pixelDropout({ rate: 0.5 });
    const draws = [layer, layer, pixelDropout({ rate: 0.5 })].map((each) => ofOnes(each, true));
    expect(new Set((await Promise.all(draws)).map(String)).size).toBe(3); // that two are alike: 2^-72
  });

  it('comes back from a saved model with its rate and seed, or with none', async () => {
    for (const seed of [4, 0, undefined]) {
      const x = tfl.input({ shape: [3, 3, 4] });
      const layer = pixelDropout({ rate: 0.5, seed });
      const model = tfl.model({ inputs: x, outputs: layer.apply(x) as tfl.SymbolicTensor });
      const loaded = await saveAndLoad(model);
      expect(loaded.layers[1]?.getClassName()).toBe('PixelDropout');
      expect(loaded.layers[1]?.getConfig()).toMatchObject({ rate: 0.5, seed: seed ?? null });
      const draws = [await ofOnes(layer, true), await ofOnes(loaded.layers[1] as PixelDropout, true)];
      if (seed !== undefined) expect(draws[1]).toEqual(draws[0]);
      else expect(draws[1]).not.toEqual(draws[0]);
    }
  });

  it('is no obstacle to incremental sampling, which does not drop', async () => {
    const make = (rate: number) => {
      const image = tfl.input({ shape: [3, 3, 1] });
      const features = maskedConv2d({ filters: 8, kernelSize: 3, maskType: 'A', imageChannels: 1 }).apply(
        image,
      );
      const kept = pixelDropout({ rate, seed: 1 }).apply(features);
      const mixed = maskedConv2d({ filters: 4, kernelSize: 1, imageChannels: 1 }).apply(kept);
      const logits = pixelLogits({ imageChannels: 1, levels: 4 }).apply(mixed) as tfl.SymbolicTensor;
      const model = tfl.model({ inputs: image, outputs: logits });
      setNoise(model);
      return model;
    };
    const [dropping, whole] = [make(0.9), make(0)];
    const drawn = await take(await sample(dropping, { numImages: 4, seed: 1, strategy: 'incremental' }));
    expect(drawn).toEqual(await take(await sample(whole, { numImages: 4, seed: 1 })));
    for (const model of [dropping, whole]) model.dispose();
  });

  it('names what is wrong', () => {
    for (const rate of [-0.1, 1, Number.NaN, '0.5', undefined] as number[]) {
      expect(() => pixelDropout({ rate })).toThrow('PixelDropout: rate: wanted a number from 0, below 1');
    }
    expect(() => pixelDropout({ rate: 0.5, seed: 1.5 })).toThrow('PixelDropout: seed: wanted an integer');
    expect(() => pixelDropout({ rate: 0.5 }).setStep(-1)).toThrow('PixelDropout: step: wanted an integer');
  });
});

describe('dropout of a layer of the user', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  class Twice extends PixelLayer {
    static className = 'Twice';
    readonly rates = [0.5, 0.5];

    override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
      return this.rates.reduce((y, rate) => ops.dropout(y, { rate, seed: 2 }), x);
    }
  }

  it('may be had twice in one call, with noise of its own each time', async () => {
    const [first, second] = [0, 1].map((call) => expected(2, 0, call, 0.5, SIZE)) as [number[], number[]];
    expect(await ofOnes(new Twice(), true)).toEqual(first.map((factor, i) => factor * (second[i] as number)));
    expect(await ofOnes(new Twice())).toEqual(new Array(SIZE).fill(1));
  });

  it('is refused when the layer is built, where the rate is none', async () => {
    const layer = new Twice();
    layer.rates[1] = 1;
    await expect(ofOnes(layer)).rejects.toThrow('dropout: rate: wanted a number from 0, below 1, got 1');
  });
});
