import * as tf from '@tensorflow/tfjs-core';
import { checkNumber } from '../runtime/core/check';

/** A gradient in the form that optimizers take; null if the loss does not depend on the weight. */
interface NamedGradient {
  name: string;
  tensor: tf.Tensor | null;
}

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
    const named: NamedGradient[] = Array.isArray(gradients)
      ? gradients
      : Object.entries(gradients as tf.NamedTensorMap).map(([name, tensor]) => ({ name, tensor }));
    const factor = tf.tidy(() => factorFor(tensorsOf(named), maxNorm)); // []
    const clipped = named.map(({ name, tensor }) => ({ name, tensor: tensor && tf.mul(tensor, factor) }));
    try {
      apply(clipped as Parameters<typeof apply>[0]);
    } finally {
      tf.dispose([factor, ...tensorsOf(clipped)]);
    }
  };
  return optimizer;
}

const tensorsOf = (gradients: readonly NamedGradient[]) => gradients.flatMap(({ tensor }) => tensor ?? []);

/** The factor for gradients, at most 1; NaN if the norm is not finite, so that divergence is noticed. */
export function factorFor(gradients: readonly tf.Tensor[], maxNorm: number): tf.Tensor {
  const squares = gradients.map((gradient) => tf.sum(tf.square(gradient)));
  const norm = tf.sqrt(tf.addN([tf.scalar(0), ...squares])); // []
  const factor = tf.where(tf.greater(norm, maxNorm), tf.div(maxNorm, norm), tf.onesLike(norm));
  return tf.add(factor, tf.mul(norm, 0));
}
