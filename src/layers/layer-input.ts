import { cast, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import { InputSpec } from '@tensorflow/tfjs-layers';
import { wrong } from '../check';
import type { Shape } from './types';

/** The shape [N,H,W,F] of a layer's one input, with F known. */
export function imageInputShape(
  layer: string,
  inputShape: Shape | Shape[],
): [Shape[0], Shape[0], Shape[0], number] {
  const isOne = !inputShape.some(Array.isArray);
  const features = isOne ? (inputShape as Shape)[3] : null;
  if (!isOne || inputShape.length !== 4 || features == null) {
    wrong(`${layer}: input`, 'one tensor [N,H,W,features] with its features known', inputShape);
  }
  const [n = null, h = null, w = null] = inputShape as Shape;
  return [n, h, w, features as number];
}

/**
 * Has tfjs refuse, once a layer is built, inputs of another rank or another number of features, the last
 * axis.
 */
export function imageInputSpec(features: number, rank = 4): InputSpec[] {
  return [new InputSpec({ ndim: rank, axes: { [rank - 1]: features } })];
}

/** A layer's one input as float32; tfjs passes it alone or in a list. To be called within a tidy. */
export function oneInput(inputs: Tensor | Tensor[]): Tensor4D {
  const x = (Array.isArray(inputs) ? inputs[0] : inputs) as Tensor4D;
  return x.dtype === 'float32' ? x : cast(x, 'float32');
}
