import * as tfl from '@tensorflow/tfjs-layers';
import { maskedConv2d, pixelLogits, sample } from 'pixelcnn-layers';
import { describe, expect, it } from 'vitest';
import { randomNumbers } from '../../../kit/random.mjs';
import { customNoise, seededNoise } from '../../../src/runtime/sampling/noise';
import { backends, useBackend } from '../../support/backends';
import { scoped } from '../../support/scoped';

const take = (noise: ReturnType<typeof seededNoise>, images: number, places: number) =>
  Array.from({ length: places }, () => {
    const uniforms = new Float64Array(images);
    noise(uniforms);
    return Array.from(uniforms);
  });

/** Seeds and images: seeds beyond 32 bits, and pairs that would be one if they were run together. */
const [most, over] = [2 ** 53 - 1, 2 ** 32];
const pairs: readonly [seed: number, image: number][] = [
  [0, 0], [1, 11], [11, 1], [1, 1], [111, 0], [-1, 2], [over, 1], [over + 1, 1], [1 - over, 1], [most, 7], [3, over + 5],
]; // biome-ignore format: pairs

describe('the noise of a seed', () => {
  it('is Alea, seeded by "<seed>/<image>"', () => {
    for (const [seed, image] of pairs) {
      const random = randomNumbers(`${seed}/${image}`);
      expect(take(seededNoise(seed, image, 1), 1, 50)).toEqual(Array.from({ length: 50 }, () => [random()]));
    }
    const first = pairs.map(([seed, image]) => take(seededNoise(seed, image, 1), 1, 1)[0]?.[0]);
    expect(new Set(first).size).toBe(pairs.length);
  });

  it('draws, where all levels are as likely, the level floor(levels u)', async () => {
    await useBackend(backends[0] ?? 'cpu');
    const image = tfl.input({ shape: [2, 3, 2] });
    const conv = maskedConv2d({ filters: 2 * 256, kernelSize: 1, maskType: 'A', imageChannels: 2, kernelInitializer: 'zeros' });
    const outputs = pixelLogits({ imageChannels: 2, levels: 256 }).apply(conv.apply(image));
    const model = scoped(tfl.model({ inputs: image, outputs: outputs as tfl.SymbolicTensor }));
    for (const [seed, firstImage] of pairs) {
      const images = scoped(await sample(model, { seed, firstImage, numImages: 2 }));
      const streams = [firstImage, firstImage + 1].map((n) => randomNumbers(`${seed}/${n}`));
      const expected = streams.map((random) => Array.from({ length: 2 * 3 * 2 }, () => Math.floor(256 * random())));
      expect(Array.from(await images.data())).toEqual(expected.flat());
    }
  });
});

it('seededNoise does not depend on how many images are drawn together', () => {
  const all = take(seededNoise(7, 0, 5), 5, 20);
  const part = take(seededNoise(7, 3, 2), 2, 20);
  expect(part).toEqual(all.map((row) => row.slice(3)));
  expect(take(seededNoise(7, 0, 5), 5, 20)).toEqual(all);
});

describe('customNoise', () => {
  it('calls the function image by image', () => {
    let count = 0;
    const noise = customNoise(() => count++ / 8);
    expect(take(noise, 2, 3).flat()).toEqual([0, 1 / 8, 2 / 8, 3 / 8, 4 / 8, 5 / 8]);
  });

  it('refuses numbers outside of [0, 1)', () => {
    for (const bad of [1, -0.1, Number.NaN]) {
      const noise = customNoise(() => bad);
      expect(() => noise(new Float64Array(1))).toThrow('sample: random: wanted a function that returns numbers in [0, 1)');
    }
  });
});
