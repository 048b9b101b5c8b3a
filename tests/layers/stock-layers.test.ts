import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { maskedConv2d, oneHotCodes, pixelLogits, sample, toPortable } from 'pixelcnn-layers';
import { readPortable, sample as sampleFile, writePortable } from 'pixelcnn-layers/runtime';
import { describe, expect, it } from 'vitest';
import { activationOf, stockLayer } from '../../src/layers/stock-layers';
import { tensorOps } from '../../src/layers/tensor-ops';
import type { ImageModelShape } from '../../src/models/image-model';
import { trace } from '../../src/portable/trace';
import { softmaxOf } from '../../src/runtime/distributions/categorical';
import { onBackend, onEachBackend } from '../support/backends';
import { apply, type Symbolic } from '../support/models/graphs';
import { programOf } from '../support/models/program';
import { scoped } from '../support/scoped';
import { expectClose, expectNoLeaks, noise, setNoise, take } from '../support/tensors';

const shapeOf = (imageShape: ImageModelShape['imageShape'], levels: number): ImageModelShape => ({
  imageShape,
  levels,
  conditions: [],
  distribution: softmaxOf(imageShape[2], levels),
});
const { layers } = tfl;

const JOINING = ['Add', 'Average', 'Concatenate', 'Maximum', 'Minimum', 'Multiply'];

/** Noise for the weights of a layer or a model, in their order; above 0 for variances. */
const noiseOf = ({ weights }: tfl.layers.Layer, seed: number, scale: number) =>
  weights.map(({ shape, originalName }, i) => {
    const numbers = noise(tf.util.sizeFromShape(shape as number[]), seed + i);
    return tf.tensor(
      numbers.map((x) => (originalName.includes('variance') ? Math.abs(x) + 0.1 : scale * x)),
      shape as number[],
    );
  });

/**
 * From an image of one channel five features, or twice five where the layer joins; the layer; the logits of
 * five levels.
 */
function modelWith(layer: tfl.layers.Layer): tfl.LayersModel {
  const conv = (maskType: 'A' | 'B') => maskedConv2d({ filters: 5, kernelSize: 3, maskType, imageChannels: 1 });
  const isJoining = JOINING.includes(layer.getClassName());
  const image = tfl.input({ shape: [3, 3, 1] });
  const features = [apply(conv('A'), image), ...(isJoining ? [apply(conv('A'), image)] : [])];
  const logits = pixelLogits({ imageChannels: 1, levels: 5 }).apply(apply(conv('B'), apply(layer, ...features)));
  const model = tfl.model({ inputs: image, outputs: logits });
  const weights = noiseOf(model, 1, 0.8);
  model.setWeights(weights);
  tf.dispose(weights);
  return model;
}

/** All that tfjs-layers has. */
const activations = [
  'elu', 'hardSigmoid', 'linear', 'relu', 'relu6', 'selu', 'sigmoid', 'softmax', 'softplus', 'softsign', 'tanh',
  'swish', 'mish', 'gelu', 'gelu_new', 'logSoftmax',
]; // biome-ignore format: names

/** The types of tfjs-layers do not know all of them. */
const activationLayer = (name: string) => layers.activation({ activation: name as 'tanh' });

const covered: Record<string, () => tfl.layers.Layer> = {
  ...Object.fromEntries(activations.map((name) => [`activation ${name}`, () => activationLayer(name)])),
  dense: () => layers.dense({ units: 7, activation: 'tanh' }),
  'dense without bias': () => layers.dense({ units: 7, useBias: false }),
  'dense with a softmax': () => layers.dense({ units: 7, activation: 'softmax' }),
  'conv2d of 1x1': () => layers.conv2d({ filters: 7, kernelSize: 1, activation: 'mish' }),
  'conv2d of 1x1 without bias': () => layers.conv2d({ filters: 7, kernelSize: [1, 1], padding: 'same', useBias: false }),
  reLU: () => layers.reLU(),
  'reLU with a maximum': () => layers.reLU({ maxValue: 0.4 }),
  leakyReLU: () => layers.leakyReLU({ alpha: 0.6 }),
  'prelu, a slope for each feature': () => layers.prelu({ sharedAxes: [1, 2] }),
  'prelu, one slope': () => layers.prelu({ sharedAxes: [1, 2, 3] }),
  elu: () => layers.elu(),
  thresholdedReLU: () => layers.thresholdedReLU({ theta: 0.3 }),
  'softmax, axis -1': () => layers.softmax({ axis: -1 }),
  'softmax, axis 3': () => layers.softmax({ axis: [3] }),
  rescaling: () => layers.rescaling({ scale: 1 / 3, offset: -0.2 }),
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
  average: () => layers.average(),
  concatenate: () => layers.concatenate(),
  'concatenate, axis 3': () => layers.concatenate({ axis: 3 }),
};

/** Each with the reason. */
const refused: Record<string, [make: (name: string) => tfl.layers.Layer, reason: string]> = {
  softmax: [(name) => layers.softmax({ name }), ': axis: wanted the last, -1 or 3, got 1'],
  'concatenate, rows': [(name) => layers.concatenate({ axis: 1, name }), ': axis: wanted the axis of features, -1 or 3, got 1'],
  'concatenate, columns from the end': [(name) => layers.concatenate({ axis: -2, name }), ': axis: wanted the axis of features, -1 or 3, got -2'],
  'layerNormalization over rows': [(name) => layers.layerNormalization({ axis: 1, name }), ': axis: wanted the axis of features, -1 or 3, got [1]'],
  'layerNormalization over columns and features': [(name) => layers.layerNormalization({ axis: [3, 2], name }), ': axis: wanted the axis of features, -1 or 3, got [3, 2]'],
  'batchNormalization of columns': [(name) => layers.batchNormalization({ axis: 2, name }), ': axis: wanted the axis of features, -1 or 3, got 2'],
  'prelu, a slope for each place': [(name) => layers.prelu({ name, sharedAxes: [3] }), ': alpha: wanted one that all places share (sharedAxes: [1, 2]), got [3, 3, 1]'],
  'prelu, a slope for each row': [(name) => layers.prelu({ name, sharedAxes: [2, 3] }), ': alpha: wanted one that all places share (sharedAxes: [1, 2]), got [3, 1, 1]'],
  'conv2d of 3x3 without zeros around': [(name) => layers.conv2d({ filters: 5, kernelSize: 3, name }), ": padding: wanted 'same', got 'valid'"],
  'upSampling2d, bilinear': [(name) => layers.upSampling2d({ size: [1, 1], interpolation: 'bilinear', name }), ": interpolation: wanted 'nearest', got 'bilinear'"],
  'conv2d of every second pixel': [(name) => layers.conv2d({ filters: 5, kernelSize: 1, strides: 2, name }), ': strides: wanted 1, got [2, 2]'],
  'conv2d whose features come first': [(name) => layers.conv2d({ filters: 5, kernelSize: 1, dataFormat: 'channelsFirst', name }), ": dataFormat: wanted 'channelsLast', got 'channelsFirst'"],
  'reshape that moves pixels': [(name) => layers.reshape({ targetShape: [3, 1, 15], name }), ': targetShape: wanted [H, W, C, L] of [N,H,W,C*L], got [3, 1, 15]'],
  permute: [(name) => layers.permute({ dims: [2, 1, 3], name }), ''],
  masking: [(name) => layers.masking({ name }), ''],
}; // biome-ignore format: a row a line

/** Expects a model to draw the images of whole passes, also from a file, and to leave nothing behind. */
const expectDrawnAlike = (make: () => tfl.LayersModel) =>
  expectNoLeaks(async () => {
    const model = make();
    const draw = async (strategy: 'incremental' | 'full') => take(await sample(model, { numImages: 6, seed: 7, strategy }));
    const images = await draw('incremental');
    expect(images).toEqual(await draw('full'));
    const file = readPortable(writePortable(await toPortable(model)));
    expect(Array.from((await sampleFile(file, { numImages: 6, seed: 7 })).data)).toEqual(images);
    model.dispose();
  });

onBackend('cpu', 'stock layers', () => {
  it.each(Object.entries(covered))('%s draws the images of whole passes, also from a file', (_, make) =>
    expectDrawnAlike(() => modelWith(make())),
  );

  it.each(Object.entries(refused))('%s is refused by name', async (_, [make, reason]) => {
    const layer = make('mixer');
    const model = scoped(modelWith(layer));
    const traced = trace(model, shapeOf([3, 3, 1], 5));
    const obstacle = `layer 'mixer' (${layer.getClassName()}) cannot be evaluated pixel by pixel${reason}`;
    expect(traced).toEqual({ obstacle });
  });

  it.each([
    ['conv2d of 3x3', (name: string) => layers.conv2d({ filters: 5, kernelSize: 3, padding: 'same', name })],
    ['upSampling2d', (name: string) => layers.upSampling2d({ size: [1, 1], name })],
  ])('%s is for conditions alone', (_, make) => {
    const model = scoped(modelWith(make('mixer')));
    const reason = 'its input depends on the image, so it would see later pixels';
    expect(trace(model, shapeOf([3, 3, 1], 5))).toMatchObject({ obstacle: `layer 'mixer' cannot be evaluated pixel by pixel: ${reason}` });
  });

  it('of conditions look around and enlarge: the images of whole passes', async () => {
    const image = tfl.input({ shape: [4, 4, 1] });
    const codes = tfl.input({ shape: [2, 2, 1] });
    const conv = layers.conv2d({ filters: 3, kernelSize: [3, 1], padding: 'same', activation: 'tanh' });
    const around = apply(conv, oneHotCodes({ levels: 3 }).apply(codes)); // [N,2,2,3]
    const enlarged = apply(layers.upSampling2d({ size: [2, 2] }), around); // [N,2,2,3] -> [N,4,4,3]
    const seen = maskedConv2d({ filters: 3, kernelSize: 3, maskType: 'A', imageChannels: 1 }).apply(image);
    const all = apply(layers.concatenate(), seen, enlarged); // [N,4,4,6]
    const logits = apply(layers.conv2d({ filters: 4, kernelSize: 1 }), all); // [N,4,4,4]
    const outputs = pixelLogits({ imageChannels: 1, levels: 4 }).apply(logits) as Symbolic;
    const model = scoped(tfl.model({ inputs: [image, codes], outputs }));
    setNoise(model, 3, 1.5);
    const condition = { data: Array.from({ length: 120 }, (_, i) => (i * 7) % 3), shape: [30, 2, 2] };
    const draw = async (strategy: 'incremental' | 'full') => take(await sample(model, { numImages: 30, seed: 7, strategy, condition }));
    const images = await draw('incremental');
    expect(images).toEqual(await draw('full'));
    expect(images).not.toEqual(
      await take(
        await sample(model, { numImages: 30, seed: 7, condition: { ...condition, data: condition.data.map((code) => 2 - code) } }),
      ),
    );
  });

  /** A model from an image of two channels by a function of its features, [N,3,3,8]. */
  function modelOfTwo(build: (features: Symbolic) => Symbolic): tfl.LayersModel {
    const image = tfl.input({ shape: [3, 3, 2] });
    const conv = maskedConv2d({ filters: 8, kernelSize: 3, maskType: 'A', imageChannels: 2 });
    const model = tfl.model({ inputs: image, outputs: build(conv.apply(image) as Symbolic) });
    setNoise(model, 3, 1.5);
    return model;
  }

  it('a model that is a layer, and has one, draws the images of whole passes', () =>
    expectDrawnAlike(() =>
      modelOfTwo((x) => {
        const [one, other, third] = Array.from({ length: 3 }, () => tfl.input({ shape: [3, 3, 8] })) as [Symbolic, Symbolic, Symbolic];
        const conv = maskedConv2d({ filters: 8, kernelSize: 3, imageChannels: 2 });
        const within = tfl.model({ inputs: [one, other], outputs: apply(layers.add(), one, apply(conv, other)) });
        const outer = tfl.model({ inputs: third, outputs: apply(within, third, apply(layers.reLU(), third)) });
        return toLogits(apply(layers.add(), x, apply(outer, x)));
      }),
    ));

  const toLogits = (x: Symbolic) => pixelLogits({ imageChannels: 2, levels: 4 }).apply(x) as Symbolic;
  /** Logits of one channel that sees earlier pixels only, [N,3,3,1,4]. */
  const toOne = (x: Symbolic) =>
    pixelLogits({ imageChannels: 1, levels: 4 }).apply(
      maskedConv2d({ filters: 4, kernelSize: 3, maskType: 'A', imageChannels: 1 }).apply(x) as Symbolic,
    ) as Symbolic;

  it.each<[string, (features: Symbolic) => Symbolic]>([
    ['logSoftmax', (x) => apply(activationLayer('logSoftmax'), toLogits(x))],
    ['softmax', (x) => apply(layers.softmax({ axis: 4 }), toLogits(x))],
    ['softsign', (x) => apply(layers.activation({ activation: 'softsign' }), toLogits(x))],
    ['prelu of each level', (x) => apply(layers.prelu({ sharedAxes: [1, 2] }), toLogits(x))],
    ['sum', (x) => apply(layers.add(), toLogits(x), toLogits(x))],
    ['channels joined', (x) => apply(layers.concatenate({ axis: -2 }), toOne(x), toOne(x))],
    ['channels joined, axis 3', (x) => apply(layers.concatenate({ axis: 3 }), toOne(x), toOne(x))],
    ['features reshaped', (x) => apply(layers.reshape({ targetShape: [3, 3, 2, 4] }), x)],
  ])('of logits [N,H,W,C,L]: %s draws the images of whole passes', (_, build) =>
    expectDrawnAlike(() => modelOfTwo(build))); // biome-ignore format: a row a line

  it.each<[string, (features: Symbolic) => Symbolic, string]>([
    ['levels joined', (x) => apply(layers.concatenate({ name: 'mixer' }), toLogits(x), toLogits(x)), 'axis: wanted the axis of channels, -2 or 3, got -1'],
    ['dense', (x) => apply(layers.dense({ units: 4, name: 'mixer' }), toLogits(x)), 'input: wanted [N,H,W,F] or [N,F], got [null, 3, 3, 2, 4]'],
    ['batchNormalization', (x) => apply(layers.batchNormalization({ name: 'mixer' }), toLogits(x)), 'input: wanted [N,H,W,F] or [N,F], got'],
    ['layerNormalization', (x) => apply(layers.layerNormalization({ name: 'mixer' }), toLogits(x)), 'input: wanted [N,H,W,F] or [N,F], got'],
    ['one level to all', (x) => apply(layers.add({ name: 'mixer' }), toLogits(x), toOne(x)), 'inputs: wanted equal numbers of features, or one feature, got'],
    ['prelu of each channel', (x) => apply(layers.prelu({ sharedAxes: [1, 2, 4], name: 'mixer' }), toLogits(x)), 'alpha: wanted one that all places share'],
  ])('of logits [N,H,W,C,L]: %s is refused by name', (_, build, reason) => {
    const model = scoped(modelOfTwo(build));
    const levels = model.outputs[0]?.shape[4] as number;
    expect(trace(model, shapeOf([3, 3, 2], levels))).toEqual({
      obstacle: expect.stringContaining(`cannot be evaluated pixel by pixel: ${reason}`),
    });
  }); // biome-ignore format: a row a line

  it.each<[string, tfl.Shape, (features: Symbolic) => Symbolic, string]>([
    ['prelu, as many places as features', [2, 2, 1], (x) => apply(layers.prelu({ sharedAxes: [3], name: 'mixer' }), x), 'alpha: wanted one that all places share'],
    ['reshape of images of any size', [null, null, 1], (x) => apply(layers.reshape({ targetShape: [2, 2, 1, 4], name: 'mixer' }), x), 'targetShape: wanted [H, W, C, L] of [N,H,W,C*L], got [2, 2, 1, 4]'],
    ['features added to logits', [3, 1, 1], (x) => apply(layers.add({ name: 'mixer' }), toOne(x), x), 'inputs: wanted equal numbers of features, or one feature, got'],
    ['reshape to other rows and columns', [2, 3, 1], (x) => apply(layers.reshape({ targetShape: [3, 2, 1, 4], name: 'mixer' }), x), 'targetShape: wanted'],
  ])('%s is refused by name', (_, shape, build, reason) => {
    const image = tfl.input({ shape });
    const conv = maskedConv2d({ filters: 4, kernelSize: 3, maskType: 'A', imageChannels: 1 });
    const features = build(conv.apply(image) as Symbolic);
    const isFlat = features.rank === 4;
    const outputs = isFlat ? (pixelLogits({ imageChannels: 1, levels: 4 }).apply(features) as Symbolic) : features;
    const model = scoped(tfl.model({ inputs: image, outputs }));
    const traced = trace(model, shapeOf([null, null, 1], 4));
    expect(traced).toEqual({ obstacle: expect.stringContaining(reason) });
  }); // biome-ignore format: a row a line

  it('a softmax over the features of several channels lets each see the others', () => {
    const model = scoped(modelOfTwo((x) => toLogits(apply(layers.activation({ activation: 'softmax' }), x))));
    expect(trace(model, shapeOf([3, 3, 2], 4))).toMatchObject({
      late: { readiness: expect.arrayContaining([expect.objectContaining({ times: new Array(8).fill(1) })]) }, // the first channel's, too
      obstacle: 'the model is not causal: its logits of channel 0 see that channel or a later one',
    });
  });
});

onEachBackend('the arithmetic of stock layers on tensors', () => {
  it.each(Object.entries(covered))('%s is what the layer itself computes', (_, make) =>
    expectNoLeaks(async () => {
      const layer = make();
      const isJoining = JOINING.includes(layer.getClassName());
      const large = (seed: number) => noise(2 * 3 * 3 * 5, seed).map((x) => 3 * x);
      const [a, b] = [1, 2].map((seed) => tf.tensor(large(seed), [2, 3, 3, 5])) as [tf.Tensor, tf.Tensor];
      const inputs: [tf.Tensor, ...tf.Tensor[]] = isJoining ? [a, b] : [a];
      // some layers of tfjs leave tensors behind
      const apply = () => tf.tidy(() => layer.apply(isJoining ? inputs : a) as tf.Tensor);
      apply().dispose(); // builds it
      const weights = noiseOf(layer, 5, 1);
      layer.setWeights(weights);
      const own = apply();
      const shapes = inputs.map(({ shape }) => shape);
      const express = stockLayer(layer, shapes);
      const ops = tensorOps();
      const ours = tf.tidy(() => tf.clone(express?.(ops, inputs) as tf.Tensor));
      expect(ours.shape).toEqual(own.shape);
      const [got, want] = [await take(ours), await take(own)];
      const scale = Math.max(1, ...want.map(Math.abs));
      expectClose(got, want, 1e-6 * scale);
      ops.dispose();
      layer.dispose();
      tf.dispose([a, b, weights]);
    }),
  );
});

describe('activation', () => {
  it('linear is its input; the others are one operation, with the parameter that they imply', () => {
    const { program, image } = programOf(2);
    expect(activationOf('linear')?.(program.ops, image)).toBe(image);
    expect(program.nodes).toHaveLength(1);
    for (const [name, node] of [
      ['relu', { fn: 'relu', parameter: 0 }],
      ['relu6', { fn: 'clippedRelu', parameter: 6 }],
      ['elu', { fn: 'elu', parameter: 1 }],
    ] as const) {
      expect(activationOf(name)?.(program.ops, image)?.size).toBe(2);
      expect(program.nodes.at(-1)).toEqual({ op: 'pointwise', size: 2, input: 0, ...node });
    }
  });

  it('softmax runs over each group', () => {
    const { program, image } = programOf(6);
    activationOf('log_softmax', 3)?.(program.ops, image);
    activationOf('softmax')?.(program.ops, image);
    expect(program.nodes.slice(1)).toEqual([
      { op: 'logSoftmax', size: 6, input: 0, groups: 3 },
      { op: 'softmax', size: 6, input: 0, groups: 1 },
    ]);
  });

  it.each(['leakyRelu', 'scale', 'shift', 'no such thing', ''])('"%s" is none', (name) => {
    expect(activationOf(name)).toBeNull();
  });
});
