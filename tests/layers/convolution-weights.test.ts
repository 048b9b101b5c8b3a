import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { MaskType, ShiftedConv2DArgs } from 'pixelcnn-layers';
import { gatedPixelCNNBlock, getMask, maskedConv2d, pixelCNNResBlock, shiftedConv2d } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { ProgramBuilder, type WeightRecipe } from '../../src/runtime/program/builder';
import { anyBackend, isGpu, onBackend, onEachBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { grid, type SlowWeight, slowConv } from '../support/slow/gated';
import { setLayerNoise, slopesOf, slowNormalized, slowWeightsOf } from '../support/slow/plus-plus';
import { expectClose, expectCloseRelative, noise, take, weightGradients } from '../support/tensors';

// Weight normalization, of every layer that has it.

type Three = [SlowWeight, SlowWeight, SlowWeight];

/** Changes one weight of a layer. */
async function change(layer: tfl.layers.Layer, name: string, fn: (values: number[]) => number[]): Promise<void> {
  const weights = await slowWeightsOf(layer);
  const tensors = [...weights].map(([own, { shape, data }]) => {
    const values = Array.from(data);
    return tf.tensor(own === name ? fn(values) : values, [...shape]);
  });
  layer.setWeights(tensors);
  tf.dispose(tensors);
}

onEachBackend('weight normalization', (backend) => {
  const masked = { imageChannels: 2, kernelSize: [3, 3] as [number, number] };
  const [h, w, featuresIn, filters] = [3, 3, 4, 4];
  const maskTypes = isGpu(backend) ? (['B'] as const) : (['A', 'B'] as const);

  /** A masked convolution with its weights in plain numbers, and what is seen of its kernel. */
  async function scene(maskType: MaskType) {
    const layer = scoped(maskedConv2d({ filters, ...masked, maskType, weightNormalization: true }));
    const values = noise(h * w * featuresIn, 4);
    const x = scoped(tf.tensor4d(values, [1, h, w, featuresIn]));
    tf.dispose(layer.apply(x)); // builds it
    setLayerNoise(layer, 6);
    const weights = await slowWeightsOf(layer);
    const mask = getMask({ ...masked, featuresIn, featuresOut: filters, maskType }).values;
    const isSeen = (index: number) => mask[index] === 1;
    const slow = (by: ReadonlyMap<string, SlowWeight>) => {
      const [kernel, gain, bias] = ['kernel', 'gain', 'bias'].map((name) => by.get(name)) as Three;
      const normalized = slowNormalized(kernel, gain, isSeen);
      const args = { maskType, imageChannels: 2, vertical: false };
      return slowConv(grid(values, [h, w, featuresIn]), [normalized, bias], args).flat(2);
    };
    return { layer, x, weights, isSeen, slow };
  }

  it.each(maskTypes)('convolves with gain V/||V||, over what mask %s shows', async (maskType) => {
    const { layer, x, weights, isSeen, slow } = await scene(maskType);
    expect([...weights.keys()]).toEqual(['kernel', 'gain', 'bias']);
    expect(weights.get('gain')?.shape).toEqual([filters]);
    const y = await take(layer.apply(x));
    expectClose(y, slow(weights), 1e-5);

    const g = noise(y.length, 8);
    const gs = scoped(tf.tensor(g, [1, h, w, filters]));
    const weighted = (all: number[]) => all.reduce((sum, value, i) => sum + value * (g[i] as number), 0);
    const gradients = weightGradients(layer, () => tf.sum(tf.mul(layer.apply(x), gs)));
    for (const [i, [name, weight]] of [...weights].entries()) {
      const slopes = slopesOf((data) => weighted(slow(new Map(weights).set(name, { ...weight, data }))), weight.data);
      const gradient = await take(gradients[i] as tf.Tensor);
      expectCloseRelative(gradient, slopes, 2e-4);
      if (name === 'kernel') for (const [at, slope] of gradient.entries()) if (!isSeen(at)) expect(Math.abs(slope)).toBe(0);
    }

    // What is hidden counts for nothing, and of what is seen only the direction.
    await change(layer, 'kernel', (values) => values.map((value, at) => (isSeen(at) ? value : 100 * value + 7)));
    expect(await take(layer.apply(x))).toEqual(y);
    await change(layer, 'kernel', (values) => values.map((value, at) => (isSeen(at) ? 37 * value : value)));
    expectClose(await take(layer.apply(x)), y, 1e-5);
    await change(layer, 'gain', (values) => values.map((value) => 2 * value));
    await change(layer, 'bias', (values) => values.map((value) => 2 * value));
    const doubled = y.map((value) => 2 * value);
    expectClose(await take(layer.apply(x)), doubled, 2e-5);
  });

  it('of an output that sees nothing, or whose direction is 0, is 0, and so are its gradients', async () => {
    const layer = scoped(maskedConv2d({ filters: 2, kernelSize: 1, maskType: 'A', imageChannels: 2, weightNormalization: true }));
    const x = scoped(tf.ones([1, 1, 1, 2]));
    tf.dispose(layer.apply(x));
    expect((await take(layer.apply(x)))[0]).toBe(0); // sees no channel before it
    await change(layer, 'kernel', (values) => values.map(() => 0));
    expect(await take(layer.apply(x))).toEqual([0, 0]);
    const [kernel, gain] = weightGradients(layer, () => tf.sum(layer.apply(x)));
    for (const slope of await take(kernel as tf.Tensor)) expect(Number.isFinite(slope)).toBe(true);
    expect(await take(gain as tf.Tensor)).toEqual([0, 0]);
  });

  it('applies to every convolution of a PixelCNNResBlock', async () => {
    const args = { filters: 2, imageChannels: 2, kernelSize: 3 };
    const [normed, plain] = scoped([true, false].map((weightNormalization) => pixelCNNResBlock({ ...args, weightNormalization })));
    if (normed === undefined || plain === undefined) throw new Error('two blocks');
    const x = scoped(tf.tensor4d(noise(2 * 3 * 3 * 4), [2, 3, 3, 4]));
    tf.dispose([normed, plain].map((block) => block.apply(x)));
    const initial = await slowWeightsOf(normed);
    const gains = ['in', 'mid', 'out'].map((conv) => initial.get(`conv_${conv}_gain`)?.data);
    expect(gains).toEqual([[1, 1], [1, 1], new Array(4).fill(Math.fround(0.1))]); // biome-ignore format: three
    setLayerNoise(normed, 2);
    const weights = await slowWeightsOf(normed);
    expect([...weights.keys()]).toEqual(
      ['in', 'mid', 'out'].flatMap((conv) => ['kernel', 'gain', 'bias'].map((part) => `conv_${conv}_${part}`)),
    );
    const folded = ['in', 'mid', 'out'].flatMap((conv) => {
      const [kernel, gain, bias] = ['kernel', 'gain', 'bias'].map((part) => weights.get(`conv_${conv}_${part}`)) as Three;
      const [rows, columns, featuresIn, featuresOut] = kernel.shape as [number, number, number, number];
      const mask = getMask({ kernelSize: [rows, columns], featuresIn, featuresOut, imageChannels: 2 }).values;
      return [slowNormalized(kernel, gain, (at) => mask[at] === 1), bias];
    });
    const tensors = scoped(folded.map(({ shape, data }) => tf.tensor(Array.from(data), [...shape])));
    plain.setWeights(tensors);
    expectClose(await take(normed.apply(x)), await take(plain.apply(x)), 2e-5);
  });
});

onBackend(anyBackend, 'weight normalization', () => {
  it('is folded into the weight of a program, masked weights left out', async () => {
    const shifted = (args: Partial<ShiftedConv2DArgs>) =>
      shiftedConv2d({ filters: 4, kernelSize: [2, 3], shift: 'down', ...args, weightNormalization: true });
    const all = [
      maskedConv2d({ filters: 4, kernelSize: 3, maskType: 'A', imageChannels: 2, weightNormalization: true }),
      maskedConv2d({ filters: 4, kernelSize: [1, 5], imageChannels: 2, weightNormalization: true }),
      shifted({}),
      shifted({ shift: 'downRight', stride: 2 }),
      shifted({ stride: 2, transposed: true }),
    ];
    for (const layer of all) {
      tf.dispose(layer.apply(tf.zeros([1, 4, 4, 2])));
      setLayerNoise(layer, 3);
      const builder = new ProgramBuilder();
      builder.enterLayer('conv');
      layer.express(builder.ops, [builder.image(2)]);
      layer.express(builder.ops, [builder.image(2)]); // used twice, it has one weight
      expect([...builder.weights.keys()]).toEqual(['conv.kernel', 'conv.bias']);
      const { from, make, shape } = builder.weights.get('conv.kernel') as WeightRecipe;
      const numbers = await Promise.all(from.map((weight) => (weight.read() as tf.Tensor).data()));
      const weights = await slowWeightsOf(layer);
      const kernel = weights.get('kernel') as SlowWeight;
      const { maskType, imageChannels = 1 } = layer.getConfig() as { maskType?: MaskType; imageChannels?: number };
      const kernelSize = kernel.shape.slice(0, 2) as [number, number];
      const sizes = { kernelSize, featuresIn: 2, featuresOut: 4, imageChannels };
      const mask = maskType === undefined ? null : getMask({ ...sizes, maskType }).values;
      const wanted = slowNormalized(kernel, weights.get('gain'), (at) => mask === null || mask[at] === 1);
      expect(shape).toEqual(kernel.shape);
      expectClose(make(numbers), wanted.data, 1e-6);
      layer.dispose();
    }
  });

  it('regularizes and bounds the direction and the bias, as it does without', async () => {
    const kernel = { kernelInitializer: 'ones', kernelRegularizer: tfl.regularizers.l2({ l2: 0.5 }), kernelConstraint: 'nonNeg' } as const;
    const layer = scoped(maskedConv2d({ filters: 2, kernelSize: 1, imageChannels: 1, weightNormalization: true, ...kernel }));
    tf.dispose(layer.apply(tf.ones([1, 1, 1, 3])));
    const [loss] = layer.calculateLosses() as [tf.Scalar];
    expect(await take(loss)).toEqual([0.5 * 6]);
    expect(layer.weights[0]).toMatchObject({ constraint: expect.anything() });
  });

  it('applies to every convolution of a gatedPixelCNNBlock, and to no gate', () => {
    const [image, condition] = [tfl.input({ shape: [4, 4, 2] }), tfl.input({ shape: [3] })];
    const block = (weightNormalization: boolean) => {
      const stacks = { vertical: image, horizontal: image };
      const args = { filters: 2, imageChannels: 2, maskType: 'A', skipFilters: 2, condition } as const;
      const { vertical, horizontal, skip } = gatedPixelCNNBlock(stacks, { ...args, weightNormalization, seed: 1 });
      const model = tfl.model({ inputs: [image, condition], outputs: [vertical, horizontal, skip] });
      return model.layers.flatMap((layer) => layer.weights.map(({ originalName }) => originalName.split('/').at(-1)));
    };
    const count = (names: (string | undefined)[], name: string) => names.filter((own) => own === name).length;
    const [normed, plain] = [block(true), block(false)];
    expect(count(normed, 'gain')).toBe(5); // vertical, horizontal, across, out, skip
    expect(normed.filter((name) => name !== 'gain')).toEqual(plain);
    expect(count(plain, 'condition_kernel')).toBe(2);
  });
});
