import * as tf from '@tensorflow/tfjs-core';
import { gatedActivation, gatedResBlock, type PixelLayer } from 'pixelcnn-layers';
import { beforeAll, expect, it } from 'vitest';
import { areConditions } from '../../src/layers/conditions';
import { useBackend } from '../support/backends';
import { take } from '../support/tensors';

beforeAll(() => useBackend('cpu'));

it.each([
  [[null, 3], true], // a vector
  [[null, 4, 6, 3], true], // a map
  [[null, 4, 6, null], false],
  [[null, null], false],
  [[null, 6, 4, 3], false],
  [[null, 2, 3, 3], false], // of half the resolution
  [[null, 4, 6], false],
])('a condition of shape %j: %s', (shape, expected) => {
  expect(areConditions([[null, 3], shape], [null, 4, 6, 8])).toBe(expected);
});

const x = () => tf.tensor4d([1, 2, 3, 4], [1, 1, 1, 4]);
const given = () => [tf.tensor2d([1], [1, 1]), tf.tensor4d([10], [1, 1, 1, 1]), tf.tensor2d([100], [1, 1])];

it('vectors and maps in any order add their projections, each its own', async () => {
  const layer = gatedActivation({ imageChannels: 1, kind: 'linear' });
  layer.apply([x(), ...given()]);
  layer.setWeights([1, 2, 3].map((k) => tf.tensor4d([k, k, 0, 0], [1, 1, 1, 4]))); // to a, not to b
  const [first, second] = await take(layer.apply([x(), ...given()]) as tf.Tensor);
  const added = 1 * 1 + 2 * 10 + 3 * 100;
  const sigmoid = (b: number) => 1 / (1 + Math.exp(-b));
  expect(first).toBeCloseTo((1 + added) * sigmoid(3), 3);
  expect(second).toBeCloseTo((2 + added) * sigmoid(4), 3);
});

it.each<[string, () => PixelLayer, number]>([
  ['gate', () => gatedActivation({ imageChannels: 1, seed: 3, name: 'same' }), 4],
  ['block', () => gatedResBlock({ filters: 4, shift: 'down', seed: 3, name: 'same' }), 8],
])('of a %s of one seed, projections have names of their own and begin alike', async (_, make, features) => {
  const projections = async () => {
    const layer = make();
    layer.apply([x(), ...given()] as tf.Tensor[]);
    const weights = layer.weights.filter(({ originalName }) => originalName.includes('condition'));
    const names = weights.map(({ originalName }) => originalName.split('/').at(-1));
    expect(names).toEqual(['condition_kernel', 'condition2_kernel', 'condition3_kernel']);
    expect(weights.map(({ shape }) => shape)).toEqual([1, 2, 3].map(() => [1, 1, 1, features]));
    return Promise.all(weights.map(async (weight) => Array.from(await weight.read().data())));
  };
  const [first, second] = [await projections(), await projections()];
  expect(first).toEqual(second);
  expect(new Set(first.map(String)).size).toBe(3);
});
