import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { Program } from '../../src/program/program';
import { useBackend } from '../support/backends';

beforeAll(() => useBackend('cpu'));

it('refuses operands and weights of other sizes', () => {
  const program = new Program();
  const image = program.image(2);
  const args = { kernel: tf.zeros([1, 1, 2, 3]), maskType: 'A', imageChannels: 1 } as const;
  const three = program.conv(image, args);
  expect(() => program.add(image, three)).toThrow('Program: add: wanted features of one size, got [2, 3]');
  expect(() => program.multiply()).toThrow('Program: multiply: wanted features of one size');
  expect(() => program.conv(three, args)).toThrow('Program: conv: kernel: wanted 3 input features, got 2');
  const weights = [tf.zeros([2])] as const;
  expect(() => program.affine(three, { weights, numbers: () => [1, 0] })).toThrow(
    'Program: affine: wanted weights [3]',
  );
  expect(() => program.normalize(three, { gamma: weights[0], epsilon: 1 })).toThrow('Program: normalize');
});

it('refuses a window of what is the same at every pixel, and a gate of half a group', () => {
  const program = new Program();
  const vector = program.condition(2, false);
  const projected = program.conv(vector, { kernel: tf.zeros([2, 2]), imageChannels: 1, maskType: 'B' });
  const window = { kernel: tf.zeros([3, 3, 2, 1]), imageChannels: 1, maskType: 'B' } as const;
  for (const input of [vector, projected]) {
    expect(() => program.conv(input, window)).toThrow(
      'Program: conv: kernel: wanted 1x1, since its input is the same at every pixel, got [3, 3]',
    );
  }
  const map = program.condition(1, true);
  expect(() => program.gate(map, 1)).toThrow('Program: gate: input: wanted a multiple');
});
