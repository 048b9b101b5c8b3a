import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkNetworkArgs, logitsHead, type NetworkArgs, networkArgNames } from '../../src/models/network';
import { useBackend } from '../support/backends';
import { take } from '../support/tensors';

describe('checkNetworkArgs', () => {
  const args = { imageShape: [4, 5, 3] as NetworkArgs['imageShape'], hiddenDim: 2, outDim: 5, numBlocks: 1 };

  it('fills in what is left out, and counts features of all channels', () => {
    const filled = { imageChannels: 3, levels: 256, hidden: 6, out: 15, numBlocks: 1, firstKernelSize: 7, kernelSize: 3, named: {} }; // biome-ignore format: one line
    expect(checkNetworkArgs('net', args, networkArgNames)).toEqual({ imageShape: [4, 5, 3], ...filled });
    const any = checkNetworkArgs(
      'net',
      { ...args, imageShape: [null, 5, 1], levels: 2, name: 'mine' },
      networkArgNames,
    );
    expect(any).toMatchObject({ imageChannels: 1, levels: 2, hidden: 2, out: 5, named: { name: 'mine' } });
  });

  it('names what is no image shape', () => {
    const shapes = [undefined, null, 4, '4,4,1', [], [4, 4], [4, 4, 1, 1], [4, 4, null], [0, 4, 1], [4, -1, 1], [4, 1.5, 1], [4, 4, 0], [undefined, 4, 1]]; // biome-ignore format: one line
    for (const imageShape of shapes as never[]) {
      expect(() => checkNetworkArgs('net', { ...args, imageShape }, networkArgNames)).toThrow(
        'net: imageShape: wanted [H, W, C], with null for a size that may vary',
      );
    }
  });

  it('names every other argument that is out of range', () => {
    const wrong = {
      hiddenDim: 0,
      outDim: 1.5,
      numBlocks: -1,
      levels: 1,
      firstKernelSize: 2,
      kernelSize: [3, 4],
    };
    for (const [name, value] of Object.entries(wrong)) {
      expect(() => checkNetworkArgs('net', { ...args, [name]: value }, networkArgNames)).toThrow(
        `net: ${name}: wanted`,
      );
    }
  });
});

describe('logitsHead', () => {
  beforeAll(() => useBackend('cpu'));

  /** A head on features of every pixel. */
  function build(shape: number[], filters: number, imageChannels: number, levels: number): tfl.LayersModel {
    const features = tfl.input({ shape });
    const head = logitsHead({ filters, imageChannels, levels });
    const logits = head.reduce((x, layer) => layer.apply(x) as tfl.SymbolicTensor, features);
    return tfl.model({ inputs: features, outputs: logits });
  }

  it('is three 1x1 convolutions to logits, a ReLU after the first', async () => {
    const model = build([2, 3, 4], 6, 2, 5);
    expect(model.outputs[0]?.shape).toEqual([null, 2, 3, 2, 5]);
    expect(model.layers.slice(1).map(({ name }) => name)).toEqual([
      'output_conv1',
      'output_conv2',
      'final_conv',
      'logits',
    ]);
    expect(model.getWeights().map(({ shape }) => shape)).toEqual([
      [1, 1, 4, 6],
      [6],
      [1, 1, 6, 6],
      [6],
      [1, 1, 6, 10],
      [10],
    ]);
    model.dispose();

    const ones = build([1, 1, 1], 1, 1, 2);
    const weights = ones.getWeights().map(({ shape }) => tf.ones(shape));
    ones.setWeights(weights);
    const x = tf.tensor4d([-3, 1], [2, 1, 1, 1]);
    // relu(x + 1), then twice one more: -3 -> 0 -> 1 -> 2, and 1 -> 2 -> 3 -> 4
    expect(await take(ones.predict(x) as tf.Tensor)).toEqual([2, 2, 4, 4]);
    tf.dispose([weights, x]);
    ones.dispose();
  });

  it('lets a channel see its own features and those of channels before', async () => {
    const model = build([1, 1, 3], 3, 3, 2);
    const weights = model
      .getWeights()
      .map(({ shape }) => (shape.length === 4 ? tf.ones(shape) : tf.zeros(shape)));
    model.setWeights(weights);
    const x = tf.tensor4d([1, 10, 100], [1, 1, 1, 3]);
    // running sums, thrice: [1, 11, 111], [1, 12, 123], [1, 13, 136]
    expect(await take(model.predict(x) as tf.Tensor)).toEqual([1, 1, 13, 13, 136, 136]);
    tf.dispose([weights, x]);
    model.dispose();
  });
});
