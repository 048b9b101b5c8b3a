import * as tf from '@tensorflow/tfjs-core';
import { checkNumber } from '../runtime/core/check';

type Gradients = Parameters<tf.Optimizer['applyGradients']>[0];
/** tfjs's type does not say so, but `tensor` is null for a weight that the loss does not depend on. */
type NamedGradient = { name: string; tensor: tf.Tensor };

/**
 * Makes an optimizer scale the gradients of each step so that their global norm is at most
 * `maxNorm`, in `trainOnBatch`, `fit` and `minimize`. Call it once for each optimizer, and again
 * for a loaded one. If the sum of squares overflows float32, every weight becomes NaN.
 *
 * Source: Pascanu et al., "On the difficulty of training recurrent neural networks" (2013), algorithm 1.
 *
 * @returns the optimizer
 * @throws TypeError if `maxNorm` is not above 0
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { clipGradients } from 'pixelcnn-layers';
 * const x = tf.variable(tf.tensor1d([3, 4]));
 * const optimizer = clipGradients(tf.train.sgd(1), 1);
 * optimizer.minimize(() => tf.sum(tf.mul(x, [30, 40]))); // a gradient of norm 50, scaled to [0.6, 0.8]
 * console.log(Array.from(await x.data(), (v) => v.toFixed(1)).join()); // 2.4,3.2
 * ```
 */
export function clipGradients<O extends tf.Optimizer>(optimizer: O, maxNorm: number): O {
  checkNumber('clipGradients: maxNorm', maxNorm, 'above 0', (x) => x > 0);
  const apply = optimizer.applyGradients.bind(optimizer);
  optimizer.applyGradients = (gradients) => {
    const scaled = tf.tidy(() => clipped(listed(gradients), maxNorm));
    try {
      apply(scaled);
    } finally {
      tf.dispose(scaled);
    }
  };
  return optimizer;
}

/** Gradients as a list, of which our Adam takes faster steps. */
export const listed = (gradients: Gradients): NamedGradient[] =>
  Array.isArray(gradients)
    ? gradients
    : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }));

/** Scales gradients. Those of a norm that is not finite become NaN, so that divergence is noticed. */
export function clipped(gradients: NamedGradient[], maxNorm: number): NamedGradient[] {
  const squares = gradients.flatMap(({ tensor }) => (tensor ? tf.sum(tf.square(tensor)) : []));
  const norm = tf.sqrt(tf.addN([tf.scalar(0), ...squares])); // []
  const atMost1 = tf.where(tf.greater(norm, maxNorm), tf.div(maxNorm, norm), tf.onesLike(norm));
  const factor = tf.add(atMost1, tf.mul(norm, 0)); // []
  return gradients.map(({ name, tensor }) => ({ name, tensor: tensor && tf.mul(tensor, factor) }));
}
