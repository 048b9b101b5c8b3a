import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, it } from 'vitest';
import { MaskedConv } from '../../src/layers/masked-conv';
import type { MaskArgs } from '../../src/mask';
import { indexOf, Program } from '../../src/program/program';
import { stepsOf } from '../../src/program/steps';
import { useBackend } from '../support/backends';
import { expectNoLeaks, take } from '../support/tensors';

beforeAll(() => useBackend('cpu'));

/** A convolution whose kernel is all ones; the weights belong to the layer. */
function ones(args: MaskArgs, bias?: number): { conv: MaskedConv; layer: tfl.layers.Layer } {
  const layer = tfl.layers.inputLayer({ inputShape: [1] });
  const { featuresIn, featuresOut } = args;
  const [rows, columns] = args.kernelSize as [number, number];
  const { ones: one, constant } = tfl.initializers;
  const kernel = layer['addWeight']('kernel', [rows, columns, featuresIn, featuresOut], 'float32', one());
  const offset = bias === undefined ? undefined : layer['addWeight']('bias', [featuresOut], 'float32', constant({ value: bias })); // biome-ignore format: one line
  return { conv: new MaskedConv(kernel, offset, args), layer };
}

const apply = (conv: MaskedConv, x: tf.Tensor4D, activation?: 'relu') => take(tf.tidy(() => conv.apply(x, activation))); // biome-ignore format: one line

it('convolves with the kernel masked, with a bias and a ReLU where there are any', async () => {
  const x = tf.tensor4d([1, 2, 3], [1, 1, 3, 1]);
  const args = { kernelSize: [3, 3] as [number, number], featuresIn: 1, featuresOut: 1, imageChannels: 1 };
  const { conv } = ones(args);
  expect(await apply(conv, x)).toEqual([1, 3, 5]); // B by default: a pixel and its left neighbour
  const { conv: first } = ones({ ...args, maskType: 'A' }, -1.5);
  expect(await apply(first, x)).toEqual([-1.5, -0.5, 0.5]);
  expect(await apply(first, x, 'relu')).toEqual([0, 0, 0.5]);
  x.dispose();
});

it('sees whole rows in a vertical stack', async () => {
  const x = tf.tensor4d([1, 2, 3, 10, 20, 30], [1, 2, 3, 1]);
  const args = { kernelSize: [3, 3] as [number, number], featuresIn: 1, featuresOut: 1, vertical: true };
  expect(await apply(ones({ ...args, imageChannels: 1, maskType: 'A' }).conv, x)).toEqual([0, 0, 0, 3, 6, 5]);
  expect(await apply(ones({ ...args, imageChannels: 1 }).conv, x)).toEqual([3, 6, 5, 33, 66, 55]);
  x.dispose();
});

it('is the same convolution in a program', () => {
  const { conv, layer } = ones({ kernelSize: [1, 3], featuresIn: 2, featuresOut: 4, imageChannels: 2, maskType: 'A' }, 1); // biome-ignore format: one line
  const program = new Program();
  const y = conv.incremental(program, program.image(2));
  const node = program.nodes[indexOf(y)];
  const [kernel, bias] = layer.weights.map((weight) => weight.read());
  const args = { kernel, bias, maskType: 'A', imageChannels: 2, vertical: false };
  expect(node).toMatchObject({ op: 'conv', size: 4, input: 0, args });
  expect(stepsOf(program.nodes)[1]).toEqual([0, 0, 1, 1]);

  const { conv: least } = ones({ kernelSize: [1, 1], featuresIn: 3, featuresOut: 3 });
  const other = new Program();
  least.incremental(other, other.image(3));
  expect(other.nodes[1]).toMatchObject({ args: { maskType: 'B', imageChannels: 3, vertical: false, bias: undefined } }); // biome-ignore format: one line
});

it('disposes its mask, and leaves the weights to the layer', async () => {
  await expectNoLeaks(() => {
    const { conv, layer } = ones({ kernelSize: [3, 3], featuresIn: 3, featuresOut: 3 }, 0);
    conv.dispose();
    return layer.getWeights();
  });
});
