import * as tf from '@tensorflow/tfjs-core';
import { defineOperation } from './operation';

// Normalized levels as categories, for the layers OneHotLevels and LevelEmbedding.

/** One-hot vectors of normalized levels: [...,C] -> [...,C*L], the L numbers of each channel side by side. */
export const oneHotLevels = (x: tf.Tensor, levels: number): tf.Tensor => oneHot({ x }, { levels });

/**
 * Looks up the row of a table for each level. On wasm, the gradient of tfjs's `gather` is missing.
 *
 * @param x normalized levels [...,C]
 * @param table [L,U]
 * @returns [...,C*U], the U numbers of each channel side by side
 */
export function embedLevels(x: tf.Tensor, table: tf.Tensor2D): tf.Tensor {
  const [levels, units] = table.shape;
  return tf.tidy(() => {
    const y = lookUp({ rows: rowsOf({ x }, { levels }), x: table }, { levels }); // [M,U]
    return tf.reshape(y, [...x.shape.slice(0, -1), (x.shape.at(-1) as number) * units]); // [M,U] -> [...,C*U]
  });
}

type Attributes = { readonly levels: number };

/** round(x (L - 1)), even if that is not a level. Returns floats, since NaN then equals no level. */
const nearest = (x: tf.Tensor, levels: number): tf.Tensor => tf.floor(tf.add(tf.mul(x, levels - 1), 0.5));

/** An operation on levels. No gradient flows back through it, since levels are not a continuous function of x. */
function ofLevels<Output extends tf.Tensor>(name: string, compute: (x: tf.Tensor, levels: number) => Output) {
  return defineOperation<{ readonly x: tf.Tensor }, Attributes, object, Output>({
    name,
    composed: {
      forward: ({ x }, { levels }) => ({ y: compute(x, levels), saved: {} }),
      gradients: () => ({}),
    },
    constants: ['x'],
  });
}

const oneHot = ofLevels('oneHotLevels', (x, levels): tf.Tensor => {
  const numbers: tf.Tensor2D = tf.reshape(nearest(x, levels), [-1, 1]); // [...,C] -> [M,1]
  // The subtraction makes float32: on webgpu, a cast alone would leave integers, which not all convolutions take.
  const hot = tf.sub(1, tf.cast(tf.notEqual(numbers, tf.range(0, levels)), 'float32')); // [M,1], [L] -> [M,L]
  const [features = 1] = x.shape.slice(-1);
  return tf.reshape(hot, [...x.shape.slice(0, -1), features * levels]); // [M,L] -> [...,C*L]
});

/** The level of each number, int32, or L if it is not a level: [...,C] -> [M]. */
const rowsOf = ofLevels('levelRows', (x, levels) => {
  const numbers = tf.reshape(nearest(x, levels), [-1]); // [...,C] -> [M]
  const isLevel = tf.logicalAnd(tf.greaterEqual(numbers, 0), tf.lessEqual(numbers, levels - 1));
  const rows = tf.where(isLevel, numbers, tf.fill(numbers.shape, levels));
  return tf.cast(rows, 'int32') as tf.Tensor1D;
});

interface OfRows {
  readonly rows: tf.Tensor1D; // levels [M], 0..L, int32, where L means no level
  readonly x: tf.Tensor2D; // the argument in which the operation is linear, [L,U] or [M,U]
}

/** An operation that is linear in x. Its gradient is its adjoint, another such operation. */
const linear = (
  name: string,
  compute: (inputs: OfRows, levels: number) => tf.Tensor2D,
  adjoint: (inputs: OfRows, attributes: Attributes) => tf.Tensor2D,
) =>
  defineOperation<OfRows, Attributes, Pick<OfRows, 'rows'>, tf.Tensor2D>({
    name,
    composed: {
      forward: (inputs, { levels }) => ({ y: compute(inputs, levels), saved: { rows: inputs.rows } }),
      gradients: (dy, { rows }, attributes) => ({ x: () => adjoint({ rows, x: dy }, attributes) }),
    },
  });

/** Looks up rows of a table [L,U], with zeros for no level: [M] -> [M,U]. */
const lookUp = linear(
  'levelLookUp',
  ({ rows, x }) => {
    const withNone = tf.concat([x, tf.zeros([1, x.shape[1]])]); // [L,U] -> [L+1,U]
    return tf.gather<tf.Tensor2D>(withNone as tf.Tensor2D, rows); // [M,U]
  },
  (inputs, attributes): tf.Tensor2D => sumByRow(inputs, attributes),
);

/** Sums the values [M,U] that belong to each row: [M] -> [L,U]. */
const sumByRow = linear(
  'levelSum',
  ({ rows, x }, levels) => {
    const [, units] = x.shape;
    const sums = tf.scatterND(tf.expandDims(rows, 1), x, [levels + 1, units]); // [M,1], [M,U] -> [L+1,U]
    return tf.slice(sums as tf.Tensor2D, 0, [levels, units]); // [L+1,U] -> [L,U]
  },
  lookUp,
);
