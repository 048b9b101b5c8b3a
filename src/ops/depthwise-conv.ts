import * as tf from '@tensorflow/tfjs-core';
import { DEPTHWISE } from '../runtime/kernels/modules';
import { byLoops, defineOperation } from './operation';
import { outputs } from './wasm-kernels';

interface Inputs {
  readonly x: tf.Tensor4D;
  readonly kernel: tf.Tensor4D;
}

interface Attributes {
  readonly left: number;
  readonly presentColumns: number;
  readonly dilation: readonly [rows: number, columns: number];
}

/**
 * A convolution in which each output sees only the input of its number: [N,H,W,F], kernel [rows,columns,1,F] ->
 * [N,H,W,F]. Its window is that of `causalConv2d`.
 */
export const depthwiseConv2d = (x: tf.Tensor4D, kernel: tf.Tensor4D, attributes: Attributes): tf.Tensor4D =>
  operation({ x, kernel }, attributes);

/** A tap that is used: its number in the kernel, and how far below and to the right of the output it lies. */
interface Tap {
  readonly index: number;
  readonly down: number;
  readonly right: number;
}

function tapsOf(
  [rows, columns]: tf.Tensor4D['shape'],
  { left, presentColumns, dilation }: Attributes,
): Tap[] {
  const used = (rows - 1) * columns + presentColumns;
  return Array.from({ length: used }, (_, index) => ({
    index,
    down: (Math.floor(index / columns) - (rows - 1)) * dilation[0],
    right: ((index % columns) - left) * dilation[1],
  }));
}

/** The map moved by so many rows and columns, with zeros around: [N,H,W,F] -> [N,H,W,F]. */
function moved(x: tf.Tensor4D, down: number, right: number): tf.Tensor4D {
  const [top, bottom, before, after] = [-down, down, -right, right].map((by) => Math.max(0, by)) as [
    number,
    number,
    number,
    number,
  ];
  const padded = tf.pad(x, [[0, 0], [top, bottom], [before, after], [0, 0]]); // biome-ignore format: [N,H+|down|,W+|right|,F], one pair a dimension
  return tf.slice(padded, [0, bottom, after, 0], x.shape); // [N,H,W,F]
}

/** The weights of a tap: [rows,columns,1,F] -> [F]. */
const weightsOf = (kernel: tf.Tensor4D, { index }: Tap): tf.Tensor1D => {
  const [rows, columns, , features] = kernel.shape;
  return tf.reshape(tf.slice(tf.reshape(kernel, [rows * columns, features]), [index, 0], [1, features]), [
    features,
  ]); // [rows*columns,F] -> [1,F] -> [F]
};

const total = (terms: tf.Tensor4D[], like: tf.Tensor4D): tf.Tensor4D =>
  terms.length === 0 ? tf.zerosLike(like) : terms.reduce((sum, term) => tf.add(sum, term));

const operation = defineOperation<Inputs, Attributes, Inputs, tf.Tensor4D>({
  name: 'depthwiseConv2d',
  composed: {
    forward: (inputs, attributes) => {
      const { x, kernel } = inputs;
      const terms = tapsOf(kernel.shape, attributes).map((tap) => {
        return tf.mul<tf.Tensor4D>(moved(x, tap.down, tap.right), weightsOf(kernel, tap)); // [N,H,W,F] [F]
      });
      return { y: total(terms, x), saved: inputs };
    },
    gradients: (dy, { x, kernel }, attributes) => ({
      x() {
        const terms = tapsOf(kernel.shape, attributes).map((tap) => {
          return tf.mul<tf.Tensor4D>(moved(dy, -tap.down, -tap.right), weightsOf(kernel, tap)); // [N,H,W,F] [F]
        });
        return total(terms, x);
      },
      kernel() {
        const [rows, columns, , features] = kernel.shape;
        const used = tapsOf(kernel.shape, attributes).map(({ down, right }) => {
          return tf.sum(tf.mul(moved(x, down, right), dy), [0, 1, 2]); // [N,H,W,F] -> [F]
        });
        const unused = Array.from({ length: rows * columns - used.length }, () => tf.zeros([features]));
        return tf.reshape(tf.stack([...used, ...unused]), kernel.shape); // [rows*columns,F] -> [rows,columns,1,F]
      },
    }),
  },
  wasmImplementation: byLoops('PixelCNNDepthwiseConv2D', [DEPTHWISE], ['x', 'kernel'], {
    forward: (loops, { x, kernel }, attributes) =>
      outputs([x.shape], loops.depthwise, [x, kernel], sizesOf(x, kernel, attributes)),
    gradients: (loops, { dy, x, kernel }, attributes) => {
      const sizes = sizesOf(x, kernel, attributes);
      return outputs(
        [x.shape, kernel.shape],
        loops.depthwiseBack,
        [dy, x, kernel],
        sizes,
        loops.depthwiseBackScratch,
      );
    },
  }),
});

function sizesOf(
  { shape }: tf.Tensor4D,
  kernel: tf.Tensor4D,
  { left, presentColumns, dilation }: Attributes,
) {
  const [rows, columns] = kernel.shape;
  return [...shape, rows, columns, left, presentColumns, ...dilation] as const;
}
