import * as tf from '@tensorflow/tfjs-core';
import { noise, take } from '../tensors';

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
  const base = noise(h * w * features, 5);
  const images = Array.from(
    { length: h * w },
    (_, changed) => Array.from(base, (x, i) => (Math.floor(i / features) === changed ? x + 1 : x)), // biome-ignore format: one image
  );
  // Each is compared with the unchanged one at its own place of a batch: TensorFlow rounds exp and its kin otherwise elsewhere.
  const [before, after] = [images.map(() => Array.from(base)), images].map((batch) =>
    tf.tidy(() => of(tf.tensor4d(batch.flat(), [h * w, ...size]))),
  ) as [tf.Tensor, tf.Tensor];
  const [, rows, columns, featuresOut] = after.shape as [number, number, number, number];
  const [was, is] = [await take(before), await take(after)];
  const moved = (from: number, to: number) =>
    Array.from({ length: featuresOut }, (_, f) => (from * rows * columns + to) * featuresOut + f).some((at) => is[at] !== was[at]);
  return { moved, shape: [rows, columns, featuresOut] };
}
