import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import { expect, inject, it } from 'vitest';
import { type Backend, isGpu, onEachBackend } from '../support/backends';
import { withFencedTensors } from '../support/kernels/fences';
import { forAllAsync } from '../support/runs';
import { expectClose, expectNoLeaks, noise, take } from '../support/tensors';
import { type Case, type Operation, operations } from './operations';

// The laws of every operation. What is special about one is in a file of its name.

type Numbers = readonly number[];

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, x, i) => sum + x * (b[i] as number), 0);

/** Random signs: the direction in which gradients are compared. */
const signs = (length: number, seed: number) => Array.from(noise(length, seed), (x) => (x < 0 ? -1 : 1));

/** Inputs moved along directions. */
const moved = (inputs: Numbers[], directions: Numbers[], by: number) =>
  inputs.map((values, i) => values.map((x, k) => x + by * (directions[i]?.[k] as number)));

/** Tensors of a case's inputs, and of numbers by which its outputs are weighted. */
function tensorsOf({ inputs, shape }: Case) {
  const g = noise(tf.util.sizeFromShape([...shape]), 7919); // of no case: along x itself, some gradients are 0
  return { tensors: inputs.map(({ values, shape }) => tf.tensor([...values], [...shape])), dy: tf.tensor(g, [...shape]), g };
}

/** Steps of differences: of float64, relative to the largest of an input. */
const stepsOf = (inputs: Numbers[], relative: number) => inputs.map((values) => relative * (Math.max(...values.map(Math.abs)) || 1));

/** The operation, and all of its gradients along a direction, are those of loops in float64. */
async function expectAsByLoops(one: Case, backend: Backend): Promise<void> {
  const { tensors, dy, g } = tensorsOf(one);
  const { value, grads } = tf.valueAndGrads(one.run)(tensors, dy);
  tf.dispose([tensors, dy]);
  expect(value.shape).toEqual([...one.shape]);
  const inputs = one.inputs.map(({ values }) => values);
  const expected = Array.from(one.slow(...inputs));
  const tolerance = (one.tolerance ?? 1e-6) * (isGpu(backend) ? 5 : 1); // shaders have their own exp
  const largest = Math.max(1, ...expected.map(Math.abs));
  expectClose(await take(value), expected, tolerance * largest);
  const steps = stepsOf(inputs, 1e-6);
  for (const [i, gradient] of grads.entries()) {
    const slopes = (await take(gradient)).map((slope, at) => (one.isUnused?.(i, at) ? 0 : slope));
    const [direction, step] = [signs(slopes.length, 5 + i), steps[i] as number];
    const along = (by: number) =>
      dot(one.slow(...inputs.map((values, k) => (k === i ? (moved([values], [direction], by)[0] as Numbers) : values))), g);
    const slope = (along(step) - along(-step)) / (2 * step);
    const total = slopes.reduce((sum, x) => sum + Math.abs(x), 0);
    expect(Math.abs(dot(slopes, direction) - slope)).toBeLessThanOrEqual((2e-6 + 4 * tolerance) * (1 + total));
  }
}

/** The derivatives of the gradients, along a direction, are those of loops in float64. */
async function expectTwice(one: Case): Promise<void> {
  const { tensors, dy, g } = tensorsOf(one);
  const inputs = one.inputs.map(({ values }) => values);
  const [u, v] = [1, 2].map((seed) =>
    inputs.map(({ length }, i) => signs(length, 10 * seed + i).map((sign, at) => (one.isUnused?.(i, at) ? 0 : sign))),
  ) as unknown as [Numbers[], Numbers[]];
  const weighted = (...x: tf.Tensor[]) => tf.sum(tf.mul(one.run(...x), dy)) as tf.Scalar;
  const along = (gradients: tf.Tensor[], directions: Numbers[]) =>
    tf.addN(gradients.map((gradient, i) => tf.sum(tf.mul(gradient, tf.tensor([...(directions[i] as Numbers)], gradient.shape)))));
  // What is linear in an input has a slope that does not depend on it, which tfjs refuses.
  const slope = (...x: tf.Tensor[]) => tf.addN([along(tf.grads(weighted)(x), u), ...x.map((input) => tf.mul(0, tf.sum(input)))]);
  const [second = Number.NaN] = await take(tf.tidy(() => along(tf.grads(slope)(tensors), v)));
  const h = 1e-4;
  const at = (i: number, j: number) => dot(one.slow(...moved(moved(inputs, u, i * h), v, j * h)), g);
  const expected = (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / (4 * h * h);
  expect(Math.abs(second - expected)).toBeLessThan(2e-4 * Math.max(1, Math.abs(expected)));
  tf.dispose([tensors, dy]);
}

const all = Object.entries(operations) as [string, Operation][];

onEachBackend('every operation', (backend) => {
  const isOwn = backend === 'wasm';
  // Each shape compiles its own shaders, which takes long in software: larger and random cases on GPUs are for `npm run test:all`.
  const isRepeated = isGpu(backend) && inject('isRepetition');
  const each = isRepeated ? all.filter(([name]) => !name.endsWith(', larger')) : all;

  it.each(each)('%s: equals loops in plain numbers, as do its gradients', async (_, operation) => {
    // Composed operations have no vectors, and no tails of them.
    const numRuns = Math.ceil((operation.numRuns ?? 30) / (isOwn ? 1 : 3));
    const check = async (one: Case) => {
      // On memory that is full of NaN, and without a number written behind what was asked for.
      if (isOwn) await withFencedTensors(() => expectAsByLoops(one, backend));
      else await expectAsByLoops(one, backend);
    };
    await check(operation.example);
    if (!isRepeated) await forAllAsync([operation.cases], { numRuns: isGpu(backend) ? 1 : numRuns, seed: 1 }, check);
  });

  // What follows is the same on every backend that composes operations, and takes long in a GPU's shaders.
  const onCpu = it.skipIf(isGpu(backend));

  onCpu.each(each)('%s: has second derivatives', async (_, { example, twice = example }) => {
    // Of larger convolutions, tfjs's wasm backend lacks the gradients.
    for (const one of new Set(backend.startsWith('wasm') ? [twice] : [twice, example])) await expectTwice(one);
  });

  it.each(each)('%s: leaves no tensor behind, with and without a tape, and keeps no more than it says', async (_, { example, kept }) => {
    const { tensors, dy } = tensorsOf(example);
    await expectNoLeaks(() => tf.tidy(() => example.run(...tensors)));
    let bytes = 0;
    const measured = (...x: tf.Tensor[]) => {
      const before = tf.memory().numBytes;
      const y = example.run(...x);
      bytes = tf.memory().numBytes - before - 4 * y.size;
      return y;
    };
    await expectNoLeaks(() => tf.grads(measured)(tensors, dy));
    if (kept !== undefined) expect(bytes).toBe(4 * kept);
    for (const i of tensors.keys())
      await expectNoLeaks(() =>
        tf.grad((x) => example.run(...tensors.map((other, k) => (k === i ? x : other))))(tensors[i] as tf.Tensor, dy),
      );
    tf.dispose([tensors, dy]);
  });

  onCpu.each(each.filter(([, { keepsNaN = true }]) => keepsNaN))('%s: keeps NaN where it belongs', async (_, { example }) => {
    for (const i of example.inputs.keys()) {
      const values = example.inputs.map(({ values }) => [...values]);
      (values[i] as number[])[5 % (values[i] as number[]).length] = Number.NaN;
      const tensors = values.map((of, k) => tf.tensor(of, [...(example.inputs[k]?.shape ?? [])]));
      const { value, grads } = tf.valueAndGrads(example.run)(tensors);
      const expected = Array.from(example.slow(...values), Number.isNaN);
      expect((await take(value)).map(Number.isNaN)).toEqual(expected);
      const slopes = (await Promise.all(grads.map(take))).flat();
      if (i === 0 && example.tolerance !== 0) expect(slopes.some(Number.isNaN)).toBe(true);
      tf.dispose(tensors);
    }
  });

  /** Gradients of an example, and the own kernels that were run; `between` comes after the forward pass. */
  async function profiled({ example }: Operation, between = () => {}, dtype: 'float32' | 'int32' = 'float32') {
    const { tensors, dy } = tensorsOf(example);
    const inputs = tensors.map((x) => tf.cast(x, dtype));
    const run = (...x: tf.Tensor[]) => {
      const y = example.run(...x);
      between();
      return y;
    };
    try {
      const { kernelNames, result } = await tf.profile(() => tf.grads(run)(inputs, dy));
      const names = kernelNames
        .filter((name) => name.startsWith('PixelCNN'))
        .map((name) => name.slice(8))
        .sort();
      const gradients = await Promise.all((result as unknown as tf.Tensor[]).map(take));
      return { names, gradients: gradients.flatMap((of, i) => of.map((slope, at) => (example.isUnused?.(i, at) ? 0 : slope))) };
    } finally {
      tf.dispose([tensors, inputs, dy]);
    }
  }
  const switchTo = (isOn: boolean) => () => tf.env().set('PIXELCNN_WASM_KERNELS', isOn);

  onCpu.each(each)('%s: is computed by own kernels where they are in use, and by no others', async (_, operation) => {
    const { kernels, example } = operation;
    const whole = await profiled(operation);
    expect(whole.names).toEqual(isOwn ? [...kernels].sort() : []);
    if (!isOwn || kernels.length === 0) return;
    // Switched off after the forward pass, or on.
    const offThen = await profiled(operation, switchTo(false));
    const onThen = await profiled(operation, switchTo(true)); // it is off at first
    const [first, ...others] = kernels;
    expect(offThen.names).toEqual([first]);
    expect([others.sort(), []]).toContainEqual(onThen.names); // none where they need what own kernels saved
    const tolerance = 1e-5 * Math.max(1, ...whole.gradients.map(Math.abs));
    for (const { gradients } of [offThen, onThen])
      for (const [i, slope] of gradients.entries()) expect(Math.abs(slope - (whole.gradients[i] as number))).toBeLessThan(tolerance);
    // tfjs refuses some integers itself.
    const integers = example.inputs.map(({ shape }) => tf.ones([...shape], 'int32'));
    let refusal = '';
    try {
      tf.dispose(tf.grads(example.run)(integers));
    } catch (error) {
      refusal = String(error);
    }
    tf.dispose(integers);
    if (refusal !== '') expect(refusal).toContain('must be float32');
    else expect((await profiled(operation, undefined, 'int32')).names).toEqual([]);
    // A disposed input is an error that leaves nothing in memory.
    for (const i of example.inputs.keys()) {
      const { tensors, dy } = tensorsOf(example);
      tensors[i]?.dispose();
      const before = tf.backend().numDataIds();
      expect(() => tf.tidy(() => example.run(...tensors))).toThrow();
      expect(tf.backend().numDataIds()).toBe(before);
      tf.dispose([tensors, dy]);
    }
  });
});
