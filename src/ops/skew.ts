import * as tf from '@tensorflow/tfjs-core';
import type { LSTMPath } from '../program/operations/lstm';

/** The lines of places that an LSTM goes along in turn: rows or diagonals. [N,H,W,F] -> [N,T,P,F]. */
export function linesAlong(path: LSTMPath, x: tf.Tensor4D): tf.Tensor4D {
  return path === 'rows' ? x : skewed(x, path === 'fromRight');
}

/** The inverse, to images of width w: [N,T,P,F] -> [N,H,W,F]. */
export function imagesAlong(path: LSTMPath, x: tf.Tensor4D, w: number): tf.Tensor4D {
  return path === 'rows' ? x : straightened(x, path === 'fromRight', w);
}

/**
 * Diagonals of images as lines, where place i of each lies in row i: [N,H,W,F] -> [N,H+W-1,H,F]. At place i, line d has
 * column d - i of row i, or from the right column d - (H-1-i), and zeros where there is no such column. So the pixel
 * above is place i - 1 of the line before, and the pixel to the left is place i of the line before; from the right,
 * they are in the line after.
 *
 * Done with pads and slices only: reading rows as one place longer, or one shorter, shifts row i by i places.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, section 3.2
 * and figure 3.
 */
function skewed(x: tf.Tensor4D, isRight: boolean): tf.Tensor4D {
  const [n, h, w, features] = x.shape;
  const lines = h + w - 1;
  if (h === 1) return tf.reshape(x, [n, lines, 1, features]); // [N,1,W,F] -> [N,W,1,F]
  const width = isRight ? lines - 1 : lines + 1;
  const wide = tf.pad(x, [[0, 0], [0, 0], [0, width - w], [0, 0]]); // biome-ignore format: [N,H,width,F], one pair a dimension
  const flat = tf.reshape(wide, [n, h * width, features]) as tf.Tensor3D;
  const shifted = isRight
    ? tf.pad(flat, [[0, 0], [h - 1, 1], [0, 0]]) // biome-ignore format: [N,H*(H+W-1),F], one pair a dimension
    : tf.slice(flat, 0, [n, h * lines, features]); // [N,H*(H+W),F] -> [N,H*(H+W-1),F]
  return tf.transpose(tf.reshape(shifted, [n, h, lines, features]), [0, 2, 1, 3]); // [N,H,H+W-1,F] -> [N,H+W-1,H,F]
}

/** The other way: [N,H+W-1,H,F] -> [N,H,W,F]. */
function straightened(x: tf.Tensor4D, isRight: boolean, w: number): tf.Tensor4D {
  const [n, lines, h, features] = x.shape;
  if (h === 1) return tf.reshape(x, [n, 1, w, features]); // [N,W,1,F] -> [N,1,W,F]
  const width = isRight ? lines - 1 : lines + 1;
  const flat = tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [n, h * lines, features]) as tf.Tensor3D; // [N,H+W-1,H,F] -> [N,H*(H+W-1),F]
  const shifted = isRight
    ? tf.slice(flat, [0, h - 1, 0], [n, h * width, features]) // [N,H*(H+W-2),F]
    : tf.pad(flat, [[0, 0], [0, h], [0, 0]]); // biome-ignore format: [N,H*(H+W),F], one pair a dimension
  const wide: tf.Tensor4D = tf.reshape(shifted, [n, h, width, features]);
  return tf.slice(wide, 0, [n, h, w, features]); // [N,H,W,F]
}
