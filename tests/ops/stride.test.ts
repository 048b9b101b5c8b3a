import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { dilated, everySecond } from '../../src/ops/stride';
import { isGpu, onEachBackend } from '../support/backends';
import { expectNoLeaks, noise, take } from '../support/tensors';

type Shape = [n: number, h: number, w: number, features: number];

const sizeOf = (shape: Shape) => shape.reduce((a, b) => a * b, 1);

/** The places of a map [N,H,W,F] within one of twice as many rows and columns. */
const placesOf = ([n, h, w, features]: Shape) =>
  Array.from({ length: n * h * w * features }, (_, i) => {
    const [f, column, row] = [i % features, Math.floor(i / features) % w, Math.floor(i / features / w)]; // row of all images
    return (2 * row * 2 * w + 2 * column) * features + f;
  });

const pick = (from: ArrayLike<number>, places: number[]) => places.map((place) => from[place] as number);

function spread(from: ArrayLike<number>, places: number[]): number[] {
  const to = new Array(4 * places.length).fill(0);
  for (const [i, place] of places.entries()) to[place] = from[i];
  return to;
}

const cases = fc.tuple(
  fc.integer({ min: 1, max: 3 }),
  fc.integer({ min: 1, max: 4 }),
  fc.integer({ min: 1, max: 4 }),
  fc.integer({ min: 1, max: 5 }),
);

onEachBackend('places two apart', (backend) => {
  it('are those of loops in plain numbers, forward and in the gradient', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (small) => {
        const [n, h, w, features] = small;
        const large: Shape = [n, 2 * h, 2 * w, features];
        const places = placesOf(small);
        const [few, many] = [noise(sizeOf(small)), noise(sizeOf(large), 2)];
        const [x, y] = [tf.tensor4d(few, small), tf.tensor4d(many, large)];

        const less = tf.valueAndGrad((a: tf.Tensor) => everySecond(a as tf.Tensor4D) as tf.Tensor)(y, x);
        expect(less.value.shape).toEqual(small);
        expect(await take(less.value)).toEqual(pick(many, places));
        expect(await take(less.grad)).toEqual(spread(few, places));

        const more = tf.valueAndGrad((a: tf.Tensor) => dilated(a as tf.Tensor4D) as tf.Tensor)(x, y);
        expect(more.value.shape).toEqual(large);
        expect(await take(more.value)).toEqual(spread(few, places));
        expect(await take(more.grad)).toEqual(pick(many, places));
        tf.dispose([x, y]);
      }),
      { seed: 1, numRuns: isGpu(backend) ? 8 : 100 },
    );
  });

  it.skipIf(isGpu(backend))('keep NaN, and take none from what is left out', async () => {
    const nan = Number.NaN;
    const x = tf.tensor4d([nan, 1, nan, nan, 2, nan, 3, 4], [1, 2, 4, 1]);
    const y = everySecond(x);
    expect(await y.array()).toEqual([[[[nan], [nan]]]]);
    const z = dilated(y);
    expect(await take(z)).toEqual([nan, 0, nan, 0, 0, 0, 0, 0]);
    const clean = everySecond(tf.tidy(() => tf.reverse(x, [1, 2])));
    expect(await take(clean)).toEqual([4, nan]);
    tf.dispose([x, y]);
  });

  it('leave no tensor behind, with and without a tape', async () => {
    const x = tf.ones<tf.Rank.R4>([2, 4, 6, 3]);
    for (const op of [everySecond, dilated]) {
      await expectNoLeaks(() => tf.tidy(() => op(x)));
      await expectNoLeaks(() => tf.grad((a) => op(a as tf.Tensor4D))(x));
    }
    x.dispose();
  });
});
