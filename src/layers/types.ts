import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { DistributionShape } from '../runtime/distributions/kinds';
import type { PixelDistribution } from '../runtime/distributions/pixel-distribution';

/** Arguments that every tfjs layer takes: `name`, `inputShape`, `trainable`, ... */
export type LayerArgs = NonNullable<ConstructorParameters<typeof tfl.layers.Layer>[0]>;

/** What a tfjs layer takes and returns: one or several tensors, symbolic or not. */
export type Applied = ReturnType<tfl.layers.Layer['apply']>;

/** `apply` of a layer with one output: a symbolic tensor for symbolic inputs, a tensor for tensors. */
export interface Apply {
  (inputs: tfl.SymbolicTensor | tfl.SymbolicTensor[], kwargs?: ApplyArgs): tfl.SymbolicTensor;
  (inputs: Tensor | Tensor[], kwargs?: ApplyArgs): Tensor;
  /** For values of a tfjs layer, whose type does not state which they are. */
  (inputs: Applied, kwargs?: ApplyArgs): Tensor | tfl.SymbolicTensor;
}
type ApplyArgs = Parameters<tfl.layers.Layer['apply']>[1];

/** A shape as in tfjs-layers, with null for unknown sizes. */
export type Shape = (number | null)[];

export type Initializer = ReturnType<typeof tfl.initializers.zeros>;
export type Regularizer = ReturnType<typeof tfl.regularizers.l2>;
export type Constraint = ReturnType<typeof tfl.constraints.nonNeg>;

/** An activation. tfjs-layers does not export its type. */
export interface Activation {
  apply(x: Tensor): Tensor;
  getClassName(): string;
}

/**
 * The distribution that a model's outputs parameterize, with its loss on tensors. If the last layer has a
 * `distribution` ({@link DistributionLayer}), the model is trained, evaluated, saved, scored and sampled by it.
 *
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { PixelLayer } from 'pixelcnn-layers';
 * // One number a pixel: the logit of level 1 of two.
 * const bernoulli = {
 *   imageChannels: 1,
 *   levels: 2,
 *   numParameters: 1,
 *   logProbs([logit], earlier, to) {
 *     to[0] = -Math.log1p(Math.exp(logit));
 *     to[1] = -Math.log1p(Math.exp(-logit));
 *   },
 *   negativeLogLikelihood: (labels, logits) => tf.neg(tf.logSigmoid(tf.mul(logits, tf.sub(tf.mul(labels, 2), 1)))), // [N,H,W,1]
 * };
 * class BernoulliPixels extends PixelLayer {
 *   static className = 'BernoulliPixels';
 *   distribution = bernoulli;
 *   express = (ops, [x]) => x; // [N,H,W,1]
 * }
 * tf.serialization.registerClass(BernoulliPixels);
 * const nats = new BernoulliPixels().distribution.negativeLogLikelihood(tf.ones([1, 1, 1, 1]), tf.zeros([1, 1, 1, 1]));
 * console.log((await nats.data())[0].toFixed(2)); // 0.69: log 2
 * ```
 */
export interface TensorDistribution extends PixelDistribution {
  /** The distribution as plain data, if it is one of this library's. `toPortable` accepts no others. */
  readonly data?: DistributionShape;
  /**
   * -log p of every value given those before it, in nats, differentiable: levels [N,H,W,C], int32, to [N,H,W,C].
   */
  negativeLogLikelihood(labels: Tensor4D, parameters: Tensor4D): Tensor;
}

/** A last layer that defines the distribution of its outputs [N,H,W,P], where P is its `numParameters`. */
export interface DistributionLayer extends tfl.layers.Layer {
  /** The distribution. The layer must build it from saved arguments, since a model also reads it after loading. */
  readonly distribution: TensorDistribution;
}
