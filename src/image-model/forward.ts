import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

/**
 * One forward pass at inference: normalized images [N,H,W,C], and their conditions where the model takes any
 * -> logits [N,H,W,C,L].
 */
export function forward(model: LayersModel, images: Tensor4D, condition: Tensor | null): Tensor {
  return model.apply(condition === null ? images : [images, condition]) as Tensor;
}
