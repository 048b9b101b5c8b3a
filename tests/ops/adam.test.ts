import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fuseAdam } from '../../src/ops/adam';
import { backends, useBackend } from '../support/backends';
import { forAllAsync } from '../support/runs';
import { scoped } from '../support/scoped';

const FLAG = 'PIXELCNN_WASM_KERNELS';

/** The weights and all that Adam keeps after some steps, with our kernel or with tfjs's operations. */
async function trained(isOwn: boolean, shapes: number[][], steps: number, rate = 0.01): Promise<number[][]> {
  tf.env().set(FLAG, isOwn);
  const optimizer = tf.train.adam(rate, 0.8, 0.95, 1e-7);
  const weights = shapes.map((shape, i) => tf.tidy(() => tf.variable(tf.randomNormal(shape, 0, 1, 'float32', i + 1))));
  for (let step = 0; step < steps; step++) {
    const gradients = weights.map(({ name, shape }, i) => ({
      name,
      tensor: i === 1 && step < 2 ? null : tf.randomNormal(shape, 0, 10 ** (i - 2), 'float32', 10 * step + i + 1),
    }));
    const named = Object.fromEntries(gradients.map(({ name, tensor }) => [name, tensor]));
    optimizer.applyGradients((step % 2 === 0 ? gradients : named) as never);
    tf.dispose(gradients.map(({ tensor }) => tensor ?? []));
  }
  const kept = await optimizer.getWeights();
  const all = [...weights, ...kept.map(({ tensor }) => tensor)];
  const values = await Promise.all(all.map(async (tensor) => [...(await tensor.data<'float32'>())]));
  tf.dispose([...weights, kept.filter(({ name }) => name === 'iter').map(({ tensor }) => tensor)]);
  optimizer.dispose();
  return values;
}

describe.runIf(backends.includes('wasm'))('Adam in one pass', () => {
  beforeAll(async () => {
    await useBackend('wasm');
    fuseAdam();
  });
  afterEach(() => tf.env().set(FLAG, true));

  const someShapes = fc.array(fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 }), { minLength: 1, maxLength: 4 });

  it('takes the steps of tfjs to the bit, of weights without gradients too, and leaves no tensor', async () => {
    const before = tf.memory();
    await forAllAsync([someShapes, fc.integer({ min: 1, max: 6 })], { numRuns: 20, seed: 1 }, async (shapes, steps) => {
      expect(await trained(true, shapes, steps)).toEqual(await trained(false, shapes, steps));
    });
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
  });

  it('runs in our kernel alone, in the first step too', async () => {
    const weight = scoped(tf.variable(tf.ones([3])));
    const optimizer = scoped(tf.train.adam());
    for (let step = 0; step < 2; step++) {
      const { kernelNames } = await tf.profile(() => {
        optimizer.applyGradients([{ name: weight.name, tensor: tf.ones([3]) }]);
        return [];
      });
      expect(kernelNames).toContain('PixelCNNAdam');
      expect(kernelNames).not.toContain('Sqrt'); // of tfjs's steps
    }
  });

  it('passes on gradients that are not finite', async () => {
    const weight = scoped(tf.variable(tf.ones([2])));
    const optimizer = scoped(tf.train.adam());
    // biome-ignore format: pairs
    for (const gradient of [[1, 1], [Number.NaN, 1]]) {
      tf.tidy(() => optimizer.applyGradients([{ name: weight.name, tensor: tf.tensor1d(gradient) }]));
    }
    const [first, second] = await weight.data();
    expect(first).toBeNaN();
    expect(second).toBeLessThan(1);
  });

  it('leaves weights to tfjs whose means are of other shapes, as after a layer was frozen', () => {
    const [first, second] = [scoped(tf.variable(tf.ones([2]))), scoped(tf.variable(tf.ones([2000])))];
    const optimizer = scoped(tf.train.adam());
    const apply = ({ name, shape }: tf.Variable) => tf.tidy(() => optimizer.applyGradients([{ name, tensor: tf.ones(shape) }]));
    apply(first);
    expect(() => apply(second)).toThrow(); // of [2] and [2000]
  });
});
