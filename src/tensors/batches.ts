import { slice, type Tensor, type Tensor4D, tidy } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkInteger, throwTypeError } from '../core/check';
import { type ConditionValues, readConditions } from '../core/conditions';
import { checkLevels, type ImageShape, resolveImageShape } from '../core/images';
import { type Condition, checkImageTensor, conditionData, conditionTensors } from '../models/conditions';
import { type ImageModelShape, imageModelShape } from '../models/image-model';
import { normalize } from '../models/normalize';
import { outputsOf } from './forward';

/** Images to pass through a model, with what the checks found. */
export interface BatchJob {
  readonly model: LayersModel;
  readonly shape: ImageModelShape;
  /** Levels, [N,H,W,C]. */
  readonly images: Tensor4D;
  /** The same as numbers. */
  readonly levels: Int32Array;
  readonly numImages: number;
  readonly imageShape: ImageShape;
  readonly conditions: readonly ConditionValues[];
  readonly batchSize: number;
}

/** Options for passing images through a model. */
export interface BatchOptions {
  /** Images in each forward pass. @default 32 */
  batchSize?: number;
  /** The conditions of the images, for models that take any; several by name, `{ class, map }`. */
  condition?: Condition;
}

/** Checks all arguments; errors name `caller`. */
export async function planBatches(
  caller: string,
  model: LayersModel,
  images: Tensor,
  options: BatchOptions,
): Promise<BatchJob> {
  const shape = imageModelShape(`${caller}: model`, model);
  const batchSize = checkInteger(`${caller}: batchSize`, options.batchSize ?? 32, 1);
  const what = `${caller}: images`;
  checkImageTensor(what, images);
  const [numImages, ...size] = images.shape as [number, number, number, number];
  if (numImages === 0) throwTypeError(what, 'at least one image', images.shape);
  const imageShape = resolveImageShape(what, shape.imageShape, size);
  const given = await conditionData(options.condition);
  const conditions = readConditions(`${caller}: condition`, shape.conditions, given, numImages, imageShape);
  const data = await images.data();
  checkLevels(what, data, shape.levels);
  const levels = Int32Array.from(data);
  return { model, shape, images: images as Tensor4D, levels, numImages, imageShape, conditions, batchSize };
}

/** For each batch of images: the model's outputs, [size,H,W,C,L] or [size,H,W,P], and the index of its first image. */
export function* batches({
  model,
  shape,
  images,
  numImages,
  conditions,
  batchSize,
}: BatchJob): Generator<{ start: number; outputs: Tensor }> {
  for (let start = 0; start < numImages; start += batchSize) {
    const outputs = tidy(() => {
      const size = Math.min(batchSize, numImages - start);
      const part = slice(images, [start, 0, 0, 0], [size, -1, -1, -1]); // [size,H,W,C]
      const given = conditionTensors(conditions, start, size);
      return outputsOf(model, normalize(part, shape.levels), given); // [size,H,W,C,L] or [size,H,W,P]
    });
    yield { start, outputs };
  }
}

/** Reads the numbers of a tensor and disposes of it. */
export async function dataOf(tensor: Tensor): Promise<Float32Array> {
  try {
    return (await tensor.data()) as Float32Array;
  } finally {
    tensor.dispose();
  }
}
