import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { throwTypeError } from '../core/check';

/**
 * One forward pass at inference: from normalized images [N,H,W,C], and their conditions if the model takes any, to
 * logits [N,H,W,C,L] or parameters [N,H,W,P].
 */
export function forward(model: LayersModel, images: Tensor4D, conditions: readonly Tensor[]): Tensor {
  return model.apply(conditions.length === 0 ? images : [images, ...conditions]) as Tensor;
}

/**
 * A forward pass of a whole model.
 *
 * @throws TypeError unless the outputs have the height and width of the images, which for a model of images of any size
 * cannot be known earlier
 */
export function outputsOf(model: LayersModel, images: Tensor4D, conditions: readonly Tensor[]): Tensor {
  const outputs = forward(model, images, conditions);
  const [, height, width] = images.shape;
  const isOfImages = outputs.shape[1] === height && outputs.shape[2] === width;
  const wanted = `outputs of height ${height} and width ${width}, as the images have`;
  if (!isOfImages) throwTypeError('model', wanted, outputs.shape);
  return outputs;
}
