import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { throwTypeError } from '../core/check';
import { valuesOf } from '../core/images';
import { type GivenImages, planImages } from '../likelihood/walk';
import {
  type Condition,
  checkImageTensor,
  conditionData,
  conditionTensors,
  readTensor,
} from '../models/conditions';
import { normalize } from '../models/normalize';
import type { SymmetricShape } from '../models/symmetric';

/** Images to pass through a model. */
export interface BatchJob extends GivenImages {
  readonly shape: SymmetricShape;
  readonly batchSize: number;
}

/** Applies a model to normalized images [N,H,W,C] and conditions: logits [N,H,W,C,L] or parameters [N,H,W,P]. */
export function forward(
  model: LayersModel,
  images: tf.Tensor4D,
  conditions: readonly tf.Tensor[],
): tf.Tensor {
  return model.apply(conditions.length === 0 ? images : [images, ...conditions]) as tf.Tensor;
}

/**
 * Applies a whole model, as {@link forward}.
 *
 * @throws TypeError unless the outputs have the height and width of the images
 */
export function outputsOf(
  model: LayersModel,
  images: tf.Tensor4D,
  conditions: readonly tf.Tensor[],
): tf.Tensor {
  const outputs = forward(model, images, conditions);
  const [, height, width] = images.shape;
  const isOfImages = outputs.shape[1] === height && outputs.shape[2] === width;
  const wanted = `outputs of height ${height} and width ${width}, as the images have`;
  if (!isOfImages) throwTypeError('model', wanted, outputs.shape);
  return outputs;
}

/** Checks and reads images and conditions. Errors name `caller`. */
export async function planBatches(
  caller: string,
  shape: SymmetricShape,
  images: tf.Tensor,
  { condition, batchSize }: { condition: Condition | undefined; batchSize: number },
): Promise<BatchJob> {
  checkImageTensor(`${caller}: images`, images);
  if (images.shape[0] === 0) throwTypeError(`${caller}: images`, 'at least one image', images.shape);
  const numbers = await readTensor(images);
  const job = planImages(caller, shape, numbers, await conditionData(condition));
  return { ...job, shape, batchSize };
}

/** Yields the model's outputs for each batch of images, and the index of the batch's first image. */
export function* batches({ shape, data, numImages, imageShape, conditions, batchSize }: BatchJob) {
  const ofImage = valuesOf(imageShape);
  for (let start = 0; start < numImages; start += batchSize) {
    const outputs = tf.tidy(() => {
      const size = Math.min(batchSize, numImages - start);
      const levels = Int32Array.from(data.subarray(start * ofImage, (start + size) * ofImage));
      const part = tf.tensor4d(levels, [size, ...imageShape], 'int32'); // [size,H,W,C]
      const given = conditionTensors(conditions, start, size);
      return outputsOf(shape.model, normalize(part, shape.levels), given); // [size,H,W,C,L] or [size,H,W,P]
    });
    yield { start, outputs };
  }
}

/** Reads the numbers of a tensor and disposes of it. */
export async function readAndDispose(tensor: tf.Tensor): Promise<Float32Array> {
  try {
    return (await tensor.data()) as Float32Array;
  } finally {
    tensor.dispose();
  }
}
