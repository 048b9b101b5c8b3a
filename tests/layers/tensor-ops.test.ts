import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // registers the gradients
import { getMask, type Ops } from 'pixelcnn-layers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TensorOps, tensorOps } from '../../src/layers/tensor-ops';
import { windowOf } from '../../src/runtime/core/declared-window';
import { windowAround } from '../../src/runtime/core/window';
import { ProgramBuilder } from '../../src/runtime/program/builder';
import { pointwiseNames } from '../../src/runtime/program/operations/pointwise';
import type { LayerWeight } from '../../src/runtime/program/weights';
import { onBackend, onEachBackend } from '../support/backends';
import { modelOf } from '../support/models/program';
import { scoped } from '../support/scoped';
import { type SlowMap, slowly, slowMap } from '../support/slow/program';
import { expectClose, expectNoLeaks, noise, take } from '../support/tensors';

/** A weight with the numbers of a tensor, which the caller disposes. */
const weightOf = (tensor: tf.Tensor, name = 'weight'): LayerWeight => ({ name, shape: tensor.shape, read: () => tensor });

/** Runs an operation in a tidy, as layers do, and takes its values. */
const valuesOf = (operation: () => tf.Tensor) => take(tf.tidy(operation));

onEachBackend('convolutions on tensors', () => {
  let ops: TensorOps;
  beforeEach(() => {
    ops = tensorOps();
  });
  afterEach(() => ops.dispose());

  it('of features that are equal at every pixel are products: [N,in] -> [N,out]', async () => {
    const [x, kernel, dense] = [
      scoped(tf.tensor2d([1, 2, 3, 4], [2, 2])),
      scoped(tf.tensor([1, 10, 100, 1, 2, 3], [1, 1, 2, 3])),
      scoped(tf.tensor([1, 10, 100, 1, 2, 3], [2, 3])),
    ];
    for (const weight of [kernel, dense]) {
      const y = tf.tidy(() => ops.conv(x, weightOf(weight), null, windowAround([1, 1], 'B', 1)));
      expect(y.shape).toEqual([2, 3]);
      expect(await take(y)).toEqual([1 + 2, 10 + 4, 100 + 6, 3 + 4, 30 + 8, 300 + 12]);
    }
  });

  it('keep the causal rows of their mask on the device', async () => {
    const args = { kernelSize: [5, 3] as [number, number], featuresIn: 3, featuresOut: 6 };
    const kernel = scoped(tf.ones([5, 3, 3, 6]));
    const mask = ops.prepare(weightOf(kernel), windowOf(args)).values as tf.Tensor4D;
    expect(mask.shape).toEqual([3, 3, 3, 6]); // rows 0, 1 and the centre's, 2
    expect(Array.from(await mask.data())).toEqual(Array.from(getMask(args).values.subarray(0, 3 * 3 * 3 * 6)));
  });
});

onBackend('cpu', 'convolutions on tensors', () => {
  it('keep no mask that hides nothing', () =>
    expectNoLeaks(() => {
      const kernel = tf.ones([1, 1, 4, 4]);
      const ops = tensorOps();
      const before = tf.memory().numTensors;
      expect(ops.prepare(weightOf(kernel), windowAround([1, 1], 'B', 1)).values).toBeNull();
      expect(tf.memory().numTensors).toBe(before);
      return kernel;
    }));

  it('keep a mask beyond the tidy in which it was made, one a kernel, until they are disposed', () =>
    expectNoLeaks(() => {
      const ops = tensorOps();
      const [kernel, x] = [tf.ones([3, 3, 3, 3]), tf.ones([1, 2, 2, 3])];
      const weight = weightOf(kernel);
      let mask: tf.Tensor | null = null;
      tf.tidy(() => {
        mask = ops.prepare(weight, windowOf({ kernelSize: 3 })).values;
      });
      expect(mask).toMatchObject({ isDisposed: false });
      const before = tf.memory().numTensors;
      for (const window of [windowOf({ kernelSize: 3 }), windowOf({ kernelSize: [3, 3], maskType: 'B' })]) {
        tf.tidy(() => ops.conv(x, weight, null, window)).dispose();
        expect(ops.prepare(weight, window).values).toBe(mask);
      }
      expect(tf.memory().numTensors).toBe(before);
      ops.dispose();
      expect(mask).toMatchObject({ isDisposed: true });
      return [kernel, x]; // weights are left to their layer
    }));

  it('refuse groups that do not split features, also where no shapes were checked before', () => {
    const x = scoped(tf.zeros([1, 2, 2, 6]));
    const ops = tensorOps();
    expect(() => ops.gate(x, 4)).toThrow('gate: input: wanted a multiple of 2 * groups (8), got 6');
    expect(() => ops.softmax('softmax', x, 4)).toThrow('softmax: input: wanted a multiple of groups (4), got 6');
    expect(() => ops.normalize(x, { epsilon: 1, groups: 4 })).toThrow('normalize: input: wanted a multiple of groups (4), got 6');
  });

  it('refuse a second window for a kernel', () => {
    const ops = scoped(tensorOps());
    const kernel = scoped(tf.ones([3, 3, 1, 1]));
    const weight = weightOf(kernel, 'kernel');
    const window = windowOf({ kernelSize: 3, imageChannels: 1 });
    ops.prepare(weight, window);
    expect(() => ops.prepare(weight, { ...window, present: 'A' })).toThrow("weight 'kernel': wanted one window for each kernel, got 'two'");
  });
});

type Express = <T>(ops: Ops<T>, inputs: readonly [x: T, y: T, v: T], weight: (shape: number[]) => LayerWeight) => T;

/** Operations on two maps and on a vector that is the same at every pixel, of four features each. */
const expressions: [string, Express][] = [
  ...pointwiseNames.flatMap((fn): [string, Express][] => [
    [`pointwise: ${fn}`, (ops, [x]) => ops.pointwise(fn, x, 1)],
    [`pointwise: ${fn}, of another parameter`, (ops, [x]) => ops.pointwise(fn, x, 0.5)],
  ]),
  ...(['add', 'multiply', 'maximum', 'minimum'] as const).flatMap((fn): [string, Express][] => [
    [`${fn} of one`, (ops, [x]) => ops.combine(fn, x)],
    [`${fn} of two`, (ops, [x, y]) => ops.combine(fn, x, y)],
    [`${fn} of three`, (ops, [x, y, v]) => ops.combine(fn, x, y, v)],
    [`${fn} of a vector first`, (ops, [x, , v]) => ops.combine(fn, v, x)],
  ]),
  ['concat', (ops, [x, y, v]) => ops.concat(x, v, y)],
  ['concat of vectors', (ops, [, , v]) => ops.concat(v, v)],
  ['slice', (ops, [x]) => ops.slice(x, 1, 2)],
  ['slice of a vector', (ops, [, , v]) => ops.slice(v, 1, 2)],
  ...(['tanh', 'linear'] as const).flatMap((kind): [string, Express][] => [
    [`gate, ${kind}, of two groups`, (ops, [x]) => ops.gate(x, 2, undefined, kind)],
    [`gate, ${kind}, with a map`, (ops, [x, y]) => ops.gate(x, 2, y, kind)],
    [`gate, ${kind}, with a vector`, (ops, [x, , v]) => ops.gate(x, 1, v, kind)],
    [`gate, ${kind}, of a vector`, (ops, [, , v]) => ops.gate(v, 1, undefined, kind)],
    [`gate, ${kind}, of a vector with a vector`, (ops, [, , v]) => ops.gate(v, 2, v, kind)],
  ]),
  ...[[0, 0], [1, 0], [0, 2], [1, 1], [9, 1]].map(([rows = 0, columns = 0]): [string, Express] => [`shift by ${rows}, ${columns}`, (ops, [x]) => ops.shift(x, rows, columns)]),
  ['concatElu', (ops, [x]) => ops.concatElu(x)],
  ['concatElu of a vector', (ops, [, , v]) => ops.concatElu(v)],
  ...(['softmax', 'logSoftmax'] as const).flatMap((fn) => [1, 2, 4].flatMap((groups): [string, Express][] => [
    [`${fn} of ${groups} groups`, (ops, [x]) => ops.softmax(fn, x, groups)],
    [`${fn} of ${groups} groups of a vector`, (ops, [, , v]) => ops.softmax(fn, v, groups)],
  ])),
  ['normalize', (ops, [x]) => ops.normalize(x, { epsilon: 0.5 })],
  ['normalize by a scale', (ops, [x], w) => ops.normalize(x, { epsilon: 0.5, scale: w([4]) })],
  ['normalize by a shift', (ops, [x], w) => ops.normalize(x, { epsilon: 0.5, shift: w([4]) })],
  ['normalize by both, in groups', (ops, [x], w) => ops.normalize(x, { epsilon: 0.5, scale: w([4]), shift: w([4]), groups: 2 })],
  ['standardize', (ops, [x], w) => ops.standardize(x, { mean: w([4]), variance: w([4]), epsilon: 0.5 })],
  ['standardize by a scale', (ops, [x], w) => ops.standardize(x, { mean: w([4]), variance: w([4]), epsilon: 0.5, scale: w([4]) })],
  ['standardize by a shift', (ops, [x], w) => ops.standardize(x, { mean: w([4]), variance: w([4]), epsilon: 0.5, shift: w([4]) })],
  ['standardize by both', (ops, [x], w) => ops.standardize(x, { mean: w([4]), variance: w([4]), epsilon: 0.5, scale: w([4]), shift: w([4]) })],
]; // biome-ignore format: an expression a line

onEachBackend('operations on tensors', () => {
  const [n, h, w, features] = [2, 2, 3, 4];

  it.each(expressions)('%s: as in a program whose nodes are computed by their definition', async (_, express) => {
    const shapes = [[n, h, w, features], [n, h, w, features], [n, features]]; // biome-ignore format: of x, y and v
    const given = shapes.map((shape, i) => {
      const values = noise(tf.util.sizeFromShape(shape), i + 1).map((x) => 3 * x);
      return { values, tensor: tf.tensor(values, shape) };
    });
    /** Weights of numbers above 0, the same for tensors and for programs. */
    const weights = (make: (numbers: Float32Array) => unknown) => {
      let count = 0;
      return (shape: number[]): LayerWeight => {
        const numbers = noise(tf.util.sizeFromShape(shape), 9 + count++).map((x) => 1.5 + x);
        return { name: `w${count}`, shape, read: () => make(numbers) };
      };
    };
    const program = new ProgramBuilder();
    const nodes = [program.image(features), program.condition(0, features, true), program.condition(1, features, false)] as const;
    const output = express(
      program.ops,
      nodes,
      weights((numbers) => numbers),
    );
    const model = modelOf(program, output, { imageShape: [h, w, features], levels: 2 });
    const expected = Array.from({ length: n }, (_, image) => {
      const [x, y, v] = given.map(({ values }, i) => {
        const own = values.subarray((image * values.length) / n, ((image + 1) * values.length) / n);
        const size = i < 2 ? ([h, w, features] as const) : ([1, 1, features] as const);
        return slowMap(size, (row, column, f) => own[(row * w + column) * features + f] as number, i === 2);
      }) as [SlowMap, SlowMap, SlowMap];
      return slowly(model, { image: x, conditions: [y, v] })[model.output] as SlowMap;
    });

    const [x, y, v] = scoped(given.map(({ tensor }) => tensor) as [tf.Tensor, tf.Tensor, tf.Tensor]);
    const ops = scoped(tensorOps());
    const result = tf.tidy(() =>
      tf.clone(
        express(
          ops,
          [x, y, v],
          weights((numbers) => tf.tensor1d(numbers)),
        ),
      ),
    );
    const [{ height, width, features: size, isConstant }] = expected as [SlowMap];
    expect(result.shape).toEqual(isConstant ? [n, size] : [n, height, width, size]);
    const values = expected.flatMap((map) => [...map.values]);
    expectClose(await take(result), values, 1e-5);
  });

  it('concat and softmax take logits [N,H,W,C,L], and concat keeps what is not finite to itself', async () => {
    const ops = tensorOps();
    const [red, green] = [1, 2].map((seed) => Array.from(noise(4, seed))) as [number[], number[]];
    const logits = scoped([red, green].map((values) => tf.tensor(values, [2, 1, 1, 1, 2])));
    const channels = scoped(tf.tidy(() => ops.concat(...(logits as [tf.Tensor, tf.Tensor]))));
    expect(channels.shape).toEqual([2, 1, 1, 2, 2]);
    const both = [...red.slice(0, 2), ...green.slice(0, 2), ...red.slice(2), ...green.slice(2)];
    expect(await take(channels.clone())).toEqual(both);
    for (const fn of ['softmax', 'logSoftmax'] as const) {
      const wanted = both.map((logit, i) => {
        const p = Math.exp(logit) / (Math.exp(logit) + Math.exp(both[i ^ 1] as number));
        return fn === 'softmax' ? p : Math.log(p);
      });
      expectClose(await valuesOf(() => ops.softmax(fn, channels, 2)), wanted, 2e-6);
    }
    const infinite = scoped(tf.tensor([Number.POSITIVE_INFINITY, 1], [1, 1, 1, 2]));
    const vector = scoped(tf.ones([1, 1]));
    expect(await valuesOf(() => ops.concat(infinite, vector))).toEqual([Number.POSITIVE_INFINITY, 1, 1]);
  });
});
