import type { Tensor } from '@tensorflow/tfjs-core';
import type {
  constraints,
  initializers,
  layers,
  regularizers,
  SymbolicTensor,
} from '@tensorflow/tfjs-layers';

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
