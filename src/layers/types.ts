import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type {
  constraints,
  initializers,
  layers,
  regularizers,
  SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import type { DistributionShape, PixelDistribution } from '../distributions/pixel-distribution';

/** Arguments that every tfjs layer takes: `name`, `inputShape`, `trainable`, ... */
export type LayerArgs = NonNullable<ConstructorParameters<typeof layers.Layer>[0]>;

/** What a tfjs layer takes and gives, by its type: it does not tell graphs and tensors, one and many apart. */
export type Applied = ReturnType<layers.Layer['apply']>;

/** `apply` of a layer with one output: symbolic from symbolic inputs, a tensor from tensors. */
export interface Apply {
  /** Adds the layer to a graph. */
  (inputs: SymbolicTensor | SymbolicTensor[], kwargs?: ApplyArgs): SymbolicTensor;
  /** Computes. */
  (inputs: Tensor | Tensor[], kwargs?: ApplyArgs): Tensor;
  /** Either, where the type of what comes from a layer of tfjs leaves it open. */
  (inputs: Applied, kwargs?: ApplyArgs): Tensor | SymbolicTensor;
}
type ApplyArgs = Parameters<layers.Layer['apply']>[1];

/** A shape as tfjs-layers has it: null where a size is not known. */
export type Shape = (number | null)[];

export type Initializer = ReturnType<typeof initializers.zeros>;
export type Regularizer = ReturnType<typeof regularizers.l2>;
export type Constraint = ReturnType<typeof constraints.nonNeg>;

/** What the outputs of a model mean, on tensors too. */
export interface TensorDistribution extends PixelDistribution {
  /** As data, where this library knows it by name: `toPortable` takes no other. */
  readonly data?: DistributionShape;
  /**
   * -log p of every value given those before it, in nats, differentiable: of levels [N,H,W,C], int32, and parameters
   * [N,H,W,P]; -> [N,H,W,C].
   */
  negativeLogLikelihood(labels: Tensor4D, parameters: Tensor4D): Tensor;
}

/** A last layer that says what its outputs [N,H,W,P] mean. */
export interface DistributionLayer extends layers.Layer {
  readonly distribution: TensorDistribution;
}
