import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { MaskedConv2D, type MaskType, maskedConv2d } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import reference from '../golden/masked_conv.json';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { saveAndLoad } from '../support/memory-file';
import { grid, noiseWeights, type SlowWeight, slowConv } from '../support/slow-gated';
import {
  expectClose,
  expectCloseRelative,
  expectNoLeaks,
  golden,
  golden4d,
  noise,
  take,
  weightGradients,
} from '../support/tensors';

/** An activation that tfjs does not know. */
class Cube extends tf.serialization.Serializable {
  static className = 'maskedConvCube';
  apply(x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => tf.mul(x, tf.square(x)));
  }
  getConfig() {
    return {};
  }
}
tf.serialization.registerClass(Cube);

onEachBackend('MaskedConv2D', (backend) => {
  for (const goldenCase of reference.cases) {
    it(`matches the golden output and gradients: mask ${goldenCase.mode}, ${goldenCase.act}`, async () => {
      const layer = maskedConv2d({
        filters: 12,
        kernelSize: 3,
        maskType: goldenCase.mode as MaskType,
        ...(goldenCase.act === 'relu' ? { activation: 'relu' } : {}),
      });
      const [x, g] = [golden4d(reference.input), golden4d(reference.g)];
      tf.dispose(layer.apply(x) as tf.Tensor); // builds it
      const weights = [golden(reference.kernel), golden(reference.bias)];
      layer.setWeights(weights);

      const f = (input: tf.Tensor) => tf.sum(tf.mul(layer.apply(input) as tf.Tensor, g)) as tf.Scalar;
      const dx = tf.grad(f)(x);
      const [kernel, bias] = weightGradients(layer, () => f(x));

      expectClose(await take(layer.apply(x) as tf.Tensor), goldenCase.output.data, 2e-5);
      expectCloseRelative(await take(dx), goldenCase.grad_input.data, 2e-4);
      expectCloseRelative(await take(kernel as tf.Tensor), goldenCase.grad_kernel.data, 2e-4);
      expectCloseRelative(await take(bias as tf.Tensor), goldenCase.grad_bias.data, 2e-4);
      tf.dispose([x, g, ...weights]);
      layer.dispose();
    });
  }

  it('is causal, by gradients: a pixel and channel move only with those before', async () => {
    const cases = fc.record({
      h: fc.integer({ min: 1, max: 4 }),
      w: fc.integer({ min: 1, max: 4 }),
      imageChannels: fc.integer({ min: 1, max: 4 }),
      kernelSize: fc.tuple(fc.constantFrom(1, 3, 5), fc.constantFrom(1, 3, 5)),
      maskType: fc.constantFrom<MaskType>('A', 'B'),
      place: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ h, w, imageChannels, kernelSize, maskType, place }) => {
        const layer = maskedConv2d({
          filters: imageChannels,
          kernelSize,
          maskType,
          imageChannels,
          kernelInitializer: 'ones',
        });
        const x = tf.ones([1, h, w, imageChannels]);
        tf.dispose(layer.apply(x) as tf.Tensor);
        const output = place % x.size;
        const pick = tf.tensor(
          Array.from({ length: x.size }, (_, i) => (i === output ? 1 : 0)),
          x.shape,
        );
        const dx = await take(tf.grad((input) => tf.sum(tf.mul(layer.apply(input) as tf.Tensor, pick)))(x));
        dx.forEach((slope, input) => {
          if (input > output || (input === output && maskType === 'A')) expect(slope).toBe(0);
        });
        // what the kernel reaches at the present pixel is seen: the channel itself (B) and those before
        const pixel = output - (output % imageChannels);
        for (let input = pixel; input < output + (maskType === 'B' ? 1 : 0); input++)
          expect(dx[input]).toBe(1);
        tf.dispose([x, pick]);
        layer.dispose();
      }),
      { numRuns: isGpu(backend) ? 5 : 40, seed: 1 },
    );
  });

  it('applies any activation and can do without bias', async () => {
    const layer = maskedConv2d({
      filters: 2,
      kernelSize: 1,
      imageChannels: 1,
      activation: 'tanh',
      useBias: false,
      kernelInitializer: 'ones',
    });
    const y = layer.apply(tf.tensor4d([0.5, -2], [1, 1, 2, 1])) as tf.Tensor;
    expectClose(await take(y), [0.5, 0.5, -2, -2].map(Math.tanh), 1e-6);
    expect(layer.getWeights()).toHaveLength(1);
    layer.dispose();
  });

  it.each([
    ['softmax', (a: number, b: number) => Math.exp(a) / (Math.exp(a) + Math.exp(b))], // over both features
    ['maskedConvCube', (a: number) => a ** 3], // registered beside tfjs's own
  ] as const)(
    'applies an activation that is no function of one number, or none of tfjs: %s',
    async (name, fn) => {
      await expectNoLeaks(async () => {
        const activation = name as 'softmax';
        const layer = maskedConv2d({ filters: 2, kernelSize: 1, imageChannels: 1, activation });
        const [x, kernel, bias] = [tf.tensor4d([0.5, -2], [1, 1, 2, 1]), tf.tensor4d([1, 2], [1, 1, 1, 2]), tf.tensor1d([0, 1])]; // biome-ignore format: one line
        tf.dispose(layer.apply(x) as tf.Tensor); // builds it
        layer.setWeights([kernel, bias]);
        const y = await take(layer.apply(x) as tf.Tensor);
        expectClose(y, [fn(0.5, 2), fn(2, 0.5), fn(-2, -3), fn(-3, -2)], 2e-5); // x and 2x + 1
        layer.dispose();
        return [x, kernel, bias];
      });
    },
  );

  it('leaves no tensor behind', async () => {
    await expectNoLeaks(() => {
      const layer = maskedConv2d({ filters: 6, kernelSize: 3, activation: 'relu' });
      const x = tf.ones([1, 4, 4, 3]);
      const y = layer.apply(x) as tf.Tensor;
      layer.dispose();
      return [x, y];
    });
  });
});

describe('MaskedConv2D', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  const build = (maskType: MaskType) => {
    const layer = maskedConv2d({
      name: `conv_${maskType}`,
      filters: 6,
      kernelSize: [3, 5],
      maskType,
      imageChannels: 3,
      activation: 'hardSigmoid',
      kernelInitializer: 'glorotNormal',
      biasInitializer: tfl.initializers.constant({ value: 0.25 }),
      kernelRegularizer: tfl.regularizers.l2({ l2: 0.5 }),
      biasConstraint: 'nonNeg',
    });
    return tfl.sequential({ layers: [tfl.layers.inputLayer({ inputShape: [4, 4, 3] }), layer] });
  };

  it.each(['A', 'B'] as const)(
    'comes back from a saved model with mask %s and every option',
    async (maskType) => {
      const model = build(maskType);
      const loaded = await saveAndLoad(model);
      const layerOf = (m: tfl.LayersModel) => m.layers.at(-1) as MaskedConv2D;
      expect(layerOf(loaded).getClassName()).toBe('MaskedConv2D');
      expect(layerOf(loaded).getConfig()).toEqual(layerOf(model).getConfig());
      expect(layerOf(loaded).getConfig()).toMatchObject({
        maskType,
        filters: 6,
        kernelSize: [3, 5],
        imageChannels: 3,
      });

      const x = tf.tensor4d(noise(2 * 4 * 4 * 3), [2, 4, 4, 3]);
      const [a, b] = [model, loaded].map((m) => m.predict(x) as tf.Tensor) as [tf.Tensor, tf.Tensor];
      expect(await take(b)).toEqual(await take(a));
      x.dispose();
      for (const m of [model, loaded]) m.dispose();
    },
  );

  it('regularizes its weights as any layer does', async () => {
    const model = build('B');
    const [kernel] = model.getWeights() as [tf.Tensor];
    const squares = Array.from(await kernel.data()).reduce((sum, x) => sum + x * x, 0);
    const [loss] = (model.layers.at(-1) as MaskedConv2D).calculateLosses() as [tf.Scalar];
    expect((await take(loss))[0]).toBeCloseTo(0.5 * squares, 4);
    model.dispose();
  });

  it('starts from glorotUniform kernels and zero biases', async () => {
    const layer = maskedConv2d({ filters: 30, kernelSize: 3, imageChannels: 1 });
    tf.dispose(layer.apply(tf.zeros([1, 2, 2, 20])) as tf.Tensor);
    const [kernel, bias] = layer.getWeights() as [tf.Tensor, tf.Tensor];
    const limit = Math.sqrt(6 / (9 * 20 + 9 * 30)); // fans of a 3x3 kernel
    const values = Array.from(await kernel.data());
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(limit * (1 + 2 ** -23)); // as float32
    // a uniform on [-limit, limit] has the variance limit^2 / 3; 5,400 values give it with a deviation of 1.2 %
    const variance = values.reduce((sum, x) => sum + x * x, 0) / values.length;
    expect(Math.abs(variance / (limit ** 2 / 3) - 1)).toBeLessThan(0.1);
    expect(Array.from(await bias.data())).toEqual(new Array(30).fill(0));
    layer.dispose();
  });

  it('reads configs with a mask type in either case, or with none, which is B', () => {
    for (const [maskType, read] of [
      ['A', 'A'],
      ['a', 'A'],
      ['b', 'B'],
      [undefined, 'B'],
    ] as const) {
      // biome-ignore format: pairs
      const config = { filters: 3, kernelSize: 3, ...(maskType ? { maskType } : {}) };
      const layer = MaskedConv2D.fromConfig(MaskedConv2D, config);
      expect(layer.getConfig()['maskType']).toBe(read);
    }
  });

  it("changes nothing in a config but the case of its mask type, which is the caller's", () => {
    const config = { maskType: 'a', name: 'a', filters: 3, kernelSize: 3 };
    const layer = MaskedConv2D.fromConfig(MaskedConv2D, config);
    expect(layer.getConfig()).toMatchObject({ maskType: 'A', name: 'a', filters: 3 });
    expect(config).toEqual({ maskType: 'a', name: 'a', filters: 3, kernelSize: 3 });
    for (const maskType of [null, undefined]) {
      const none = { maskType, filters: 3, kernelSize: 3 } as never;
      expect(MaskedConv2D.fromConfig(MaskedConv2D, none).getConfig()['maskType']).toBe('B');
    }
    const wrong = { maskType: 1, filters: 3, kernelSize: 3 };
    expect(() => MaskedConv2D.fromConfig(MaskedConv2D, wrong)).toThrow(
      "MaskedConv2D: maskType: wanted 'A' or 'B'",
    );
  });

  it('refuses, once built, inputs of another shape, and reads integers as numbers', async () => {
    const layer = maskedConv2d({ filters: 2, kernelSize: 3, imageChannels: 1, kernelInitializer: 'ones' });
    const integers = tf.ones([1, 1, 2, 1], 'int32');
    expect(await take(layer.apply(integers) as tf.Tensor)).toEqual([1, 1, 2, 2]); // itself, and its left neighbour
    integers.dispose();
    expect(() => layer.apply(tf.zeros([1, 2, 2, 6]))).toThrow(
      'expected axis 3 of input shape to have value 1',
    );
    expect(() => layer.apply(tf.zeros([4, 4, 1]))).toThrow('expected ndim=4');
    layer.dispose();
  });

  it('names what is wrong', () => {
    expect(() => maskedConv2d(undefined as never)).toThrow('MaskedConv2D: wanted an object of arguments');
    const args = { filters: 6, kernelSize: 3 };
    expect(() => maskedConv2d({ ...args, filters: 4 })).toThrow('MaskedConv2D: filters: wanted a multiple');
    expect(() => maskedConv2d({ ...args, kernelSize: 2 })).toThrow('MaskedConv2D: kernelSize');
    expect(() => maskedConv2d({ ...args, imageChannels: -1 })).toThrow('MaskedConv2D: imageChannels');
    expect(() => maskedConv2d({ ...args, maskType: 'a' as MaskType })).toThrow(
      "MaskedConv2D: maskType: wanted 'A' or 'B'",
    );
    expect(() => maskedConv2d({ ...args, activation: 'rellu' as 'relu' })).toThrow('rellu');
    const layer = maskedConv2d(args);
    expect(() => layer.apply(tfl.input({ shape: [4, 4, 4] }))).toThrow(
      'MaskedConv2D: input features: wanted a multiple',
    );
    expect(() => layer.apply(tfl.input({ shape: [4, 3] }))).toThrow('MaskedConv2D: input');
  });
});

onEachBackend('MaskedConv2D of a vertical stack', (backend) => {
  it('equals loops in plain numbers', async () => {
    const sizes = fc.record({
      h: fc.integer({ min: 1, max: 4 }),
      w: fc.integer({ min: 1, max: 5 }),
      kernelSize: fc.tuple(fc.constantFrom(1, 3, 5), fc.constantFrom(1, 3, 5)),
      imageChannels: fc.integer({ min: 1, max: 3 }),
      maskType: fc.constantFrom<MaskType>('A', 'B'),
      seed: fc.integer({ min: 1, max: 1000 }),
    });
    await fc.assert(
      fc.asyncProperty(sizes, async ({ h, w, kernelSize, imageChannels, maskType, seed }) => {
        const args = { maskType, imageChannels, vertical: true };
        const layer = maskedConv2d({ filters: 2 * imageChannels, kernelSize, ...args });
        const values = noise(h * w * imageChannels, seed);
        const x = tf.tensor4d(values, [1, h, w, imageChannels]);
        tf.dispose(layer.apply(x) as tf.Tensor);
        const weights = noiseWeights(layer.getWeights().map(({ shape }) => shape), 1, seed) as [SlowWeight, SlowWeight]; // biome-ignore format: one line
        const tensors = weights.map(({ data, shape }) => tf.tensor(data as Float32Array, [...shape]));
        layer.setWeights(tensors);
        tf.dispose(tensors);
        const slow = slowConv(grid(values, [h, w, imageChannels]), weights, args);
        expectClose(await take(layer.apply(x) as tf.Tensor), slow.flat(2), 1e-5);
        x.dispose();
        layer.dispose();
      }),
      { numRuns: isGpu(backend) ? 3 : 40, seed: 1 },
    );
  });
});

describe('MaskedConv2D of a vertical stack', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it('comes back from a saved model', async () => {
    const layer = maskedConv2d({
      filters: 4,
      kernelSize: 3,
      imageChannels: 2,
      maskType: 'A',
      vertical: true,
    });
    const model = tfl.sequential({ layers: [tfl.layers.inputLayer({ inputShape: [3, 3, 2] }), layer] });
    const loaded = await saveAndLoad(model);
    const again = loaded.layers.at(-1) as MaskedConv2D;
    expect(again.getConfig()).toEqual(layer.getConfig());
    expect(again.getConfig()).toMatchObject({ vertical: true, maskType: 'A' });
    for (const m of [model, loaded]) m.dispose();
  });

  it('is none by default, and names what is no boolean', () => {
    expect(maskedConv2d({ filters: 3, kernelSize: 3 }).getConfig()['vertical']).toBe(false);
    expect(() => maskedConv2d({ filters: 3, kernelSize: 3, vertical: 1 as never })).toThrow(
      'MaskedConv2D: vertical: wanted true or false, got 1',
    );
  });
});
