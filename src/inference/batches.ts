import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { throwTypeError } from '../core/check';
import { type GivenImages, planImages } from '../likelihood/walk';
import {
  type Condition,
  checkImageTensor,
  conditionData,
  conditionTensors,
  readTensor,
} from '../models/conditions';
import { type ImageModelShape, imageModelShape } from '../models/image-model';
import { normalize } from '../models/normalize';

/** Images to pass through a model, as a tensor and as numbers. */
export interface BatchJob extends GivenImages {
  readonly model: LayersModel;
  readonly shape: ImageModelShape;
  /** Levels, [N,H,W,C]. */
  readonly images: tf.Tensor4D;
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
  model: LayersModel,
  images: tf.Tensor,
  { condition, batchSize }: { condition: Condition | undefined; batchSize: number },
): Promise<BatchJob> {
  const shape = imageModelShape(`${caller}: model`, model);
  checkImageTensor(`${caller}: images`, images);
  if (images.shape[0] === 0) throwTypeError(`${caller}: images`, 'at least one image', images.shape);
  const numbers = await readTensor(images);
  const job = planImages(caller, shape, numbers, await conditionData(condition));
  return { ...job, model, shape, images: images as tf.Tensor4D, batchSize };
}

/** Yields the model's outputs for each batch of images, and the index of the batch's first image. */
export function* batches({ model, shape, images, numImages, conditions, batchSize }: BatchJob) {
  for (let start = 0; start < numImages; start += batchSize) {
    const outputs = tf.tidy(() => {
      const size = Math.min(batchSize, numImages - start);
      const part = tf.slice(images, [start, 0, 0, 0], [size, -1, -1, -1]); // [size,H,W,C]
      const given = conditionTensors(conditions, start, size);
      return outputsOf(model, normalize(part, shape.levels), given); // [size,H,W,C,L] or [size,H,W,P]
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
