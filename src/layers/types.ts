import type { constraints, initializers, layers, regularizers } from '@tensorflow/tfjs-layers';

/** Arguments that every tfjs layer takes: `name`, `inputShape`, `trainable`, ... */
export type LayerArgs = NonNullable<ConstructorParameters<typeof layers.Layer>[0]>;

/** A shape as tfjs-layers has it: null where a size is not known. */
export type Shape = (number | null)[];

export type Initializer = ReturnType<typeof initializers.zeros>;
export type Regularizer = ReturnType<typeof regularizers.l2>;
export type Constraint = ReturnType<typeof constraints.nonNeg>;
