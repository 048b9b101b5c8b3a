import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { MaskedConv2D, type MaskType, maskedConv2d } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import reference from '../golden/masked_conv.json';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { runs } from '../support/runs';
import { grid, noiseWeights, type SlowWeight, slowConv } from '../support/slow/gated';
import { expectClose, expectCloseRelative, expectNoLeaks, golden, golden4d, noise, take, weightGradients } from '../support/tensors';

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

onEachBackend('MaskedConv2D', (_backend) => {
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
  ] as const)('applies an activation that is no function of one number, or none of tfjs: %s', async (name, fn) => {
    await expectNoLeaks(async () => {
      const activation = name as 'softmax';
      const layer = maskedConv2d({ filters: 2, kernelSize: 1, imageChannels: 1, activation });
      const [x, kernel, bias] = [tf.tensor4d([0.5, -2], [1, 1, 2, 1]), tf.tensor4d([1, 2], [1, 1, 1, 2]), tf.tensor1d([0, 1])];
      tf.dispose(layer.apply(x) as tf.Tensor); // builds it
      layer.setWeights([kernel, bias]);
      const y = await take(layer.apply(x) as tf.Tensor);
      expectClose(y, [fn(0.5, 2), fn(2, 0.5), fn(-2, -3), fn(-3, -2)], 2e-5); // x and 2x + 1
      layer.dispose();
      return [x, kernel, bias];
    });
  });
});

describe('MaskedConv2D', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

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
    expect(() => MaskedConv2D.fromConfig(MaskedConv2D, wrong)).toThrow("MaskedConv2D: maskType: wanted 'A' or 'B'");
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
        const weights = noiseWeights(
          layer.getWeights().map(({ shape }) => shape),
          1,
          seed,
        ) as [SlowWeight, SlowWeight];
        const tensors = weights.map(({ data, shape }) => tf.tensor(data as Float32Array, [...shape]));
        layer.setWeights(tensors);
        tf.dispose(tensors);
        const slow = slowConv(grid(values, [h, w, imageChannels]), weights, args);
        expectClose(await take(layer.apply(x) as tf.Tensor), slow.flat(2), 1e-5);
        x.dispose();
        layer.dispose();
      }),
      runs({ numRuns: isGpu(backend) ? 3 : 30, seed: 1 }),
    );
  });
});
