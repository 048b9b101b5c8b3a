import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { maskedConv2d, pixelLogits, sample } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../support/backends';
import { expectNoLeaks, noise, take } from '../support/tensors';

beforeAll(() => useBackend('cpu'));

type Symbolic = tfl.SymbolicTensor;
const { layers } = tfl;

const JOINING = ['Add', 'Concatenate', 'Maximum', 'Multiply'];

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
  maximum: (name) => layers.maximum({ name }),
};

describe('stock layers', () => {
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
