import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { javascriptKernels } from '../../../src/kernels/javascript';
import { FeatureCache, ONE_PIXEL } from '../../../src/sampling/incremental/feature-cache';
import { eachFeature, normalize } from '../../../src/sampling/incremental/in-javascript';
import { Layout } from '../../../src/sampling/incremental/layout';
import { Machine } from '../../../src/sampling/incremental/machine';
import { Plan } from '../../../src/sampling/incremental/plan';
import { useBackend } from '../../support/backends';
import { read, readFeatures, writeKnown } from '../../support/machine';
import { expectClose } from '../../support/tensors';

beforeAll(() => useBackend('cpu'));

describe('eachFeature', () => {
  it('is a function of each feature once it is known, between any layouts, and leaves padding zero', () => {
    const plan = new Plan(2, 1, 2, new Map());
    const x = new FeatureCache(plan, Layout.dense([1, 0, 1]), ONE_PIXEL);
    const y = new FeatureCache(plan, Layout.of([1, 0, 1]), ONE_PIXEL);
    eachFeature(plan, x, y.layout, y.operand(), (v) => 10 * v + 1);
    const machine = new Machine(plan, 3, javascriptKernels);
    const values = [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ];
    writeKnown(machine, x, x.operand(), values, 0);
    machine.run(0);
    expect(readFeatures(machine, y, y.operand())).toEqual([[0, 21, 0], [0, 51, 0], [0, 81, 0]]); // biome-ignore format: one line
    writeKnown(machine, x, x.operand(), values, 1);
    machine.run(1);
    expect(read(machine, y.operand(), 12)).toEqual([
      [11, 0, 0, 0, 21, 0, 0, 0, 31, 0, 0, 0],
      [41, 0, 0, 0, 51, 0, 0, 0, 61, 0, 0, 0],
      [71, 0, 0, 0, 81, 0, 0, 0, 91, 0, 0, 0],
    ]);
  });
});

describe('normalize', () => {
  /** Normalizes the features of three images; the first is known before the others. */
  function run(values: number[][], gamma: number[] | null, beta: number[] | null, epsilon: number) {
    const [g, b] = [tf.zeros([4]), tf.zeros([4])]; // their numbers stand in the map
    const plan = new Plan(2, 1, 2, new Map([[g, gamma ?? []], [b, beta ?? []]])); // biome-ignore format: one line
    const x = new FeatureCache(plan, Layout.of([0, 1, 1, 1]), ONE_PIXEL);
    const y = new FeatureCache(plan, Layout.of([1, 1, 1, 1]), ONE_PIXEL);
    normalize(plan, { gamma: gamma ? g : undefined, beta: beta ? b : undefined, epsilon }, x, y);
    const machine = new Machine(plan, values.length, javascriptKernels);
    writeKnown(machine, x, x.operand(), values, 0);
    machine.run(0);
    expect(readFeatures(machine, y, y.operand()).flat()).toEqual(new Array(12).fill(0)); // not yet
    writeKnown(machine, x, x.operand(), values, 1);
    machine.run(1);
    tf.dispose([g, b]);
    return readFeatures(machine, y, y.operand());
  }

  const values = [
    [1, 3, 5, 7], // mean 4, variance (9 + 1 + 1 + 9) / 4 = 5
    [-2, -2, 2, 2], // mean 0, variance 4
    [6, 6, 6, 6], // mean 6, variance 0
  ];

  it('takes the mean away and divides by the deviation, over the features of a pixel', () => {
    const got = run(values, null, null, 4); // deviations 3, sqrt(8), 2
    const root = Math.sqrt(8);
    const second = [-2 / root, -2 / root, 2 / root, 2 / root];
    expectClose(got.flat(), [-3 / 3, -1 / 3, 1 / 3, 3 / 3, ...second, 0, 0, 0, 0], 1e-7);
  });

  it('then scales and shifts each feature by its own numbers, where there are any', () => {
    const [gamma, beta] = [
      [3, 6, 9, -3],
      [10, 20, 30, 40],
    ];
    expectClose(run(values, gamma, beta, 4)[0] as number[], [7, 18, 33, 37], 1e-5); // -1 * 3 + 10, ...
    expectClose(run(values, gamma, null, 4)[0] as number[], [-3, -2, 3, -3], 1e-5);
    expectClose(run(values, null, beta, 4)[2] as number[], beta, 0);
  });
});
