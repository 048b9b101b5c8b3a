import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { MaskedConv2D, type MaskType, maskedConv2d } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import dilated from '../golden/dilated_conv.json';
import keras from '../golden/keras/convolutions.json';
import { anyBackend, isGpu, onBackend, onEachBackend } from '../support/backends';
import { cube } from '../support/models/activation';
import { runs } from '../support/runs';
import { scoped } from '../support/scoped';
import { grid, type SlowWeight, setSlowNoise, slowConv } from '../support/slow/gated';
import { expectClose, expectNoLeaks, noise, take, weightGradients } from '../support/tensors';

onEachBackend('MaskedConv2D', (_backend) => {
  it.each(dilated.cases)(
    'equals PyTorch: $groups groups, taps $dilationRate apart',
    async ({ x, kernel, bias, slopes, y, dx, dkernel, ...given }) => {
      const { featuresIn, filters, groups, kernelSize, dilationRate } = given;
      const size = { kernelSize: kernelSize as [number, number], dilationRate: dilationRate as [number, number] };
      const weights = scoped([tf.tensor4d(kernel, [...size.kernelSize, featuresIn / groups, filters]), tf.tensor1d(bias)]);
      const layer = scoped(maskedConv2d({ filters, groups, maskType: given.maskType as MaskType, imageChannels: 1, ...size, weights }));
      const of = (numbers: number[], features: number) => scoped(tf.tensor4d(numbers, [2, 6, 7, features]));
      const [image, dy] = [of(x, featuresIn), of(slopes, filters)];
      expectClose(await take(layer.apply(image) as tf.Tensor), y, 1e-4);
      const f = (input: tf.Tensor) => tf.sum(tf.mul(layer.apply(input) as tf.Tensor, dy)) as tf.Scalar;
      const [dk] = weightGradients(layer, () => f(image));
      expectClose(await take(tf.grad(f)(image)), dx, 1e-4);
      expectClose(await take(dk as tf.Tensor), dkernel, 1e-4);
    },
  );

  it.each(keras.cases)('equals $layer of Keras: $groups groups, taps $dilationRate apart', async ({ x, kernel, bias, y, groups, ...given }) => {
    const [filters, inputs, dilationRate] = [bias.length, x.length / 15, given.dilationRate as [number, number]];
    const weights = scoped([tf.tensor4d(kernel, [3, 3, inputs / groups, filters]), tf.tensor1d(bias)]); // depthwise ones are [3,3,in,multiplier]
    const layer = scoped(maskedConv2d({ filters, groups, kernelSize: 3, imageChannels: 1, dilationRate, weights }));
    expectClose(await take(layer.apply(scoped(tf.tensor4d(x, [1, 3, 5, inputs]))) as tf.Tensor), y, 1e-4);
  }); // biome-ignore format: a line each

  it('takes any dilation: behind the image there are zeros, however far', async () => {
    const [x, kernel] = [scoped(tf.tensor4d(noise(48, 1), [1, 4, 4, 3])), scoped(tf.tensor4d(noise(81, 2), [3, 3, 3, 3]))];
    const outputs = [4, 2 ** 30].map((dilationRate) => {
      const layer = scoped(maskedConv2d({ filters: 3, kernelSize: 3, dilationRate, useBias: false, weights: [kernel] }));
      return take(layer.apply(x) as tf.Tensor);
    });
    const [near, far] = await Promise.all(outputs);
    expect(far).toEqual(near);
  });

  it('applies any activation and can do without bias', async () => {
    const own = { activation: 'tanh', useBias: false, kernelInitializer: 'ones' } as const;
    const layer = scoped(maskedConv2d({ filters: 2, kernelSize: 1, imageChannels: 1, ...own }));
    const y = layer.apply(tf.tensor4d([0.5, -2], [1, 1, 2, 1])) as tf.Tensor;
    expectClose(await take(y), [0.5, 0.5, -2, -2].map(Math.tanh), 1e-6);
    expect(layer.getWeights()).toHaveLength(1);
  });

  it.each([
    ['softmax', (a: number, b: number) => Math.exp(a) / (Math.exp(a) + Math.exp(b))], // over both features
    [cube, (a: number) => a ** 3], // registered beside tfjs's own
  ] as const)('applies an activation that is no function of one number, or none of tfjs: %s', async (name, fn) => {
    await expectNoLeaks(async () => {
      const activation = name as 'softmax';
      const [x, kernel, bias] = [tf.tensor4d([0.5, -2], [1, 1, 2, 1]), tf.tensor4d([1, 2], [1, 1, 1, 2]), tf.tensor1d([0, 1])];
      const layer = maskedConv2d({ filters: 2, kernelSize: 1, imageChannels: 1, activation, weights: [kernel, bias] });
      const y = await take(layer.apply(x) as tf.Tensor);
      expectClose(y, [fn(0.5, 2), fn(2, 0.5), fn(-2, -3), fn(-3, -2)], 2e-5); // x and 2x + 1
      layer.dispose();
      return [x, kernel, bias];
    });
  });
});

onBackend(anyBackend, 'MaskedConv2D', () => {
  it("reads a mask type in either case, or none, which is B, and changes nothing in a config, which is the caller's", () => {
    const rest = { name: 'a', filters: 3, kernelSize: 3 };
    const read = (config: object) => MaskedConv2D.fromConfig(MaskedConv2D, config as tf.serialization.ConfigDict).getConfig();
    // biome-ignore format: pairs
    for (const [maskType, wanted] of [['A', 'A'], ['a', 'A'], ['b', 'B'], [null, 'B'], [undefined, 'B']]) {
      const config = { maskType, ...rest };
      expect(read(config)).toMatchObject({ name: 'a', filters: 3, maskType: wanted });
      expect(config).toEqual({ maskType, ...rest });
    }
    expect(read(rest)['maskType']).toBe('B');
    expect(() => read({ ...rest, maskType: 1 })).toThrow("MaskedConv2D: maskType: wanted 'A' or 'B'");
  });
});

onEachBackend('MaskedConv2D by its definition', (backend) => {
  it('equals loops in plain numbers', async () => {
    const sizes = fc.record({
      h: fc.integer({ min: 1, max: 4 }),
      w: fc.integer({ min: 1, max: 5 }),
      kernelSize: fc.tuple(fc.constantFrom(1, 3, 5), fc.constantFrom(1, 3, 5)),
      imageChannels: fc.integer({ min: 1, max: 3 }),
      maskType: fc.constantFrom<MaskType>('A', 'B'),
      vertical: fc.boolean(),
      seed: fc.integer({ min: 1, max: 1000 }),
    });
    await fc.assert(
      fc.asyncProperty(sizes, async ({ h, w, kernelSize, imageChannels, maskType, vertical, seed }) => {
        const args = { maskType, imageChannels, vertical };
        const layer = maskedConv2d({ filters: 2 * imageChannels, kernelSize, ...args });
        const values = noise(h * w * imageChannels, seed);
        const x = tf.tensor4d(values, [1, h, w, imageChannels]);
        tf.dispose(layer.apply(x) as tf.Tensor);
        const weights = setSlowNoise(layer, seed) as [SlowWeight, SlowWeight];
        const slow = slowConv(grid(values, [h, w, imageChannels]), weights, args);
        expectClose(await take(layer.apply(x) as tf.Tensor), slow.flat(2), 1e-5);
        x.dispose();
        layer.dispose();
      }),
      runs({ numRuns: isGpu(backend) ? 3 : 30, seed: 1 }),
    );
  });
});
