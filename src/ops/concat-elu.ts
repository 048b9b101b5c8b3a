import * as tf from '@tensorflow/tfjs-core';
import { CONCAT_ELU } from '../runtime/kernels/modules';
import { byLoops, defineOperation } from './operation';
import { outputs } from './wasm-kernels';

type Inputs = { readonly x: tf.Tensor };

/** elu(x), then elu(-x), of PixelCNN++, with a custom gradient: [..,F] -> [..,2F]. */
export const concatElu = (x: tf.Tensor): tf.Tensor => operation({ x });

const operation = defineOperation<Inputs, void, Inputs, tf.Tensor>({
  name: 'concatElu',
  composed: {
    forward: (inputs) => ({
      y: tf.concat([tf.elu(inputs.x), tf.elu(tf.neg(inputs.x))], -1), // [..,F] -> [..,2F]
      saved: inputs,
    }),
    gradients: (dy, { x }) => ({
      x() {
        const [first, second] = tf.split(dy, 2, -1) as [tf.Tensor, tf.Tensor]; // [..,2F] -> two of [..,F]
        return tf.sub(tf.mul(first, slopes(x)), tf.mul(second, slopes(tf.neg(x)))); // [..,F]
      },
    }),
  },
});

/** The slopes of elu, [..,F]. On wasm, `minimum` keeps NaN only in its first argument. */
const slopes = (x: tf.Tensor) => tf.exp(tf.minimum(x, 0));

/** The number of rows, and of features in each. */
function sizesOf({ shape, size }: tf.Tensor): [rows: number, features: number] {
  const features = shape.at(-1) as number;
  return [size / features, features];
}

export const provideConcatEluKernels = (): void =>
  operation.useKernels(
    byLoops('PixelCNNConcatElu', [CONCAT_ELU], ['x'], {
      forward(loops, { x }) {
        const [rows, features] = sizesOf(x);
        return outputs([[...x.shape.slice(0, -1), 2 * features]], loops.concatElu, [x], [rows, features]);
      },
      gradients: (loops, { dy, x }) => outputs([x.shape], loops.concatEluBack, [dy, x], sizesOf(x)),
    }),
  );
