import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import type { LayerWeight } from '../runtime/program/weights';

/**
 * Gives a weight a value as it is, as optimizers do. tfjs's own `write` would apply the layer's constraint to it, which
 * training never does, and leave a tensor behind.
 */
export function assignWeight(weight: LayerWeight, value: Tensor): void {
  (weight.read() as Variable).assign(value);
}
