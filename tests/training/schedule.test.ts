import * as tf from '@tensorflow/tfjs-core';
import { bitsPerDim, exponentialDecay, pixelCNN, scheduleLearningRate } from 'pixelcnn-layers';
import { beforeAll, expect, it } from 'vitest';
import { useBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { expectNoLeaks } from '../support/tensors';

beforeAll(() => useBackend('cpu'));

it('is by default 1e-3, times 0.999995 each step', () => {
  const rate = exponentialDecay();
  expect(rate(0)).toBe(1e-3);
  expect(rate(1)).toBe(1e-3 * 0.999995);
  expect(rate(200_000)).toBeCloseTo(1e-3 / Math.E, 8); // 0.999995^200000 = e^-1.0000025
  expect(exponentialDecay({ initial: 2, decay: 0.5 })(3)).toBe(0.25);
});

it('refuses anything but a schedule', () => {
  expect(() => exponentialDecay({ initial: 0 })).toThrow('exponentialDecay: initial: wanted a number above 0');
  expect(() => exponentialDecay({ decay: 1.1 })).toThrow('exponentialDecay: decay: wanted a number in (0, 1]');
  expect(() => scheduleLearningRate({} as tf.Optimizer, () => 1)).toThrow('scheduleLearningRate: optimizer');
  expect(() => scheduleLearningRate(tf.train.sgd(1), 3 as never)).toThrow('scheduleLearningRate: schedule');
});

// Where the gradient is always 1, rmsprop divides by the root of its mean square, 1 - 0.9^count; the others, adam by its corrections, by 1.
it.each([
  ['sgd', () => tf.train.sgd(9), () => 1],
  ['momentum', () => tf.train.momentum(9, 0), () => 1],
  ['rmsprop', () => tf.train.rmsprop(9), (count: number) => Math.sqrt(1 - 0.9 ** count)],
  ['adam', () => tf.train.adam(9), () => 1],
] as const)('moves a weight as far as the schedule says, by %s', async (_, make, divisor) => {
  for (const initial of [0.5, 1]) {
    const optimizer = scoped(make());
    const x = scoped(tf.variable(tf.scalar(0)));
    const schedule = scheduleLearningRate(optimizer, (step) => initial * 0.1 ** step);
    let before = 0;
    for (let step = 0; step < 3; step++) {
      schedule.beforeStep();
      optimizer.minimize(() => tf.mul(x, 1));
      const now = (await x.data())[0] as number;
      const expected = (initial * 0.1 ** step) / divisor(step + 1);
      expect(Math.abs((before - now) / expected - 1)).toBeLessThan(1e-4); // float32, and adam's epsilon
      before = now;
    }
  }
});

it('follows the steps of fit, and leaves no tensor behind', async () => {
  const model = scoped(pixelCNN({ imageShape: [2, 2, 1], levels: 2, hiddenDim: 1, outDim: 1, numBlocks: 0 }));
  const optimizer = tf.train.sgd(9);
  model.compile({ optimizer, loss: bitsPerDim });
  const seen: number[] = [];
  const callbacks = scheduleLearningRate(optimizer, (step) => {
    seen.push(step);
    return 0.1;
  });
  const x = scoped(tf.zeros([6, 2, 2, 1]));
  const y = scoped(tf.zeros([6, 2, 2, 1], 'int32'));
  const train = () => model.fit(x, y, { batchSize: 2, epochs: 2, callbacks, verbose: 0 });
  await train();
  expect(seen).toEqual([0, 1, 2, 3, 4, 5]);
  await expectNoLeaks(() => train());
  expect(seen.at(-1)).toBe(11);
});
