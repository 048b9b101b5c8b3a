import { describe, expect, it } from 'vitest';
import { addFeaturewise, addLevelNumbers, arranged } from '../../src/engine/featurewise';
import { Layout } from '../../src/engine/layout';
import { Machine } from '../../src/engine/machine';
import { FeatureCache, ONE_PIXEL, Plan } from '../../src/engine/plan';
import type { FeaturewiseNode } from '../../src/program/program';
import { kernelMakers, read, readFeatures, writeKnown } from '../support/machine';
import { expectClose, noise } from '../support/tensors';

const IMAGES = 3; // in chunks of 2 and 1
const CHANNELS = 2;

/** Numbers [image][feature] in [-3, 3). */
const values = (features: number, seed: number) =>
  Array.from({ length: IMAGES }, (_, n) => Array.from(noise(features, 10 * seed + n + 1), (v) => 3 * v));

interface Operand {
  layout: Layout;
  values: number[][];
}

describe.each(kernelMakers)('addFeaturewise with %s', (_, make) => {
  /** What an operation makes of operands, whose features are NaN until the time at which they are ready. */
  function run(
    node: FeaturewiseNode,
    operands: readonly Operand[],
    result: Layout,
    weights: Record<string, Float32Array> = {},
  ): number[][] {
    const plan = new Plan(2, 1, CHANNELS);
    const xs = operands.map(({ layout }) => new FeatureCache(plan, layout, ONE_PIXEL));
    const y = new FeatureCache(plan, result, ONE_PIXEL);
    const after = plan.reserveForImages(1, 4); // belongs to another: not to be written
    const numbers = (weight: string) => weights[weight] as Float32Array;
    addFeaturewise(plan, node, numbers, xs, y);
    const machine = new Machine(plan, IMAGES, make);
    for (let time = 0; time <= CHANNELS; time++) {
      for (const [i, x] of xs.entries()) {
        writeKnown(machine, x, x.operand(), operands[i]?.values ?? [], time);
      }
      machine.run(time);
    }
    expect(read(machine, after, 4).flat()).toEqual(new Array(4 * IMAGES).fill(0));
    return readFeatures(machine, y, y.operand());
  }

  const times = [0, 0, 1, 1, 1, 1, 1, 2, 0];
  const layout = Layout.of(times);
  const size = times.length;
  const [a, b, c] = [values(size, 1), values(size, 2), values(size, 3)];
  const at = (of: number[][], n: number, f: number) => of[n]?.[f] as number;

  function expectValues(got: number[][], want: (n: number, f: number) => number): void {
    for (const [n, features] of got.entries()) {
      expectClose(features, features.map((_, f) => want(n, f)), 2e-6); // biome-ignore format: one line
    }
  }

  it.each([
    ['relu', 0, (x: number) => Math.max(0, x)],
    ['sigmoid', 0, (x: number) => 1 / (1 + Math.exp(-x))],
    ['tanh', 0, Math.tanh],
    ['elu', 0.5, (x: number) => (x < 0 ? 0.5 * Math.expm1(x) : x)],
    ['leakyRelu', 0.3, (x: number) => (x < 0 ? 0.3 * x : x)],
    ['clippedRelu', 2, (x: number) => Math.min(2, Math.max(0, x))],
    ['scale', -0.3, (x: number) => -0.3 * x],
    ['shift', 0.7, (x: number) => x + 0.7],
  ] as const)('pointwise: %s, with its parameter', (fn, parameter, definition) => {
    const y = run({ op: 'pointwise', size, input: 0, fn, parameter }, [{ layout, values: a }], layout);
    expectValues(y, (n, f) => definition(at(a, n, f)));
  });

  it.each([1, 2, 3])('add, multiply, maximum and minimum: of %i operands', (count) => {
    const all = [a, b, c].slice(0, count);
    const operands = all.map((each) => ({ layout, values: each }));
    const inputs = all.map((_, i) => i);
    for (const [op, definition] of [
      ['add', (x: number, y: number) => x + y],
      ['multiply', (x: number, y: number) => x * y],
      ['maximum', Math.max],
      ['minimum', Math.min],
    ] as const) {
      const y = run({ op, size, inputs }, operands, layout);
      expectValues(y, (n, f) => all.map((each) => at(each, n, f)).reduce((p, q) => definition(p, q)));
    }
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

  it('affine: a scale and a shift of each feature', () => {
    const [scales, shifts] = [noise(size, 8), noise(size, 9)];
    const node = { op: 'affine', size, input: 0, scale: 's', shift: 't' } as const;
    const y = run(node, [{ layout, values: a }], layout, { s: scales, t: shifts });
    expectValues(y, (n, f) => (scales[f] as number) * at(a, n, f) + (shifts[f] as number));
  });

  it.each([1, 2, 3])('gate: tanh of the first half of each of %i groups, sigmoid of the second', (groups) => {
    const gates = 6 * groups; // of groups of 6: 3 and 3
    const inputTimes = Array.from({ length: gates }, (_, f) => Math.floor(f / 6) % 3);
    for (const isAtOnce of [false, true]) {
      const time = (f: number) => (isAtOnce ? 1 : (inputTimes[f] as number));
      const x = Array.from({ length: gates }, (_, f) => time(f));
      const y = Array.from({ length: gates / 2 }, (_, f) => time(6 * Math.floor(f / 3)));
      const numbers = values(gates, 6);
      const node = { op: 'gate', size: gates / 2, input: 0, groups } as const;
      const got = run(node, [{ layout: Layout.of(x), values: numbers }], Layout.of(y));
      expectValues(got, (n, f) => {
        const first = 6 * Math.floor(f / 3) + (f % 3);
        return Math.tanh(at(numbers, n, first)) / (1 + Math.exp(-at(numbers, n, first + 3)));
      });
    }
  });

  it.each([1, 3])(
    'linearGate: the first half of each of %i groups, times sigmoid of the second',
    (groups) => {
      const gates = 6 * groups;
      const inputTimes = Array.from({ length: gates }, (_, f) => Math.floor(f / 6) % 3);
      const y = Array.from({ length: gates / 2 }, (_, f) => Math.floor(f / 3) % 3);
      const numbers = values(gates, 6);
      const node = { op: 'linearGate', size: gates / 2, input: 0, groups } as const;
      const got = run(node, [{ layout: Layout.of(inputTimes), values: numbers }], Layout.of(y));
      expectValues(got, (n, f) => {
        const first = 6 * Math.floor(f / 3) + (f % 3);
        return at(numbers, n, first) / (1 + Math.exp(-at(numbers, n, first + 3)));
      });
    },
  );

  it('concatElu: ELUs of all features, then of their opposites, each when it is ready', () => {
    const elu = (x: number) => (x > 0 ? x : Math.expm1(x));
    const all = [times, times.map(() => 1)]; // of several times, and of one, whose halves are one run
    for (const of of all) {
      for (const x of [Layout.of(of), Layout.dense(of)]) {
        const node = { op: 'concatElu', size: 2 * size, input: 0 } as const;
        const got = run(node, [{ layout: x, values: a }], Layout.of([...of, ...of]));
        expectValues(got, (n, f) => elu(f < size ? at(a, n, f) : -at(a, n, f - size)));
      }
    }
  });

  it('concat: whatever the runs', () => {
    const image = { layout: Layout.dense([1, 2]), values: values(2, 4) };
    const other = { layout: Layout.of([0, 0, 0]), values: values(3, 5) };
    const own = { layout, values: a };
    for (const [first, second, result] of [
      [own, other, Layout.concat([layout, other.layout])],
      [own, other, Layout.of([...times, 0, 0, 0])], // 0 goes on in one run
      [image, own, Layout.of([1, 2, ...times])],
      [own, image, Layout.of([...times, 1, 2])],
    ] as const) {
      const inputs = [0, 1];
      const y = run({ op: 'concat', size: result.times.length, inputs }, [first, second], result);
      expect(y).toEqual(
        first.values.map((features, n) => [...features, ...(second.values[n] as number[])].map(Math.fround)),
      );
    }
  });

  it('oneHot: the feature whose index comes in; none where there is no such', () => {
    const classes = { layout: Layout.of([1]), values: [[2], [0], [5]] };
    const y = run({ op: 'oneHot', size: 5, input: 0 }, [classes], Layout.of([1, 1, 1, 1, 1]));
    expect(y).toEqual([
      [0, 0, 1, 0, 0],
      [1, 0, 0, 0, 0],
      [0, 0, 0, 0, 0],
    ]);
  });

  it('oneHotLevels and embedLevels: of the number of each level when it is ready; zeros where it is 0', () => {
    const numbers = [[1, 3, 0], [2, 2, 4], [0, 4, 1]]; // biome-ignore format: one line
    const table = Array.from({ length: 8 }, (_, i) => 10 * (1 + (i >> 1)) + (i & 1)); // [4,2]: 10 and 11, 20 and 21, ...
    for (const x of [Layout.dense([1, 1, 2]), Layout.of([0, 1, 2])]) {
      const hot = Layout.of([1, 1, 2].flatMap((time) => [time, time, time, time]));
      const node = { op: 'oneHotLevels', size: 12, input: 0, levels: 4 } as const;
      expect(run(node, [{ layout: x, values: numbers }], hot)).toEqual(
        numbers.map((row) =>
          row.flatMap((number) => [1, 2, 3, 4].map((other) => (other === number ? 1 : 0))),
        ),
      );
      const pairs = Layout.of([1, 1, 1, 1, 2, 2]);
      const embed = { op: 'embedLevels', size: 6, input: 0, table: 't' } as const;
      const y = run(embed, [{ layout: x, values: numbers }], pairs, { t: Float32Array.from(table) });
      expect(y).toEqual(
        numbers.map((row) =>
          row.flatMap((number) => (number === 0 ? [0, 0] : [10 * number, 10 * number + 1])),
        ),
      );
    }
  });

  it('addLevelNumbers: of each feature when it is ready', () => {
    const plan = new Plan(2, 1, CHANNELS);
    const x = new FeatureCache(plan, Layout.of([1, 2, 2]), ONE_PIXEL);
    const y = new FeatureCache(plan, Layout.dense([1, 2, 2]), ONE_PIXEL);
    addLevelNumbers(plan, 5, x, y);
    const machine = new Machine(plan, IMAGES, make);
    const levels = [[0, 0.25, 1], [0.5, 2, 0.75], [0.3, -1, 0]]; // biome-ignore format: one line
    writeKnown(machine, x, x.operand(), levels, 1);
    machine.run(1);
    expect(readFeatures(machine, y, y.operand()).map(([first]) => first)).toEqual([1, 3, 2]);
    writeKnown(machine, x, x.operand(), levels, 2);
    machine.run(2);
    expect(readFeatures(machine, y, y.operand())).toEqual([[1, 2, 5], [3, 0, 4], [2, 0, 1]]); // biome-ignore format: one line
  });

  it('arranged: in the slots of another layout, at the places of the features', () => {
    const plan = new Plan(2, 4, CHANNELS);
    const x = new FeatureCache(plan, Layout.dense([0, 0]), ONE_PIXEL, 2);
    const copy = arranged(plan, x, Layout.of([0, 0]), true);
    expect([copy.scale, copy.isOnePixel]).toEqual([2, true]);
    expect(plan.steps.flat().map(({ places }) => places)).toEqual([x.places]);
    expect(arranged(plan, x, Layout.dense([1, 1]), true)).toBe(x);
  });

  it.each([
    ['softmax', (x: number, sum: number) => Math.exp(x) / sum],
    ['logSoftmax', (x: number, sum: number) => x - Math.log(sum)],
  ] as const)('%s: of each group once its last feature is ready, whatever the runs', (op, definition) => {
    const groups = 3; // of three features each
    const inputTimes = [0, 1, 0, 2, 2, 2, 0, 0, 0];
    const resultTimes = [1, 1, 1, 2, 2, 2, 0, 0, 0];
    const node = { op, size, input: 0, groups } as const;
    for (const layout of [Layout.of(inputTimes), Layout.dense(inputTimes)]) {
      const y = run(node, [{ layout, values: a }], Layout.of(resultTimes));
      expectValues(y, (n, f) => {
        const first = f - (f % 3);
        const sum = [0, 1, 2].reduce((total, i) => total + Math.exp(at(a, n, first + i)), 0);
        return definition(at(a, n, f), sum);
      });
    }
  });

  describe('normalize', () => {
    /** Normalizes the features of three images; the first is ready before the others. */
    function normalized(numbers: number[][], scale: number[], shift: number[], epsilon: number): number[][] {
      const weights = { s: Float32Array.from(scale), t: Float32Array.from(shift) };
      const node = {
        op: 'normalize',
        size: 4,
        input: 0,
        scale: 's',
        shift: 't',
        epsilon,
        groups: 1,
      } as const;
      const x = { layout: Layout.of([0, 1, 1, 1]), values: numbers };
      return run(node, [x], Layout.of([1, 1, 1, 1]), weights); // not before: they are NaN
    }

    const numbers = [
      [1, 3, 5, 7], // mean 4, variance (9 + 1 + 1 + 9) / 4 = 5
      [-2, -2, 2, 2], // mean 0, variance 4
      [6, 6, 6, 6], // mean 6, variance 0
    ];
    const [ones, zeros] = [new Array<number>(4).fill(1), new Array<number>(4).fill(0)];

    it('takes the mean away and divides by the deviation, over the features of a pixel', () => {
      const got = normalized(numbers, ones, zeros, 4); // deviations 3, sqrt(8), 2
      const root = Math.sqrt(8);
      const second = [-2 / root, -2 / root, 2 / root, 2 / root];
      expectClose(got.flat(), [-3 / 3, -1 / 3, 1 / 3, 3 / 3, ...second, 0, 0, 0, 0], 1e-7);
    });

    it('then scales and shifts each feature by its own numbers', () => {
      const [scale, shift] = [
        [3, 6, 9, -3],
        [10, 20, 30, 40],
      ];
      expectClose(normalized(numbers, scale, shift, 4)[0] as number[], [7, 18, 33, 37], 1e-5); // -1 * 3 + 10, ...
      expectClose(normalized(numbers, scale, zeros, 4)[0] as number[], [-3, -2, 3, -3], 1e-5);
      expectClose(normalized(numbers, ones, shift, 4)[2] as number[], shift, 0);
    });

    it.each([
      [0, 1, 2],
      [0, 0, 1], // two groups side by side
      [1, 1, 1],
    ])('does so for each group by itself, once it is ready: at %i, %i and %i', (...ready) => {
      const weights = { s: Float32Array.of(1, 2, 3, 4, 5, 6), t: Float32Array.of(10, 20, 30, 40, 50, 60) };
      const rest = { size: 6, input: 0, scale: 's', shift: 't', epsilon: 3, groups: 3 };
      const pairs = [
        [1, 3, -2, 2, 6, 6], // means 2, 0, 6, variances 1, 4, 0
        [7, 5, 0, 0, 2, 4], // means 6, 0, 3, variances 1, 0, 1
        [0, 0, 9, 7, 2, -2], // means 0, 8, 0, variances 0, 1, 4
      ];
      const timesOfEach = ready.flatMap((time) => [time, time]);
      const x = { layout: Layout.of([0, ...timesOfEach.slice(1)]), values: pairs }; // a first feature that waits for its group
      const got = run({ op: 'normalize', ...rest }, [x], Layout.of(timesOfEach), weights);
      const seventh = 2 / Math.sqrt(7);
      const wanted = [
        [10 - 0.5, 20 + 2 * 0.5, 30 - 3 * seventh, 40 + 4 * seventh, 50, 60],
        [10 + 0.5, 20 - 2 * 0.5, 30, 40, 50 - 5 * 0.5, 60 + 6 * 0.5],
        [10, 20, 30 + 3 * 0.5, 40 - 4 * 0.5, 50 + 5 * seventh, 60 - 6 * seventh],
      ];
      expectClose(got.flat(), wanted.flat(), 1e-5);
    });
  });
});
