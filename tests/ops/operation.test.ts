import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import { beforeEach, describe, expect, it } from 'vitest';
import { defineOperation } from '../../src/ops/operation';
import { type Backend, backends, useBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { expectClose, expectNoLeaks, take } from '../support/tensors';

interface Inputs {
  a: tf.Tensor;
  b: tf.Tensor | undefined;
}

/** What was run, in order. */
let log: string[] = [];

/** a^2 + b, and its gradients. */
const implementation = (name: string) => ({
  forward({ a, b }: Inputs) {
    log.push(`${name} forward`);
    return { y: b === undefined ? tf.square(a) : tf.add(tf.square(a), b), saved: { a } };
  },
  gradients(dy: tf.Tensor, { a }: { a: tf.Tensor }) {
    const logged = (input: string, gradient: () => tf.Tensor) => () => {
      log.push(`${name} gradient for ${input}`);
      return gradient();
    };
    return { a: logged('a', () => tf.mul(tf.mul(2, a), dy)), b: logged('b', () => tf.clone(dy)) };
  },
});

const args = { name: 'squarePlus', composed: implementation('composed'), wasmImplementation: implementation('wasm') };
const operation = defineOperation<Inputs, boolean, { a: tf.Tensor }, tf.Tensor>(args);
const squarePlus = (inputs: Inputs) => operation(inputs, true);

/** x^3, which saves its slope 3 x^2. */
const cubeImplementation = {
  forward: ({ x }: { x: tf.Tensor }) => ({ y: tf.mul(x, tf.square(x)), saved: { slope: tf.mul(3, tf.square(x)) } }),
  gradients: (dy: tf.Tensor, { slope }: { slope: tf.Tensor }) => ({ x: () => tf.mul(dy, slope) }),
};

const runWithGradient = (values: number[]) => {
  const gradient = tf.grad((a) => squarePlus({ a, b: undefined }))(tf.tensor1d(values));
  return take(gradient);
};

describe.each(backends)('an operation on %s', (backend: Backend) => {
  const chosen = backend === 'wasm' ? 'wasm' : 'composed';

  beforeEach(async () => {
    await useBackend(backend);
    log = [];
  });

  it('runs our kernels if the backend supports them', async () => {
    expect(await runWithGradient([3, 4])).toEqual([6, 8]);
    expect(log).toEqual([`${chosen} forward`, `${chosen} gradient for a`]);
  });

  it('is composed for inputs that are not float32, and constants that are not int32', () => {
    const constant = defineOperation<Inputs, boolean, { a: tf.Tensor }, tf.Tensor>({ ...args, constants: ['b'] });
    const [float, int] = [scoped(tf.tensor1d([1, 2])), scoped(tf.tensor1d([1, 2], 'int32'))];
    tf.tidy(() => {
      for (const one of [operation, constant]) for (const a of [float, int]) for (const b of [float, int, undefined]) one({ a, b }, true);
    });
    const [own, composed] = [`${chosen} forward`, 'composed forward'];
    expect(log).toEqual([own, composed, own, composed, composed, composed, composed, own, own, composed, composed, composed]);
  });

  it('is composed until it is given kernels', async () => {
    const { wasmImplementation, ...composed } = args;
    const later = defineOperation<Inputs, boolean, { a: tf.Tensor }, tf.Tensor>(composed);
    const a = scoped(tf.tensor1d([1, 2]));
    tf.dispose(later({ a, b: undefined }, true));
    later.useKernels(wasmImplementation);
    tf.dispose(later({ a, b: undefined }, true));
    expect(log).toEqual(['composed forward', `${chosen} forward`]);
  });

  it('computes only the gradients that are asked for', async () => {
    const [a, b] = [scoped(tf.tensor1d([1, 2])), scoped(tf.tensor1d([3, 4]))];
    expect(await take(tf.grad((x) => squarePlus({ a, b: x }))(b))).toEqual([1, 1]);
    expect(log).toEqual([`${chosen} forward`, `${chosen} gradient for b`]);
  });

  it('composes a gradient that is differentiated itself', async () => {
    // d2/da2 of (a^2)^2 is 12 a^2
    const first = (x: tf.Tensor) => tf.grad((a) => squarePlus({ a: squarePlus({ a, b: undefined }), b: undefined }))(x);
    const second = await take(tf.grad(first)(tf.tensor1d([1, 2])));
    expectClose(second, [12, 48], 1e-4);
    expect(log.filter((run) => run.includes('gradient')).slice(0, 2)).toEqual(Array(2).fill('composed gradient for a'));
  });

  it('composes the gradient also of what the outer tape recorded before the inner one began', async () => {
    // The inner gradient goes on through the outer operation: d(a y)/da = 3 a^2 with y = a^2, and again: 6 a
    const first = (a: tf.Tensor) => {
      const y = squarePlus({ a, b: undefined });
      return tf.grad((x) => tf.mul(x, y))(a);
    };
    expectClose(await take(tf.grad(first)(tf.tensor1d([1, 2]))), [6, 12], 1e-4);
    expect(log[1]).toBe('composed gradient for a');
  });

  it('uses gradients computed from the inputs if gradients from saved tensors are not differentiable', async () => {
    const cube = defineOperation<{ x: tf.Tensor }, void, { slope: tf.Tensor }, tf.Tensor>({
      name: 'cube',
      composed: cubeImplementation,
      wasmImplementation: cubeImplementation,
      differentiableGradients: (dy, { x }) => ({ x: () => tf.mul(dy, tf.mul(3, tf.square(x))) }),
    });
    const first = tf.grad((x) => cube({ x }));
    expectClose(await take(first(tf.tensor1d([1, 2]))), [3, 12], 1e-4);
    expectClose(await take(tf.grad(first)(tf.tensor1d([1, 2]))), [6, 12], 1e-4);
  });

  it('lets nothing flow back through a constant', () => {
    const constant = defineOperation<Inputs, boolean, { a: tf.Tensor }, tf.Tensor>({ ...args, constants: ['b'] });
    const [a, b] = [scoped(tf.tensor1d([1, 2])), scoped(tf.tensor1d([3, 4]))];
    expect(() => tf.grad((x) => constant({ a, b: x }, true))(b)).toThrow('Cannot compute gradient');
  });

  it('is profiled under its name, and leaves no tensor behind', async () => {
    const a = tf.tensor1d([1, 2]);
    const { kernelNames, result } = await tf.profile(() => squarePlus({ a, b: a }));
    expect(kernelNames).toContain('squarePlus');
    await expectNoLeaks(() => squarePlus({ a, b: a }));
    await expectNoLeaks(() => tf.grad((x) => squarePlus({ a: x, b: x }))(a));
    tf.dispose([a, result]);
  });
});
