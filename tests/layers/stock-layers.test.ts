import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { maskedConv2d, pixelLogits, sample } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { addFeaturewise } from '../../src/engine/featurewise';
import { Layout } from '../../src/engine/layout';
import { Machine } from '../../src/engine/machine';
import { FeatureCache, ONE_PIXEL, Plan } from '../../src/engine/plan';
import { makeKernels } from '../../src/kernels/webassembly';
import { activation, stockLayer } from '../../src/layers/stock-layers';
import { TensorOps } from '../../src/layers/tensor-ops';
import { ProgramBuilder } from '../../src/program/builder';
import type { FeaturewiseNode } from '../../src/program/program';
import { onEachBackend, useBackend } from '../support/backends';
import { readFeatures, write } from '../support/machine';
import { expectClose, expectNoLeaks, noise, take } from '../support/tensors';

type Symbolic = tfl.SymbolicTensor;
const { layers } = tfl;

const JOINING = ['Add', 'Concatenate', 'Maximum', 'Minimum', 'Multiply'];

/**
 * From an image of one channel five features, or twice five where the layer joins; the layer; the logits of
 * five levels.
 */
function modelWith(layer: tfl.layers.Layer): tfl.LayersModel {
  const image = tfl.input({ shape: [3, 3, 1] });
  const conv = (maskType: 'A' | 'B', x: Symbolic) =>
    maskedConv2d({ filters: 5, kernelSize: 3, maskType, imageChannels: 1 }).apply(x) as Symbolic;
  const isJoining = JOINING.includes(layer.getClassName());
  const features = layer.apply(isJoining ? [conv('A', image), conv('A', image)] : conv('A', image));
  const logits = pixelLogits({ imageChannels: 1, levels: 5 }).apply(
    conv('B', features as Symbolic),
  ) as Symbolic;
  const model = tfl.model({ inputs: image, outputs: logits });
  const weights = model.weights.map((weight, i) => {
    const size = weight.shape.reduce<number>((product, length) => product * (length as number), 1);
    const isVariance = weight.originalName.includes('variance');
    const numbers = noise(size, i + 1).map((x) => (isVariance ? Math.abs(x) + 0.1 : 0.8 * x));
    return tf.tensor(numbers, weight.shape as number[]);
  });
  model.setWeights(weights);
  tf.dispose(weights);
  return model;
}

const covered: Record<string, () => tfl.layers.Layer> = {
  'activation tanh': () => layers.activation({ activation: 'tanh' }),
  'activation hardSigmoid': () => layers.activation({ activation: 'hardSigmoid' }),
  'activation selu': () => layers.activation({ activation: 'selu' }),
  'activation relu6': () => layers.activation({ activation: 'relu6' }),
  'activation softplus': () => layers.activation({ activation: 'softplus' }),
  'activation swish': () => layers.activation({ activation: 'swish' }),
  'activation gelu': () => layers.activation({ activation: 'gelu' }),
  'activation gelu_new': () => layers.activation({ activation: 'gelu_new' }),
  'activation mish': () => layers.activation({ activation: 'mish' }),
  dense: () => layers.dense({ units: 7, activation: 'tanh' }),
  'dense without bias': () => layers.dense({ units: 7, useBias: false }),
  reLU: () => layers.reLU(),
  'reLU with a maximum': () => layers.reLU({ maxValue: 0.4 }),
  leakyReLU: () => layers.leakyReLU({ alpha: 0.6 }),
  elu: () => layers.elu(),
  thresholdedReLU: () => layers.thresholdedReLU({ theta: 0.3 }),
  batchNormalization: () => layers.batchNormalization({ epsilon: 0.1 }),
  'batchNormalization, axis 3': () => layers.batchNormalization({ axis: 3 }),
  'batchNormalization without scale': () => layers.batchNormalization({ scale: false }),
  'batchNormalization without center': () => layers.batchNormalization({ center: false }),
  'batchNormalization, not trainable': () => layers.batchNormalization({ trainable: false }),
  layerNormalization: () => layers.layerNormalization({ epsilon: 0.1 }),
  'layerNormalization without scale': () => layers.layerNormalization({ scale: false }),
  'layerNormalization without center': () => layers.layerNormalization({ center: false }),
  'layerNormalization without both': () => layers.layerNormalization({ scale: false, center: false }),
  dropout: () => layers.dropout({ rate: 0.5 }),
  gaussianDropout: () => layers.gaussianDropout({ rate: 0.5 }),
  gaussianNoise: () => layers.gaussianNoise({ stddev: 5 }),
  alphaDropout: () => layers.alphaDropout({ rate: 0.5 }),
  add: () => layers.add(),
  multiply: () => layers.multiply(),
  maximum: () => layers.maximum(),
  minimum: () => layers.minimum(),
  concatenate: () => layers.concatenate(),
  'concatenate, axis 3': () => layers.concatenate({ axis: 3 }),
};

const refused: Record<string, (name: string) => tfl.layers.Layer> = {
  'activation softmax': (name) => layers.activation({ activation: 'softmax', name }),
  softmax: (name) => layers.softmax({ name }),
  'concatenate, rows': (name) => layers.concatenate({ axis: 1, name }),
  'layerNormalization over rows': (name) => layers.layerNormalization({ axis: 1, name }),
  'layerNormalization over columns and features': (name) => layers.layerNormalization({ axis: [2, 3], name }),
  'batchNormalization of columns': (name) => layers.batchNormalization({ axis: 2, name }),
  prelu: (name) => layers.prelu({ name, sharedAxes: [1, 2] }),
};

describe('stock layers', () => {
  beforeAll(() => useBackend('cpu'));

  it.each(Object.entries(covered))('%s draws the images of whole passes', async (_, make) => {
    await expectNoLeaks(async () => {
      const model = modelWith(make());
      const draw = async (strategy: 'incremental' | 'full') =>
        take(await sample(model, { numImages: 60, seed: 7, strategy }));
      const images = await draw('incremental');
      expect(images).toEqual(await draw('full'));
      expect(new Set(images).size).toBe(5); // every level is drawn
      model.dispose();
    });
  });

  it.each(Object.entries(refused))('%s is refused by name', async (_, make) => {
    const layer = make('mixer');
    const model = modelWith(layer);
    await expect(sample(model, { strategy: 'incremental' })).rejects.toThrow(
      `layer 'mixer' (${layer.getClassName()}) cannot be evaluated pixel by pixel`,
    );
    model.dispose();
  });
});

onEachBackend('the arithmetic of stock layers on tensors', () => {
  it.each(Object.entries(covered))('%s is what the layer itself computes', async (_, make) => {
    await expectNoLeaks(async () => {
      const layer = make();
      const isJoining = JOINING.includes(layer.getClassName());
      const [a, b] = [1, 2].map((seed) => tf.tensor(noise(2 * 3 * 3 * 5, seed).map((x) => 3 * x), [2, 3, 3, 5])) as [tf.Tensor, tf.Tensor]; // biome-ignore format: one line
      const inputs = isJoining ? [a, b] : [a];
      // some layers of tfjs leave tensors behind
      const apply = () => tf.tidy(() => layer.apply(isJoining ? inputs : a) as tf.Tensor);
      apply().dispose(); // builds it
      const weights = layer.weights.map(({ shape, originalName }, i) => {
        const size = shape.reduce<number>((product, length) => product * (length as number), 1);
        const isVariance = originalName.includes('variance');
        return tf.tensor(noise(size, i + 5).map((x) => (isVariance ? Math.abs(x) + 0.1 : x)), shape as number[]); // biome-ignore format: one line
      });
      layer.setWeights(weights);
      const own = apply();
      const express = stockLayer(layer, inputs.map(({ shape }) => shape)); // biome-ignore format: one line
      const ops = new TensorOps();
      const ours = tf.tidy(() => tf.clone(express?.(ops, inputs) as tf.Tensor));
      expect(ours.shape).toEqual(own.shape);
      const [got, want] = [await take(ours), await take(own)];
      const scale = Math.max(1, ...want.map(Math.abs));
      expectClose(got, want, 1e-6 * scale);
      ops.dispose();
      layer.dispose();
      tf.dispose([a, b, weights]);
    });
  });
});

const { exp, log1p, max, min, sqrt } = Math;
const softplus = (x: number) => max(x, 0) + log1p(exp(-Math.abs(x)));

/** Each by the name of its class in tfjs-layers, as Keras defines it. */
const definitions: Record<string, (x: number) => number> = {
  linear: (x) => x,
  relu: (x) => max(x, 0),
  elu: (x) => (x < 0 ? exp(x) - 1 : x),
  hardSigmoid: (x) => (x < -2.5 ? 0 : x > 2.5 ? 1 : 0.2 * x + 0.5),
  relu6: (x) => min(max(x, 0), 6),
  selu: (x) => 1.05070098 * (x < 0 ? 1.67326324 * (exp(x) - 1) : x),
  sigmoid: (x) => 1 / (1 + exp(-x)),
  softplus,
  softsign: (x) => x / (1 + Math.abs(x)),
  swish: (x) => x / (1 + exp(-x)),
  tanh: Math.tanh,
  geluNew: (x) => 0.5 * x * (1 + Math.tanh(sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  mish: (x) => x * Math.tanh(softplus(x)),
};

describe('activation', () => {
  /** What a program makes of numbers by the activation of that name. */
  function evaluated(name: string, xs: readonly number[]): number[] {
    const program = new ProgramBuilder();
    const image = program.image(xs.length);
    activation(name)?.(program, image);
    const node = program.nodes.at(-1);
    if (node?.op !== 'pointwise') return name === 'linear' ? [...xs] : [];
    const plan = new Plan(1, 1, 1);
    const [x, y] = [1, 2].map(() => new FeatureCache(plan, Layout.of(xs.map(() => 0)), ONE_PIXEL)) as [FeatureCache, FeatureCache]; // biome-ignore format: one line
    addFeaturewise(
      plan,
      node as FeaturewiseNode,
      { numbers: () => new Float32Array(), closures: [] },
      [x],
      y,
    );
    const machine = new Machine(plan, 1, makeKernels);
    write(machine, x.operand(), [xs]);
    machine.run(0);
    return readFeatures(machine, y, y.operand())[0] as number[];
  }

  it.each(Object.entries(definitions))('%s by its definition', (name, definition) => {
    const xs = Array.from({ length: 193 }, (_, i) => -12 + i / 8);
    const got = evaluated(name, [...xs, -800, Number.NaN]);
    for (const [i, x] of xs.entries()) {
      const want = definition(x);
      expect(Math.abs((got[i] as number) - want)).toBeLessThan(1e-6 * max(1, Math.abs(want)));
    }
    expect(Math.abs((got[193] as number) - definition(-800))).toBeLessThan(1e-5);
    expect(got[194]).toBeNaN();
  });

  it('reads names as configs have them too', () => {
    for (const [name, camel] of [
      ['hard_sigmoid', 'hardSigmoid'],
      ['gelu_new', 'geluNew'],
    ] as const) {
      expect(evaluated(name, [-1, 0.5])).toEqual(evaluated(camel, [-1, 0.5]));
    }
  });

  it('linear is its input; the others are one operation, with the parameter that they imply', () => {
    const program = new ProgramBuilder();
    const image = program.image(2);
    expect(activation('linear')?.(program, image)).toBe(image);
    expect(program.nodes).toHaveLength(1);
    for (const [name, node] of [
      ['relu', { fn: 'relu', parameter: 0 }],
      ['relu6', { fn: 'clippedRelu', parameter: 6 }],
      ['elu', { fn: 'elu', parameter: 1 }],
    ] as const) {
      expect(activation(name)?.(program, image)?.size).toBe(2);
      expect(program.nodes.at(-1)).toEqual({ op: 'pointwise', size: 2, input: 0, ...node });
    }
  });

  it.each(['softmax', 'logSoftmax', 'leakyRelu', 'no such thing', ''])('"%s" is none', (name) => {
    expect(activation(name)).toBeNull();
  });
});
