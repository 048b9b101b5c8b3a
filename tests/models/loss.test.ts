import * as tf from '@tensorflow/tfjs-core';
import { bitsPerDim, logisticMixture, negativeLogLikelihood } from 'pixelcnn-layers';
import { describe, expect, it } from 'vitest';
import { likelihoodName, namesOf, OWN_LOSS, withFunctions } from '../../src/models/loss';
import { softmaxOf } from '../../src/runtime/distributions/categorical';
import { anyBackend, onBackend, onEachBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { expectClose, noise, take } from '../support/tensors';

onEachBackend('the loss', () => {
  it('of the uniform model is log2(L) bits per dimension', async () => {
    for (const levels of [2, 3, 16, 17, 256]) {
      const labels = scoped(tf.zeros([2, 3, 3, 1], 'int32'));
      const bits = await take(bitsPerDim(labels, tf.zeros([2, 3, 3, 1, levels])));
      for (const value of bits) {
        // exact but for the rounding of float32
        expect(Math.abs(value - Math.log2(levels))).toBeLessThanOrEqual(2 ** -23 * Math.log2(levels));
      }
    }
  });

  it('is the mean over an image of -log softmax at the label, and of any shape', async () => {
    const labels = [2, 0, 1, 1];
    const flat = Array.from(noise(4 * 3), (x) => 3 * x);
    const nats = labels.map((label, i) => {
      const row = flat.slice(3 * i, 3 * i + 3);
      return Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - (row[label] as number);
    }) as [number, number, number, number];
    const expected = [(nats[0] + nats[1]) / 2, (nats[2] + nats[3]) / 2];

    for (const dtype of ['int32', 'float32'] as const) {
      const [y, logits] = [scoped(tf.tensor(labels, [2, 1, 2, 1], dtype)), scoped(tf.tensor(flat, [2, 1, 2, 1, 3]))];
      expectClose(await take(negativeLogLikelihood(y, logits)), expected, 1e-6);
      const bits = expected.map((x) => x / Math.LN2);
      expectClose(await take(bitsPerDim(y, logits)), bits, 1e-6);
    }
    const [y, logits] = [scoped(tf.tensor1d(labels, 'int32')), scoped(tf.tensor2d(flat, [4, 3]))];
    expectClose(await take(negativeLogLikelihood(y, logits)), nats, 1e-6);
  });
});

onEachBackend('the loss of 65,536 levels', () => {
  it('is log2(L) of the uniform model, with the gradient of a softmax', async () => {
    const levels = 65_536;
    const there = [0, 65_535, 40_000, 256];
    const labels = scoped(tf.tensor4d(there, [1, 2, 2, 1], 'int32'));
    const uniform = scoped(tf.zeros([1, 2, 2, 1, levels]));
    const { value, grad } = tf.valueAndGrad((x) => tf.sum<tf.Scalar>(bitsPerDim(labels, x)))(uniform);
    expectClose(await take(value), [16], 1e-5);
    // 1 / L of each level, less 1 for the label; of the mean of four places, in bits
    const gradients = new Array<number>(4 * levels).fill(1 / levels / 4 / Math.LN2);
    for (const [place, level] of there.entries()) gradients[place * levels + level] = (1 / levels - 1) / 4 / Math.LN2;
    expectClose(await take(grad), gradients, 1e-7);
  });
});

onEachBackend('the loss, of what is not usual', () => {
  it('takes logits of integers as the numbers that they are', async () => {
    const [labels, logits] = [scoped(tf.tensor([1, 0], [2, 1], 'int32')), scoped(tf.tensor([0, 3, 0, 3], [2, 1, 2], 'int32'))];
    const expected = [Math.log(1 + Math.exp(-3)), Math.log(1 + Math.exp(3))]; // -log softmax([0, 3]) at 1 and at 0
    expectClose(await take(negativeLogLikelihood(labels, logits)), expected, 1e-6);
  });

  it('of no images is no number', async () => {
    const [labels, logits] = [scoped(tf.zeros([0, 2, 2, 1], 'int32')), scoped(tf.zeros([0, 2, 2, 1, 3]))];
    expect(await take(bitsPerDim(labels, logits))).toEqual([]);
  });
});

onBackend(anyBackend, 'the loss', () => {
  it('is known by a mark that copies of the package share, not by identity', () => {
    const copy = Object.assign(() => tf.scalar(0), { [Symbol.for('pixelcnn-layers/likelihood')]: 'bitsPerDim' });
    expect(likelihoodName(bitsPerDim)).toBe('bitsPerDim');
    expect(likelihoodName(negativeLogLikelihood)).toBe('negativeLogLikelihood');
    expect(likelihoodName(copy)).toBe('bitsPerDim');
    expect(likelihoodName(() => tf.scalar(0))).toBeUndefined();
    expect(likelihoodName('bitsPerDim')).toBeUndefined();
    expect(bitsPerDim.name).toBe('bitsPerDim');
  });

  const { distribution } = logisticMixture({ imageChannels: 1, levels: 256, components: 2 });
  type Row = [labels: unknown, outputs: number[], message: string, distribution?: unknown];
  const oneHot = 'not one-hot: make the model with autoregressiveModel';
  it.each<Row>([
    [[[1]], [2, 3, 4], 'labels and outputs: wanted two tensors'],
    [[2, 4], [2, 3, 4], 'labels: wanted levels of shape [2,3]'],
    [[2], [2, 3, 4], 'labels'],
    [[2, 3, 4], [2, 3, 4], `labels: wanted integer levels of shape [2,3], ${oneHot}, got [2, 3, 4]`],
    [[], [3], 'labels'],
    // Of images, labels that are one-hot have five axes: here the outputs are wrong.
    [[2, 4, 4, 1], [2, 4, 4, 1], 'outputs: wanted logits [2,4,4,1,L] of the labels [2,4,4,1], as pixelLogits returns, got [2, 4, 4, 1]'],
    [[2, 4, 4, 3], [2, 4, 4, 3], 'outputs: wanted logits [2,4,4,3,L] of the labels [2,4,4,3], as pixelLogits returns, got [2, 4, 4, 3]'],
    [[2, 4, 4, 1, 3], [2, 4, 4, 1, 3], 'labels: wanted integer levels of shape [2,4,4,1], not one-hot'],
    [[1, 2, 2, 1], [1, 2, 2, 6], 'labels: wanted levels of shape [1,2,2], like the logits [1,2,2,6] without the last axis; for parameters [N,H,W,P], pass model.distribution as the third argument, got [1, 2, 2, 1]'],
    [[1, 2, 2, 1], [1, 2, 2, 6], 'distribution: wanted a distribution, such as model.distribution, got', null],
    [[1, 2, 2, 1], [1, 2, 2, 6], 'distribution: wanted a distribution, such as model.distribution, got', {}],
    [[1, 2, 2, 1], [1, 2, 2, 6], 'distribution: wanted a distribution, such as model.distribution, got', 'mixture'],
    [[1, 2, 2, 1], [1, 2, 2, 5], 'outputs: wanted the parameters [N,H,W,6] of the distribution, got [1, 2, 2, 5]', distribution],
    [[1, 2, 1, 1], [1, 2, 2, 6], 'labels: wanted levels of shape [1,2,2,1], got [1, 2, 1, 1]', distribution],
  ])('names invalid arguments: labels %j, outputs %j', (labels, outputs, message, ...others) => {
    const given = message.startsWith('labels and outputs') ? labels : tf.zeros(labels as number[]);
    expect(() => bitsPerDim(given as tf.Tensor, tf.zeros(outputs), ...(others as []))).toThrow(message);
  }); // biome-ignore format: a row a line
});

describe('names of losses', () => {
  const own = () => bitsPerDim as never;
  const softmax = softmaxOf(1, 2);

  it('replaces names by functions, in every form that compile takes', () => {
    expect(withFunctions('loss', 'bitsPerDim', softmax)).toBe(bitsPerDim);
    expect(withFunctions('loss', own, softmax)).toBe(own);
    expect(withFunctions('metrics', ['negativeLogLikelihood', own], softmax)).toEqual([negativeLogLikelihood, own]);
    expect(withFunctions('loss', { logits: 'bitsPerDim' }, softmax)).toEqual({ logits: bitsPerDim });
    for (const bad of ['mse', 'toString', 3, null]) {
      expect(() => withFunctions('loss', bad, softmax)).toThrow('compile: loss: wanted bitsPerDim, negativeLogLikelihood or');
    }
  });

  it('names the functions of this library, and no other', () => {
    expect(namesOf(bitsPerDim)).toEqual(['bitsPerDim']);
    expect(namesOf([own, { logits: negativeLogLikelihood }])).toEqual([undefined, 'negativeLogLikelihood']);
    for (const none of [undefined, null, []]) expect(namesOf(none)).toEqual([]);
  });

  it('replaces a loss that was not saved, and reports this when called', () => {
    expect(withFunctions('loss', OWN_LOSS, softmax)).toThrow('call compile again');
  });
});
