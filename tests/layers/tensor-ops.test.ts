import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // registers the gradients
import { getMask } from 'pixelcnn-layers';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TensorOps, tensorOps } from '../../src/layers/tensor-ops';
import { windowOf } from '../../src/runtime/core/declared-window';
import { type KernelWindow, windowAround } from '../../src/runtime/core/window';
import { nodeOf, ProgramBuilder } from '../../src/runtime/program/builder';
import { type PointwiseName, pointwiseNames } from '../../src/runtime/program/operations/pointwise';
import type { ImageNode } from '../../src/runtime/program/program';
import { readinessOf } from '../../src/runtime/program/readiness';
import type { LayerWeight } from '../../src/runtime/program/weights';
import { onEachBackend, useBackend } from '../support/backends';
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

  /** A convolution whose kernel is all ones. */
  function convolve(x: tf.Tensor4D, window: KernelWindow, featuresOut: number, bias?: number, activation?: 'relu') {
    const kernel = tf.ones([...window.kernelSize, x.shape[3], featuresOut]);
    const biases = bias === undefined ? null : tf.fill([featuresOut], bias);
    const weights = [weightOf(kernel), biases && weightOf(biases)] as const;
    const y = valuesOf(() => ops.conv(x, ...weights, window, activation));
    tf.dispose(biases === null ? [kernel] : [kernel, biases]);
    return y;
  }

  it('are masked, with an optional bias and ReLU', async () => {
    const x = tf.tensor4d([1, 2, 3], [1, 1, 3, 1]);
    const window = (maskType: 'A' | 'B') => windowOf({ kernelSize: 3, imageChannels: 1, maskType });
    expect(await convolve(x, window('B'), 1)).toEqual([1, 3, 5]); // a pixel and its left neighbour
    expect(await convolve(x, window('A'), 1, -1.5)).toEqual([-1.5, -0.5, 0.5]);
    expectClose(await convolve(x, window('A'), 1, -1.5, 'relu'), [0, 0, 0.5], 1e-6); // webgl gives -0
    x.dispose();
  });

  it('see whole rows in a vertical stack', async () => {
    const x = tf.tensor4d([1, 2, 3, 10, 20, 30], [1, 2, 3, 1]);
    const window = (maskType: 'A' | 'B') => windowOf({ kernelSize: 3, imageChannels: 1, maskType, vertical: true });
    expect(await convolve(x, window('A'), 1)).toEqual([0, 0, 0, 3, 6, 5]);
    expect(await convolve(x, window('B'), 1)).toEqual([3, 6, 5, 33, 66, 55]);
    x.dispose();
  });

  it('of features that are equal at every pixel are products: [N,in] -> [N,out]', async () => {
    const [x, kernel, dense] = [
      tf.tensor2d([1, 2, 3, 4], [2, 2]),
      tf.tensor([1, 10, 100, 1, 2, 3], [1, 1, 2, 3]),
      tf.tensor([1, 10, 100, 1, 2, 3], [2, 3]),
    ];
    for (const weight of [kernel, dense]) {
      const y = tf.tidy(() => ops.conv(x, weightOf(weight), null, windowAround([1, 1], 'B', 1)));
      expect(y.shape).toEqual([2, 3]);
      expect(await take(y)).toEqual([1 + 2, 10 + 4, 100 + 6, 3 + 4, 30 + 8, 300 + 12]);
    }
    tf.dispose([x, kernel, dense]);
  });

  it('keep the causal rows of their mask on the device', async () => {
    const args = { kernelSize: [5, 3] as [number, number], featuresIn: 3, featuresOut: 6 };
    const kernel = tf.ones([5, 3, 3, 6]);
    const mask = ops.prepare(weightOf(kernel), windowOf(args)).values as tf.Tensor4D;
    expect(mask.shape).toEqual([3, 3, 3, 6]); // rows 0, 1 and the centre's, 2
    expect(Array.from(await mask.data())).toEqual(Array.from(getMask(args).values.subarray(0, 3 * 3 * 3 * 6)));
    kernel.dispose();
  });
});

describe('convolutions on tensors', () => {
  beforeAll(() => useBackend('cpu'));

  it('are the same in a program', () => {
    const [kernel, bias] = [tf.ones([1, 3, 2, 4]), tf.ones([4])];
    const program = new ProgramBuilder();
    const window = windowOf({ kernelSize: [1, 3], imageChannels: 2, maskType: 'A' });
    const y = program.ops.conv(program.image(2), weightOf(kernel, 'kernel'), weightOf(bias, 'bias'), window);
    expect(program.nodes[nodeOf(y)]).toEqual({ op: 'conv', size: 4, input: 0, kernel: 'kernel', bias: 'bias', window });
    expect(readinessOf(program.nodes as ImageNode[], [])[1]?.times).toEqual([0, 0, 1, 1]);
    tf.dispose([kernel, bias]);
  });

  it('keep no mask that hides nothing', async () => {
    await expectNoLeaks(() => {
      const kernel = tf.ones([1, 1, 4, 4]);
      const ops = tensorOps();
      const before = tf.memory().numTensors;
      expect(ops.prepare(weightOf(kernel), windowAround([1, 1], 'B', 1)).values).toBeNull();
      expect(tf.memory().numTensors).toBe(before);
      return kernel;
    });
  });

  it('keep a mask beyond the tidy in which it was made, one a kernel, until they are disposed', async () => {
    await expectNoLeaks(() => {
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
    });
  });

  it('refuse groups that do not split features, also where no shapes were checked before', () => {
    const x = tf.zeros([1, 2, 2, 6]);
    const ops = tensorOps();
    expect(() => ops.gate(x, 4)).toThrow('gate: input: wanted a multiple of 2 * groups (8), got 6');
    expect(() => ops.softmax('softmax', x, 4)).toThrow('softmax: input: wanted a multiple of groups (4), got 6');
    expect(() => ops.normalize(x, { epsilon: 1, groups: 4 })).toThrow('normalize: input: wanted a multiple of groups (4), got 6');
    x.dispose();
  });

  it('refuse a second window for a kernel', () => {
    const ops = tensorOps();
    const kernel = tf.ones([3, 3, 1, 1]);
    const weight = weightOf(kernel, 'kernel');
    const window = windowOf({ kernelSize: 3, imageChannels: 1 });
    ops.prepare(weight, window);
    expect(() => ops.prepare(weight, { ...window, present: 'A' })).toThrow("weight 'kernel': wanted one window for each kernel, got 'two'");
    ops.dispose();
    kernel.dispose();
  });
});

const { abs, exp, log1p, max, min, sqrt, PI } = Math;

/** The error function by its series, for |x| < 4. */
function erf(x: number): number {
  let [sum, term] = [x, x];
  for (let n = 1; n < 80; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / sqrt(PI)) * sum;
}

const softplus = (x: number) => max(x, 0) + log1p(exp(-abs(x)));
const sigmoid = (x: number) => 1 / (1 + exp(-x));

/** Each function by its definition, with its parameter. */
const definitions: Record<PointwiseName, (x: number, parameter: number) => number> = {
  relu: (x) => max(0, x),
  sigmoid,
  tanh: Math.tanh,
  elu: (x, alpha) => (x < 0 ? alpha * (exp(x) - 1) : x),
  selu: (x) => 1.05070098 * (x < 0 ? 1.67326324 * (exp(x) - 1) : x),
  leakyRelu: (x, alpha) => (x < 0 ? alpha * x : x),
  thresholdedRelu: (x, theta) => (x > theta ? x : 0),
  clippedRelu: (x, most) => min(max(x, 0), most),
  hardSigmoid: (x) => min(1, max(0, 0.2 * x + 0.5)),
  softplus,
  softsign: (x) => x / (1 + abs(x)),
  swish: (x) => x * sigmoid(x),
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  geluNew: (x) => 0.5 * x * (1 + Math.tanh(sqrt(2 / PI) * (x + 0.044715 * x ** 3))),
  quickGelu: (x) => x * sigmoid(1.702 * x),
  mish: (x) => x * Math.tanh(softplus(x)),
  scale: (x, factor) => x * factor,
  shift: (x, term) => x + term,
};

onEachBackend('operations on tensors', () => {
  const ops = tensorOps();
  const [n, h, w] = [2, 2, 3];
  const pixels = n * h * w;

  /** A tensor of noise in [-3, 3), and its numbers. */
  function tensorOf(shape: number[], seed: number) {
    const values = Array.from(
      noise(
        shape.reduce((a, b) => a * b, 1),
        seed,
      ),
      (x) => Math.fround(3 * x),
    );
    return { values, tensor: tf.tensor(values, shape) };
  }

  it.each(pointwiseNames)('pointwise: %s, by its definition', async (fn) => {
    const { values, tensor } = tensorOf([n, h, w, 5], 1);
    for (const parameter of [1, 0.5]) {
      const y = await valuesOf(() => ops.pointwise(fn, tensor, parameter));
      expectClose(
        y,
        values.map((x) => definitions[fn](x, parameter)),
        3e-6,
      );
    }
    tensor.dispose();
  });

  it.each([
    ['add', (a: number, b: number) => a + b],
    ['multiply', (a: number, b: number) => a * b],
    ['maximum', Math.max],
    ['minimum', Math.min],
  ] as const)('combine: %s, of one, two or three inputs, also of features that are equal at every pixel', async (fn, definition) => {
    const [a, b] = [tensorOf([n, h, w, 4], 1), tensorOf([n, h, w, 4], 2)];
    const c = tensorOf([n, 4], 3);
    const ofImage = (i: number) => c.values[4 * Math.floor(i / (4 * h * w)) + (i % 4)] as number;
    const two = a.values.map((x, i) => Math.fround(definition(x, b.values[i] as number)));
    expect(await valuesOf(() => ops.combine(fn, tf.clone(a.tensor)))).toEqual(a.values);
    expectClose(await valuesOf(() => ops.combine(fn, a.tensor, b.tensor)), two, 1e-6);
    const three = two.map((x, i) => definition(x, ofImage(i)));
    expectClose(await valuesOf(() => ops.combine(fn, a.tensor, b.tensor, c.tensor)), three, 3e-6);
    const mixed = a.values.map((x, i) => definition(ofImage(i), x));
    expectClose(await valuesOf(() => ops.combine(fn, c.tensor, a.tensor)), mixed, 3e-6);
    tf.dispose([a.tensor, b.tensor, c.tensor]);
  });

  it('concat: concatenates features, also those that are equal at every pixel', async () => {
    const [a, b, c] = [tensorOf([n, h, w, 2], 1), tensorOf([n, h, w, 1], 2), tensorOf([n, 2], 3)];
    a.values[0] = Number.POSITIVE_INFINITY; // is of no other feature's concern
    a.tensor.dispose();
    const infinite = tf.tensor(a.values, [n, h, w, 2]);
    const joined = tf.tidy(() => ops.concat(infinite, c.tensor, b.tensor));
    expect(joined.shape).toEqual([n, h, w, 5]);
    const wanted = Array.from({ length: pixels }, (_, pixel) => {
      const image = Math.floor(pixel / (h * w));
      return [...a.values.slice(2 * pixel, 2 * pixel + 2), ...c.values.slice(2 * image, 2 * image + 2), b.values[pixel] as number];
    });
    expect(await take(joined)).toEqual(wanted.flat());
    const logits = [3, 4].map((seed) => tensorOf([n, h, w, 1, 2], seed));
    const channels = tf.tidy(() => ops.concat(...logits.map(({ tensor }) => tensor)));
    expect(channels.shape).toEqual([n, h, w, 2, 2]);
    const [red, green] = logits.map(({ values }) => values) as [number[], number[]];
    const both = red.flatMap((_, i) => (i % 2 === 0 ? [red[i], red[i + 1], green[i], green[i + 1]] : []));
    expect(await take(channels)).toEqual(both);
    tf.dispose(logits.map(({ tensor }) => tensor));
    const flat = tf.tidy(() => ops.concat(c.tensor, c.tensor));
    expect(flat.shape).toEqual([n, 4]);
    tf.dispose([infinite, b.tensor, c.tensor, flat]);
  });

  it('slice: a range of features, also of those that are equal at every pixel', async () => {
    const [a, flat] = [tensorOf([n, h, w, 5], 1), tensorOf([n, 5], 2)];
    for (const { tensor, values } of [a, flat]) {
      const part = tf.tidy(() => ops.slice(tensor, 2, 2));
      expect(part.shape).toEqual([...tensor.shape.slice(0, -1), 2]);
      expect(await take(part)).toEqual(values.filter((_, i) => i % 5 === 2 || i % 5 === 3));
    }
    tf.dispose([a.tensor, flat.tensor]);
  });

  const gates = [
    ['tanh', Math.tanh],
    ['linear', (a: number) => a],
  ] as const;
  it.each(gates)('gate, %s: of pixels, or the same at each, with any condition', async (kind, fn) => {
    const [x, flat] = [tensorOf([n, h, w, 8], 1), tensorOf([n, 8], 2)];
    const [map, vector] = [tensorOf([n, h, w, 8], 3), tensorOf([n, 8], 4)];
    /** Of two groups of four: the function of two, sigmoid of two. */
    const gated = (values: number[]) => values.flatMap((a, i) => (i % 4 < 2 ? [fn(a) * sigmoid(values[i + 2] as number)] : []));
    const sums = (a: number[], b: (i: number) => number) => a.map((value, i) => value + b(i));
    const cases = [
      [x, undefined, x.values],
      [x, map, sums(x.values, (i) => map.values[i] as number)],
      [x, vector, sums(x.values, (i) => vector.values[8 * Math.floor(i / (8 * h * w)) + (i % 8)] as number)],
      [flat, undefined, flat.values],
      [flat, vector, sums(flat.values, (i) => vector.values[i] as number)],
    ] as const;
    for (const [of, condition, values] of cases) {
      const y = tf.tidy(() => ops.gate(of.tensor, 2, condition?.tensor, kind));
      expect(y.shape).toEqual([...of.tensor.shape.slice(0, -1), 4]);
      expectClose(await take(y), gated(values), 1e-6);
    }
    for (const { tensor } of [x, flat, map, vector]) tensor.dispose();
  });

  it('shift: down and right, filled with zeros; and concatElu, also of features that are equal at every pixel', async () => {
    const [x, flat] = [tensorOf([n, h, w, 2], 1), tensorOf([n, 2], 2)];
    for (const [rows, columns] of [
      [0, 0],
      [1, 0],
      [0, 2],
      [1, 1],
      [9, 1],
    ] as const) {
      const y = tf.tidy(() => ops.shift(x.tensor, rows, columns));
      expect(y.shape).toEqual(x.tensor.shape);
      const wanted = x.values.map((_, i) => {
        const [r, c] = [Math.floor(i / (2 * w)) % h, Math.floor(i / 2) % w];
        return r < rows || c < columns ? 0 : x.values[i - 2 * (rows * w + columns)];
      });
      expect(await take(y)).toEqual(wanted);
    }
    const elu = (value: number) => (value > 0 ? value : Math.expm1(value));
    for (const { values, tensor } of [x, flat]) {
      const y = tf.tidy(() => ops.concatElu(tensor));
      expect(y.shape).toEqual([...tensor.shape.slice(0, -1), 4]);
      const pairs = values.flatMap((a, i) => (i % 2 === 0 ? [[a, values[i + 1] as number]] : []));
      expectClose(
        await take(y),
        pairs.flatMap(([a = 0, b = 0]) => [elu(a), elu(b), elu(-a), elu(-b)]),
        2e-6,
      );
    }
    tf.dispose([x.tensor, flat.tensor]);
  });

  it.each(['softmax', 'logSoftmax'] as const)('%s: of each group of features, or of levels', async (fn) => {
    const x = tensorOf([n, h, w, 6], 1);
    const flat = tensorOf([n, 6], 2);
    const logits = tf.reshape(x.tensor, [n, h, w, 3, 2]);
    const wanted = (values: number[], length: number) =>
      values.map((value, i) => {
        const first = i - (i % length);
        const sum = values.slice(first, first + length).reduce((total, other) => total + exp(other), 0);
        return fn === 'softmax' ? exp(value) / sum : value - Math.log(sum);
      });
    for (const groups of [1, 2, 3, 6]) {
      for (const { tensor, values } of [x, flat]) {
        const y = tf.tidy(() => ops.softmax(fn, tensor, groups));
        expect(y.shape).toEqual(tensor.shape);
        expectClose(await take(y), wanted(values, 6 / groups), 2e-6);
      }
    }
    const y = tf.tidy(() => ops.softmax(fn, logits, 3));
    expect(y.shape).toEqual(logits.shape);
    expectClose(await take(y), wanted(x.values, 2), 2e-6);
    tf.dispose([x.tensor, flat.tensor, logits]);
  });

  it('standardize and normalize: by moments that are given, or of the features of a pixel', async () => {
    const x = tensorOf([n, h, w, 3], 1);
    const vectors = [
      [1, -1, 2],
      [0.5, 2, 1],
      [3, -2, 0.1],
      [0.2, 0.3, -0.4],
    ];
    const [mean, variance, scale, shift] = vectors as [number[], number[], number[], number[]];
    const tensors = vectors.map((vector) => tf.tensor1d(vector));
    const weights = tensors.map((tensor) => weightOf(tensor)) as [LayerWeight, LayerWeight, LayerWeight, LayerWeight];
    const rows = Array.from({ length: pixels }, (_, pixel) => x.values.slice(3 * pixel, 3 * pixel + 3));
    for (const [hasScale, hasShift] of [
      [true, true],
      [true, false],
      [false, true],
      [false, false],
    ]) {
      const then = { epsilon: 0.5, ...(hasScale && { scale: weights[2] }), ...(hasShift && { shift: weights[3] }) };
      const scaled = (value: number, f: number) => value * (hasScale ? (scale[f] as number) : 1) + (hasShift ? (shift[f] as number) : 0);
      const standard = rows.flatMap((row) =>
        row.map((value, f) => scaled((value - (mean[f] as number)) / sqrt((variance[f] as number) + 0.5), f)),
      );
      const given = { mean: weights[0], variance: weights[1], ...then };
      expectClose(await valuesOf(() => ops.standardize(x.tensor, given)), standard, 1e-5);
      const normal = rows.flatMap((row) => {
        const m = row.reduce((a, b) => a + b, 0) / 3;
        const v = row.reduce((a, b) => a + (b - m) ** 2, 0) / 3;
        return row.map((value, f) => scaled((value - m) / sqrt(v + 0.5), f));
      });
      expectClose(await valuesOf(() => ops.normalize(x.tensor, then)), normal, 1e-5);
    }
    tf.dispose([tensors, x.tensor]);
  });
});
