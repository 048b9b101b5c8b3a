import { initializers } from '@tensorflow/tfjs-layers';
import { maskedConv2d } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { randomNumbers } from '../../kit/random.mjs';
import { partSeed, seedArguments, seededInitializer } from '../../src/layers/seeds';
import type { Initializer } from '../../src/layers/types';
import { readArguments } from '../../src/runtime/core/arguments';
import { anyBackend, onBackend } from '../support/backends';
import { take } from '../support/tensors';

const SHAPE = [3, 3, 4, 5];
const draw = (initializer: Initializer) => take(initializer.apply(SHAPE, 'float32'));

onBackend(anyBackend, 'seeds', () => {
  it('of parts are integers from 1 to 2^31 - 1, each of its seed and name', () => {
    const seeds = [0, 1, -1, 2 ** 40].flatMap((seed) =>
      ['kernel', 'bias', 'block0', 'block1'].map((part) => partSeed(seed, part) as number),
    );
    expect(new Set(seeds).size).toBe(16);
    for (const seed of seeds) expect(Number.isInteger(seed) && seed >= 1 && seed < 2 ** 31).toBe(true);
    expect(partSeed(1, 'block0')).toBe(1 + Math.floor(randomNumbers('1/block0')() * (2 ** 31 - 1)));
    expect(partSeed(undefined, 'block0')).toBeUndefined();
  });

  it('are integers, or null in a saved config if there is none', () => {
    const read = (seed: unknown) => readArguments('Layer', { seed }, seedArguments).seed;
    expect([read(0), read(-3), read(null)]).toEqual([0, -3, undefined]);
    for (const seed of [0.5, '1', Number.NaN]) expect(() => read(seed)).toThrow('Layer: seed: wanted an integer, got');
  });

  it('make every random initializer of tfjs reproducible, from any object', async () => {
    const makers = [
      initializers.glorotUniform,
      initializers.glorotNormal,
      initializers.heNormal,
      initializers.heUniform,
      initializers.leCunNormal,
      initializers.leCunUniform,
      (args: { seed?: number }) => initializers.randomUniform({ minval: -2, maxval: 3, ...args }),
      (args: { seed?: number }) => initializers.randomNormal({ mean: 1, stddev: 2, ...args }),
      (args: { seed?: number }) => initializers.truncatedNormal({ mean: 1, stddev: 2, ...args }),
    ];
    for (const make of makers) {
      const drawn = await draw(make({ seed: 9 }));
      expect(await draw(seededInitializer(make({}), 9))).toEqual(drawn);
      expect(await draw(seededInitializer(make({}), 10))).not.toEqual(drawn);
      expect(await draw(seededInitializer(make({ seed: 9 }), 10))).toEqual(drawn); // its own goes before
      const unseeded = make({});
      expect(seededInitializer(unseeded, undefined)).toBe(unseeded);
    }
    const zeros = initializers.zeros();
    expect(seededInitializer(zeros, 9)).toBe(zeros);
  });

  it('of layers give each weight its own part, though its initializer is shared', async () => {
    const kernels = async (args: Partial<Parameters<typeof maskedConv2d>[0]>) => {
      const layer = maskedConv2d({ filters: 2, kernelSize: 3, imageChannels: 1, ...args });
      layer.build([null, 4, 4, 1]);
      const weights = await Promise.all(layer.getWeights().map(async (weight) => Array.from(await weight.data())));
      layer['disposeWeights']();
      return weights;
    };
    const shared = initializers.randomNormal({});
    const [kernel, bias] = await kernels({ seed: 1, kernelInitializer: shared, biasInitializer: shared });
    expect(kernel?.slice(0, 2)).not.toEqual(bias);
  });
});
