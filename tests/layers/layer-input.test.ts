import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { imageInputShape, oneInput } from '../../src/layers/layer-input';
import { useBackend } from '../support/backends';

beforeAll(() => useBackend('cpu'));

it('reads one shape [N,H,W,features]', () => {
  expect(imageInputShape('Layer', [null, 4, null, 6])).toEqual([null, 4, null, 6]);
});

it('names the layer whose input does not fit', () => {
  const wanted = 'Layer: input: wanted one tensor [N,H,W,features] with its features known';
  expect(() => imageInputShape('Layer', [null, 4, 4])).toThrow(`${wanted}, got [null, 4, 4]`);
  expect(() => imageInputShape('Layer', [null, 4, 4, null])).toThrow(wanted);
  expect(() => imageInputShape('Layer', [[null, 4, 4, 3]])).toThrow(wanted);
});

it('takes an input alone or in a list', () => {
  const x = tf.zeros([1, 1, 1, 1]);
  expect(oneInput(x)).toBe(x);
  expect(oneInput([x])).toBe(x);
  x.dispose();
});

it('takes an input of integers as float32', () => {
  const x = tf.ones([1, 1, 1, 1], 'int32');
  const y = oneInput(x);
  expect(y.dtype).toBe('float32');
  tf.dispose([x, y]);
});
