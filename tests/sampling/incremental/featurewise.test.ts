import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { sigmoid, tanh } from '../../../src/kernels/functions';
import { FeatureCache, ONE_PIXEL } from '../../../src/sampling/incremental/feature-cache';
import { addFeaturewise, type FeaturewiseNode } from '../../../src/sampling/incremental/featurewise';
import { Layout } from '../../../src/sampling/incremental/layout';
import { Machine } from '../../../src/sampling/incremental/machine';
import { Plan } from '../../../src/sampling/incremental/plan';
import { useBackend } from '../../support/backends';
import { kernelMakers, read, readFeatures, writeKnown } from '../../support/machine';
import { expectClose, noise } from '../../support/tensors';

beforeAll(() => useBackend('cpu'));

const IMAGES = 3; // in chunks of 2 and 1
const CHANNELS = 2;

/** Numbers [image][feature] in [-3, 3). */
const values = (features: number, seed: number) =>
  Array.from({ length: IMAGES }, (_, n) => Array.from(noise(features, 10 * seed + n + 1), (v) => 3 * v));

describe.each(kernelMakers)('addFeaturewise with %s', (_, make) => {
  let actions = 0; // of the last operation, in JavaScript

  /** What an operation makes of operands, whose features are NaN until the step in which they are known. */
  function run(
    node: FeaturewiseNode,
    operands: readonly { layout: Layout; values: number[][] }[],
    result: Layout,
    weights = new Map<tf.Tensor, ArrayLike<number>>(),
  ): number[][] {
    const plan = new Plan(2, 1, CHANNELS, weights);
    const xs = operands.map(({ layout }) => new FeatureCache(plan, layout, ONE_PIXEL));
    const y = new FeatureCache(plan, result, ONE_PIXEL);
    const after = plan.reserveForImages(1, 4); // belongs to another: not to be written
    addFeaturewise(plan, node, xs, y);
    actions = plan.steps.flat().filter((code) => typeof code === 'function').length;
    const machine = new Machine(plan, IMAGES, make);
    for (let step = 0; step <= CHANNELS; step++) {
      for (const [i, x] of xs.entries()) {
        writeKnown(machine, x, x.operand(), operands[i]?.values ?? [], step);
      }
      machine.run(step);
    }
    expect(read(machine, after, 4).flat()).toEqual(new Array(4 * IMAGES).fill(0));
    return readFeatures(machine, y, y.operand());
  }

  const steps = [0, 0, 1, 1, 1, 1, 1, 2, 0];
  const layout = Layout.of(steps);
  const size = steps.length;
  const [a, b, c] = [values(size, 1), values(size, 2), values(size, 3)];
  const at = (of: number[][], n: number, f: number) => of[n]?.[f] as number;

  function expectValues(got: number[][], want: (n: number, f: number) => number): void {
    for (const [n, features] of got.entries()) {
      expectClose(features, features.map((_, f) => want(n, f)), 2e-6); // biome-ignore format: one line
    }
  }

  it('relu', () => {
    const y = run({ op: 'relu', size, input: 0 }, [{ layout, values: a }], layout);
    expectValues(y, (n, f) => Math.max(0, at(a, n, f)));
  });

  it.each([
    ['sigmoid, which kernels know', sigmoid, (x: number) => 1 / (1 + Math.exp(-x))],
    ['tanh, which kernels know', tanh, Math.tanh],
    ['another function', (x: number) => 2 * x * x - 1, (x: number) => 2 * x ** 2 - 1],
  ])('map: %s', (_name, fn, definition) => {
    const y = run({ op: 'map', size, input: 0, fn }, [{ layout, values: a }], layout);
    const close = (v: number) => v / Math.max(1, Math.abs(v)); // relative where large
    expectValues(y.map((features) => features.map(close)), (n, f) => close(definition(at(a, n, f)))); // biome-ignore format: one line
  });

  it.each([1, 2, 3])('add and multiply: of %i operands', (count) => {
    const all = [a, b, c].slice(0, count);
    const operands = all.map((each) => ({ layout, values: each }));
    const inputs = all.map((_, i) => i);
    const sums = run({ op: 'add', size, inputs }, operands, layout);
    expectValues(sums, (n, f) => all.reduce((sum, each) => sum + at(each, n, f), 0));
    const products = run({ op: 'multiply', size, inputs }, operands, layout);
    expectValues(products, (n, f) => all.reduce((product, each) => product * at(each, n, f), 1));
  });

  it('add: of operands that lie otherwise, such as the image itself', () => {
    const [image, drawn] = [Layout.dense([1, 2]), values(2, 4)];
    const [known, earlier] = [Layout.of([0, 0]), values(2, 5)];
    const operands = [
      { layout: image, values: drawn },
      { layout: known, values: earlier },
    ];
    const y = run({ op: 'add', size: 2, inputs: [0, 1] }, operands, Layout.of([1, 2])); // the later of both
    expectValues(y, (n, f) => at(drawn, n, f) + at(earlier, n, f));
  });

  it('affine: a scale and a shift of each feature, from its weights', () => {
    const [scale, shift] = [tf.ones([size]), tf.ones([size])]; // their numbers stand in the map
    const [scales, shifts] = [noise(size, 8), noise(size, 9)];
    const weights = new Map([[scale, scales], [shift, shifts]]); // biome-ignore format: one line
    const node: FeaturewiseNode = {
      op: 'affine',
      size,
      input: 0,
      weights: [scale, shift],
      numbers: ([s = 0, t = 0]) => [2 * s, t - 1],
    };
    const y = run(node, [{ layout, values: a }], layout, weights);
    expectValues(y, (n, f) => 2 * (scales[f] as number) * at(a, n, f) + (shifts[f] as number) - 1);
    tf.dispose([scale, shift]);
  });

  it.each([1, 2, 3])('gate: tanh of the first half of each of %i groups, sigmoid of the second', (groups) => {
    const gates = 6 * groups; // of groups of 6: 3 and 3
    const inputSteps = Array.from({ length: gates }, (_, f) => Math.floor(f / 6) % 3);
    for (const flatSteps of [false, true]) {
      const step = (f: number) => (flatSteps ? 1 : (inputSteps[f] as number));
      const x = Array.from({ length: gates }, (_, f) => step(f));
      const y = Array.from({ length: gates / 2 }, (_, f) => step(6 * Math.floor(f / 3)));
      const numbers = values(gates, 6);
      const node = { op: 'gate', size: gates / 2, input: 0, imageChannels: groups } as const;
      const got = run(node, [{ layout: Layout.of(x), values: numbers }], Layout.of(y));
      expectValues(got, (n, f) => {
        const first = 6 * Math.floor(f / 3) + (f % 3);
        return Math.tanh(at(numbers, n, first)) / (1 + Math.exp(-at(numbers, n, first + 3)));
      });
      expect(actions).toBe(0);
    }
  });

  it('concat: whatever the stretches', () => {
    const image = { layout: Layout.dense([1, 2]), values: values(2, 4) };
    const other = { layout: Layout.of([0, 0, 0]), values: values(3, 5) };
    const own = { layout, values: a };
    for (const [first, second, result] of [
      [own, other, Layout.concat([layout, other.layout])],
      [own, other, Layout.of([...steps, 0, 0, 0])], // 0 goes on in one stretch
      [image, own, Layout.of([1, 2, ...steps])],
      [own, image, Layout.of([...steps, 1, 2])],
    ] as const) {
      const inputs = [0, 1];
      const y = run({ op: 'concat', size: result.steps.length, inputs }, [first, second], result);
      expect(actions).toBe(0);
      expect(y).toEqual(
        first.values.map((features, n) => [...features, ...(second.values[n] as number[])].map(Math.fround)),
      );
    }
  });
});
