import * as tf from '@tensorflow/tfjs-core';
import { noise } from './tensors';

/** An image's height, width and features. */
type Size = readonly [number, number, number];

/**
 * Which places of an output move where one place of the input is changed, all its features: of every one, in turn. `of` takes
 * images [N,H,W,F], in random numbers alike but for that place.
 */
export async function movedBy(
  size: Size,
  of: (x: tf.Tensor4D) => tf.Tensor,
): Promise<{ moved: (from: number, to: number) => boolean; shape: Size }> {
  const [h, w, features] = size;
  const values = h * w * features;
  const base = noise(values, 5);
  const images = Array.from(
    { length: h * w + 1 },
    (_, changed) => Array.from(base, (x, i) => (Math.floor(i / features) === changed ? x + 1 : x)), // the last is as it was
  );
  const y = tf.tidy(() => of(tf.tensor4d(images.flat(), [h * w + 1, ...size])));
  const all = await y.data();
  const [, rows, columns, featuresOut] = y.shape as [number, number, number, number];
  y.dispose();
  const ofImage = rows * columns * featuresOut;
  const moved = (from: number, to: number) =>
    Array.from({ length: featuresOut }, (_, f) => to * featuresOut + f).some(
      (at) => all[from * ofImage + at] !== all[h * w * ofImage + at],
    );
  return { moved, shape: [rows, columns, featuresOut] };
}
