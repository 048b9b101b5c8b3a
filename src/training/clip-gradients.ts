import {
  add,
  addN,
  dispose,
  div,
  greater,
  mul,
  type NamedTensorMap,
  type Optimizer,
  onesLike,
  sqrt,
  square,
  sum,
  type Tensor,
  tidy,
  where,
} from '@tensorflow/tfjs-core';
import { checkNumber } from '../check';

/** As optimizers take gradients in a list. */
interface NamedTensor {
  name: string;
  tensor: Tensor;
}

/**
 * Lets an optimizer scale the gradients of each step down to a norm of at most `maxNorm`, over all weights together, before it applies them: for
 * `trainOnBatch`, `fit` and `minimize` alike. To be called again for an optimizer that was loaded.
 *
 * Source: Pascanu et al., "On the difficulty of training recurrent neural networks" (2013), algorithm 1.
 *
 * Where the sum of squares is not finite in float32, so is no weight afterwards.
 *
 * @returns the optimizer
 * @throws TypeError where `maxNorm` is not above 0
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
export function clipGradients<O extends Optimizer>(optimizer: O, maxNorm: number): O {
  checkNumber('clipGradients: maxNorm', maxNorm, 'above 0', (x) => x > 0);
  const apply = optimizer.applyGradients.bind(optimizer);
  optimizer.applyGradients = (gradients) => {
    const named: NamedTensor[] = Array.isArray(gradients)
      ? gradients
      : Object.entries(gradients as NamedTensorMap).map(([name, tensor]) => ({ name, tensor }));
    const clipped = tidy(() => {
      const all = named.flatMap(({ tensor }) => tensor ?? []); // null for a weight that the loss does not depend on
      if (all.length === 0) return [];
      const norm = sqrt(addN(all.map((gradient) => sum(square(gradient)))));
      const factor = where(greater(norm, maxNorm), div(maxNorm, norm), onesLike(norm));
      const visible = add(factor, mul(norm, 0)); // NaN where the norm is not finite: a blow-up must not pass in silence
      return all.map((gradient) => mul(gradient, visible));
    });
    const rest = [...clipped];
    const inPlace = named.map(({ name, tensor }) => ({
      name,
      tensor: tensor ? (rest.shift() as Tensor) : tensor,
    }));
    try {
      apply(
        Array.isArray(gradients)
          ? inPlace
          : Object.fromEntries(inPlace.map(({ name, tensor }) => [name, tensor])),
      );
    } finally {
      dispose(clipped);
    }
  };
  return optimizer;
}
