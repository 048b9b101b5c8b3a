import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { DistributionShape } from '../distributions/kinds';
import type { PixelDistribution } from '../distributions/pixel-distribution';

/** Arguments that every tfjs layer takes: `name`, `inputShape`, `trainable`, ... */
export type LayerArgs = NonNullable<ConstructorParameters<typeof tfl.layers.Layer>[0]>;

/** What a tfjs layer takes and returns: one or several tensors, symbolic or not. */
export type Applied = ReturnType<tfl.layers.Layer['apply']>;

/** `apply` of a layer with one output: symbolic from symbolic inputs, a tensor from tensors. */
export interface Apply {
  (inputs: tfl.SymbolicTensor | tfl.SymbolicTensor[], kwargs?: ApplyArgs): tfl.SymbolicTensor;
  (inputs: Tensor | Tensor[], kwargs?: ApplyArgs): Tensor;
  /** Either, for values whose type, as returned by a tfjs layer, leaves it open. */
  (inputs: Applied, kwargs?: ApplyArgs): Tensor | tfl.SymbolicTensor;
}
type ApplyArgs = Parameters<tfl.layers.Layer['apply']>[1];

/** A shape as tfjs-layers has it: null where a size is not known. */
export type Shape = (number | null)[];

export type Initializer = ReturnType<typeof tfl.initializers.zeros>;
export type Regularizer = ReturnType<typeof tfl.regularizers.l2>;
export type Constraint = ReturnType<typeof tfl.constraints.nonNeg>;

/** tfjs-layers does not export its own type. */
export interface Activation {
  apply(x: Tensor): Tensor;
  getClassName(): string;
}

/**
 * What the outputs of a model mean, with the loss on tensors as well. If the last layer of a model has one as
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
  /** The distribution as plain data, if it is one that this library knows by name: `toPortable` accepts no others. */
  readonly data?: DistributionShape;
  /**
   * -log p of every value given the values before it, in nats, differentiable: from levels [N,H,W,C], int32, and
   * parameters [N,H,W,P] to [N,H,W,C].
   */
  negativeLogLikelihood(labels: Tensor4D, parameters: Tensor4D): Tensor;
}

/** A last layer that says what its outputs [N,H,W,P] mean, where P is `numParameters` of the distribution. */
export interface DistributionLayer extends tfl.layers.Layer {
  /** Where a model reads it, also after loading: so the layer must build it from arguments that are saved. */
  readonly distribution: TensorDistribution;
}
