import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import { clipGradients } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { onEachBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { expectNoLeaks } from '../support/tensors';

/** Where weights of 0 go in a step of gradient descent at rate 1: minus their gradients. */
async function stepped(gradients: number[], maxNorm: number): Promise<number[]> {
  const variables = scoped(gradients.map(() => tf.variable(tf.scalar(0))));
  const optimizer = scoped(clipGradients(tf.train.sgd(1), maxNorm));
  const loss = () => tf.addN(variables.map((x, i) => tf.mul(x, gradients[i] as number))) as unknown as tf.Scalar;
  optimizer.minimize(loss, false, variables);
  return Promise.all(variables.map(async (x) => (await x.data())[0] as number));
}

onEachBackend('clipGradients', () => {
  it('scales gradients of all weights together down to the norm', async () => {
    const [a, b] = (await stepped([30, 40], 1)) as [number, number]; // of norm 50, so divided by 50
    expect(a).toBeCloseTo(-0.6, 6);
    expect(b).toBeCloseTo(-0.8, 6);
  });

  it('leaves smaller and missing gradients unchanged', async () => {
    expect(await stepped([3, 4], 5)).toEqual([-3, -4]);
    expect(await stepped([0, 0], 5)).toEqual([0, 0]);
  });

  it('passes by weights that the loss does not depend on', async () => {
    const [x, unused, y] = [3, 7, 4].map((value) => tf.variable(tf.scalar(value)));
    const optimizer = scoped(clipGradients(tf.train.adam(1, 0.9, 0.999, 1e-7), 1));
    const variables = scoped([x, unused, y] as tf.Variable[]);
    const loss = () => tf.add(x as tf.Scalar, y as tf.Scalar) as tf.Scalar;
    for (let step = 0; step < 2; step++) optimizer.minimize(loss, false, variables);
    const [a, same, b] = await Promise.all(variables.map(async (variable) => (await variable.data())[0] as number));
    expect(same).toBe(7);
    expect(a).toBeCloseTo(1, 3); // Adam moves by its rate, twice
    expect(b).toBeCloseTo(2, 3);
  });

  it('does not hide a gradient that is not a number', async () => {
    expect((await stepped([Number.NaN, 1], 1))[1]).toBeNaN();
    expect((await stepped([1e30, 1], 1))[1]).toBeNaN(); // a norm beyond float32
  });

  it('takes gradients in a list, leaves no tensor behind, and refuses a norm of 0', async () => {
    const x = tf.variable(tf.scalar(0));
    const optimizer = clipGradients(tf.train.sgd(1), 1);
    const gradient = tf.scalar(10);
    await expectNoLeaks(() => optimizer.applyGradients([{ name: x.name, tensor: gradient }]));
    expect((await x.data())[0]).toBeCloseTo(-1, 6);
    tf.dispose([x, gradient]);
    optimizer.dispose();
    expect(() => clipGradients(optimizer, 0)).toThrow('clipGradients: maxNorm: wanted a number above 0, got 0');
  });
});
