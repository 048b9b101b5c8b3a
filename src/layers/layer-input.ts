import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
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

/** A layer's one input; tfjs passes it alone or in a list. */
export function oneInput(inputs: Tensor | Tensor[]): Tensor4D {
  return (Array.isArray(inputs) ? inputs[0] : inputs) as Tensor4D;
}
