import type * as tf from '@tensorflow/tfjs-core';
import { initializers } from '@tensorflow/tfjs-layers';
import { gatedActivation, maskedConv2d, pixelCNNResBlock } from 'pixelcnn-layers';
import { alea } from 'seedrandom';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkSeed, partSeed, seededInitializer } from '../../src/layers/seeds';
import type { Initializer } from '../../src/layers/types';
import { backends, onEachBackend, useBackend } from '../support/backends';
import { take } from '../support/tensors';

const SHAPE = [3, 3, 4, 5];
const draw = (initializer: Initializer) => take(initializer.apply(SHAPE, 'float32'));

/** A Glorot-uniform kernel, as tfjs draws it. */
function glorot([rows = 0, columns = 0, featuresIn = 0, featuresOut = 0]: number[], seed: number) {
  const uniform = alea(String(seed));
  const limit = Math.sqrt((3 * 1) / ((rows * columns * (featuresIn + featuresOut)) / 2));
  const size = rows * columns * featuresIn * featuresOut;
  return Array.from({ length: size }, () => Math.fround(-limit + uniform() * (limit - -limit)));
}

describe('seeds', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it('of parts are integers from 1 to 2^31 - 1, each of its seed and name', () => {
    const seeds = [0, 1, -1, 2 ** 40].flatMap((seed) => ['kernel', 'bias', 'block0', 'block1'].map((part) => partSeed(seed, part) as number)); // biome-ignore format: one line
    expect(new Set(seeds).size).toBe(16);
    for (const seed of seeds) expect(Number.isInteger(seed) && seed >= 1 && seed < 2 ** 31).toBe(true);
    expect(partSeed(1, 'block0')).toBe(1 + Math.floor(alea('1/block0')() * (2 ** 31 - 1)));
    expect(partSeed(undefined, 'block0')).toBeUndefined();
  });

  it('are integers, or none, which a saved config has as null', () => {
    expect([checkSeed('Layer', 0), checkSeed('Layer', -3), checkSeed('Layer', null)]).toEqual([
      0,
      -3,
      undefined,
    ]);
    for (const seed of [0.5, '1', Number.NaN]) {
      expect(() => checkSeed('Layer', seed)).toThrow('Layer: seed: wanted an integer, got');
    }
  });

  it('make every initializer of tfjs that draws draw the same, from whatever object', async () => {
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

  it('of layers are those of whichever initializers they take', async () => {
    const kernels = async (args: Partial<Parameters<typeof maskedConv2d>[0]>) => {
      const layer = maskedConv2d({ filters: 2, kernelSize: 3, imageChannels: 1, ...args });
      layer.build([null, 4, 4, 1]);
      const weights = await Promise.all(
        layer.getWeights().map(async (weight) => Array.from(await weight.data())),
      );
      layer['disposeWeights']();
      return weights;
    };
    const shared = initializers.randomNormal({});
    for (const given of [
      { kernelInitializer: 'heNormal' as const },
      { kernelInitializer: shared, biasInitializer: shared },
    ]) {
      // biome-ignore format: one line
      const [kernel, bias] = await kernels({ seed: 1, ...given });
      expect(await kernels({ seed: 1, ...given })).toEqual([kernel, bias]);
      expect((await kernels({ seed: 2, ...given }))[0]).not.toEqual(kernel);
      expect((await kernels(given))[0]).not.toEqual(kernel);
    }
    const [kernel, bias] = await kernels({ seed: 1, kernelInitializer: shared, biasInitializer: shared });
    expect(kernel?.slice(0, 2)).not.toEqual(bias);
  });

  it('are kept in configs, so that a copy begins alike', () => {
    const layers = [
      maskedConv2d({ filters: 3, kernelSize: 1, seed: 5 }),
      pixelCNNResBlock({ filters: 3, seed: 5, dropout: 0.25 }),
      gatedActivation({ seed: 5 }),
    ];
    for (const layer of layers) expect(layer.getConfig()).toMatchObject({ seed: 5 });
    expect(layers[1]?.getConfig()).toMatchObject({ dropout: 0.25 });
    expect(() => maskedConv2d({ filters: 3, kernelSize: 1, seed: 0.5 })).toThrow(
      'MaskedConv2D: seed: wanted',
    );
    expect(() => pixelCNNResBlock({ filters: 3, seed: 0.5 })).toThrow('PixelCNNResBlock: seed: wanted');
    expect(() => gatedActivation({ seed: 0.5 })).toThrow('GatedActivation: seed: wanted');
  });
});

onEachBackend('the first weights of a layer with a seed', () => {
  const weightsOf = async (layer: ReturnType<typeof maskedConv2d>, shapes: number[][]) => {
    layer.build(shapes.length === 1 ? (shapes[0] as number[]) : shapes);
    const weights = await Promise.all(layer.weights.map(async (weight) => {
      const tensor = weight.read() as tf.Tensor;
      return { name: weight.originalName, shape: tensor.shape, values: Array.from(await tensor.data()) };
    })); // biome-ignore format: one line
    layer['disposeWeights']();
    return weights;
  };

  it('are drawn from a seed of each, to the bit', async () => {
    const layers = [
      { layer: maskedConv2d({ filters: 6, kernelSize: 3, seed: 5 }), shapes: [[1, 4, 4, 3]] },
      { layer: pixelCNNResBlock({ filters: 3, seed: 5 }), shapes: [[1, 4, 4, 6]] },
      { layer: gatedActivation({ imageChannels: 1, seed: 5 }), shapes: [[1, 4, 4, 6], [1, 2]] }, // biome-ignore format: one line
    ];
    for (const { layer, shapes } of layers) {
      for (const { name, shape, values } of await weightsOf(
        layer as ReturnType<typeof maskedConv2d>,
        shapes,
      )) {
        const drawn = glorot(shape, partSeed(5, name) as number);
        expect(values).toEqual(shape.length === 4 ? drawn : new Array(values.length).fill(0));
      }
    }
  });
});
