import * as tf from '@tensorflow/tfjs-core';
import { LAYER_NORM } from '../runtime/kernels/modules';
import { sumOverPixels } from './causal-conv';
import { byLoops, defineOperation, type TensorOperation } from './operation';
import { outputs } from './wasm-kernels';

interface Inputs {
  readonly x: tf.Tensor4D;
  readonly scale: tf.Tensor1D | undefined;
  readonly shift: tf.Tensor1D | undefined;
}

type Attributes = { readonly groups: number; readonly epsilon: number; readonly norm: 'layer' | 'rms' };

/**
 * (x - mean) / sqrt(variance + epsilon) over each group of a pixel's features, then scale and
 * shift, with a custom gradient, since tfjs's loops over all pixels. For norm `'rms'`, the mean is taken as 0.
 *
 * Source: Ba et al., "Layer Normalization" (2016), https://arxiv.org/abs/1607.06450, equations 3 and 4; Zhang,
 * Sennrich, "Root Mean Square Layer Normalization" (2019), https://arxiv.org/abs/1910.07467, equation 4.
 *
 * @param inputs x [N,H,W,F], where `groups` divides F; scale and shift [F], or undefined
 * @returns [N,H,W,F]
 */
export const layerNorm: TensorOperation<Inputs, Attributes, Inputs, tf.Tensor4D> = defineOperation({
  name: 'layerNorm',
  composed: {
    forward(inputs, attributes) {
      const { x, scale, shift } = inputs;
      const normal: tf.Tensor4D = tf.reshape(normalized(x, attributes).normal, x.shape); // [N*H*W*C, G] -> [N,H,W,F]
      const scaled = scale === undefined ? normal : tf.mul<tf.Tensor4D>(normal, scale);
      const y = shift === undefined ? scaled : tf.add<tf.Tensor4D>(scaled, shift);
      return { y, saved: inputs };
    },
    gradients(dy, { x, scale }, attributes) {
      const { normal, factor } = normalized(x, attributes); // [N*H*W*C, G]
      const scaled = scale === undefined ? dy : tf.mul(dy, scale);
      return {
        x() {
          const slope: tf.Tensor2D = tf.reshape(scaled, normal.shape); // [N,H,W,F] -> [N*H*W*C, G]
          const along = tf.mul(normal, spread(means(tf.mul(slope, normal)), normal));
          const rest = tf.sub(attributes.norm === 'rms' ? slope : centered(slope), along);
          return tf.reshape(tf.mul(factor, rest), x.shape); // [N*H*W*C, G] -> [N,H,W,F]
        },
        scale: () => sumOverPixels(tf.mul(dy, tf.reshape(normal, x.shape))), // [N,H,W,F] -> [F]
        shift: () => sumOverPixels(dy),
      };
    },
  },
});

/** The normalized values, and 1 / sqrt(variance + epsilon): [N,H,W,F] -> [N*H*W*C, G], with C groups and G = F/C. */
function normalized(x: tf.Tensor4D, { groups, epsilon, norm }: Attributes) {
  const size = x.shape[3] / groups;
  const rows: tf.Tensor2D = tf.reshape(x, [x.size / size, size]); // [N,H,W,F] -> [N*H*W*C, G]
  const differences = norm === 'rms' ? rows : centered(rows);
  const factor = spread(tf.rsqrt(tf.add<tf.Tensor2D>(means(tf.square(differences)), epsilon)), rows);
  return { normal: tf.mul<tf.Tensor2D>(differences, factor), factor };
}

/** Subtracts its mean from each row: [M,G] -> [M,G]. */
const centered = (rows: tf.Tensor2D): tf.Tensor2D => tf.sub(rows, spread(means(rows), rows));

// Means and broadcasts are products, since tfjs's reductions are slow on wasm, and its broadcasting on cpu.

/** The mean of each row: [M,G] -> [M,1]. */
const means = (rows: tf.Tensor2D): tf.Tensor2D =>
  tf.matMul(rows, tf.fill([rows.shape[1], 1], 1 / rows.shape[1]));

/** Broadcasts each number over its row: [M,1] -> [M,G], shaped like `rows`. */
const spread = (numbers: tf.Tensor2D, rows: tf.Tensor2D): tf.Tensor2D =>
  tf.matMul(numbers, tf.fill([1, rows.shape[1]], 1));

/** Images, pixels of an image, groups of features, features of a group, 1 for RMS, and epsilon. */
const sizesOf = ({ shape: [n, h, w, features] }: tf.Tensor4D, { groups, epsilon, norm }: Attributes) =>
  [n, h * w, groups, features / groups, norm === 'rms' ? 1 : 0, epsilon] as const;

export const provideLayerNormKernels = (): void =>
  layerNorm.useKernels(
    byLoops('PixelCNNLayerNorm', [LAYER_NORM], ['x', 'scale', 'shift'], {
      forward: (loops, { x, scale, shift }, attributes) =>
        outputs([x.shape], loops.layerNorm, [x, scale, shift], sizesOf(x, attributes)),
      gradients(loops, { dy, x, scale }, attributes) {
        const features = [x.shape[3]] as const;
        const shapes = [x.shape, features, features] as const;
        const sizes = sizesOf(x, attributes);
        return outputs(shapes, loops.layerNormBack, [dy, x, scale], sizes, loops.layerNormBackScratch);
      },
    }),
  );
