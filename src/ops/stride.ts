import * as tf from '@tensorflow/tfjs-core';

// Strided convolutions are computed at stride 1, after which places are dropped. Transposed ones are computed at stride
// 1 on a map with zeros between its places. A PixelCNN++ has eight of them among some sixty others, so only about
// 3 % of the multiplications are wasted.

/** Every second row and column: [N,H,W,F] -> [N,H/2,W/2,F]. */
export function everySecond(x: tf.Tensor4D): tf.Tensor4D {
  const [n, h, w, features] = x.shape;
  const pairs: tf.Tensor4D = tf.reshape(x, [(n * h) / 2, 2, w / 2, 2 * features]); // [N*H/2,2,W/2,2F]
  const first = tf.slice(pairs, 0, [(n * h) / 2, 1, w / 2, features]); // [N*H/2,1,W/2,F]
  return tf.reshape(first, [n, h / 2, w / 2, features]);
}

/** Rows and columns of zeros after each: [N,H,W,F] -> [N,2H,2W,F]. */
export function dilated(x: tf.Tensor4D): tf.Tensor4D {
  const [n, h, w, features] = x.shape;
  const places: tf.Tensor4D = tf.reshape(x, [n * h, 1, w, features]); // [N*H,1,W,F]
  const padded = tf.pad(places, [[0, 0], [0, 1], [0, 0], [0, features]]); // biome-ignore format: [N*H,2,W,2F], one pair a dimension
  return tf.reshape(padded, [n, 2 * h, 2 * w, features]);
}
