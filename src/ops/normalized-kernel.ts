import * as tf from '@tensorflow/tfjs-core';
import { NORMALIZED_KERNEL } from '../runtime/kernels/modules';
import { SMALLEST_SQUARE } from '../runtime/program/weights';
import { byLoops, defineOperation } from './operation';
import { outputs } from './wasm-kernels';

type Inputs = { readonly direction: tf.Tensor4D; readonly gain: tf.Tensor1D };

/**
 * Weight normalization: gain direction / ||direction|| for each output, with a custom gradient.
 *
 * Source: Salimans, Kingma, "Weight normalization" (2016), https://arxiv.org/abs/1602.07868, equations 2 and 3.
 *
 * @param direction [rows,columns,in,out], already masked
 * @param gain [out]
 * @returns [rows,columns,in,out]
 */
export const normalizedKernel = (direction: tf.Tensor4D, gain: tf.Tensor1D): tf.Tensor4D =>
  operation({ direction, gain });

const operation = defineOperation<Inputs, void, Inputs, tf.Tensor4D>({
  name: 'normalizedKernel',
  composed: {
    forward(inputs) {
      const { direction, gain } = inputs;
      const v = flat(direction); // [M,out]
      const factors = tf.div(gain, norms(sumOfRows(tf.square(v)))); // [1,out]
      return { y: tf.reshape(tf.mul(v, factors), direction.shape), saved: inputs }; // [M,out] -> [rows,columns,in,out]
    },
    gradients(dy, { direction, gain }) {
      const [d, v] = [flat(dy), flat(direction)]; // [M,out]
      const squares = sumOfRows(tf.square(v)); // [1,out]
      const [norm, along] = [norms(squares), sumOfRows(tf.mul(d, v))]; // [1,out]
      return {
        direction() {
          const isFree = tf.step(tf.sub(squares, SMALLEST_SQUARE)); // 0 where the norm is clamped, so does not depend on v
          const across = tf.sub(d, tf.mul(v, tf.mul(isFree, tf.div(along, tf.square(norm))))); // [M,out]
          return tf.reshape(tf.mul(across, tf.div(gain, norm)), direction.shape); // [M,out] -> [rows,columns,in,out]
        },
        gain: () => tf.reshape(tf.div(along, norm), gain.shape), // [1,out] -> [out]
      };
    },
  },
  wasmImplementation: byLoops('PixelCNNNormalizedKernel', [NORMALIZED_KERNEL], ['direction', 'gain'], {
    forward: (loops, { direction, gain }) =>
      outputs([direction.shape], loops.normalizedKernel, [direction, gain], numbersOf(direction)),
    gradients(loops, { dy, direction, gain }) {
      const shapes = [direction.shape, gain.shape] as const;
      return outputs(shapes, loops.normalizedKernelBack, [dy, direction, gain], numbersOf(direction));
    },
  }),
});

/** [rows,columns,in,out] -> [M,out] */
function flat(kernel: tf.Tensor4D): tf.Tensor2D {
  const featuresOut = kernel.shape[3];
  return tf.reshape(kernel, [kernel.size / featuresOut, featuresOut]);
}

/** [M,out] -> [1,out], by a product, which is faster than `sum` on wasm. */
const sumOfRows = (rows: tf.Tensor2D): tf.Tensor2D => tf.matMul(tf.fill([1, rows.shape[0]], 1), rows);

/** Norms [1,out] from their squares. On wasm, `maximum` keeps NaN only in its first argument. */
const norms = (squares: tf.Tensor2D): tf.Tensor2D =>
  tf.sqrt(tf.maximum<tf.Tensor2D>(squares, SMALLEST_SQUARE));

/** Weights of each output, outputs, and the lower bound of squares. */
const numbersOf = ({ size, shape: [, , , featuresOut] }: tf.Tensor4D) =>
  [size / featuresOut, featuresOut, SMALLEST_SQUARE] as const;
