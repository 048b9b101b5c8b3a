import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import {
  type Condition,
  checkImageTensor,
  conditionData,
  conditionTensors,
  readTensor,
} from '../models/conditions';
import type { ImageModelShape } from '../models/image-model';
import { normalize } from '../models/normalize';
import { throwTypeError } from '../runtime/core/check';
import { valuesOf } from '../runtime/core/images';
import type { ModelShape } from '../runtime/core/model-shape';
import { pauses } from '../runtime/core/pauses';
import { reportProgress } from '../runtime/core/progress';
import { isSoftmax, outputStride } from '../runtime/distributions/pixel-distribution';
import { logProbsFor, readOutputs } from '../runtime/distributions/readers';
import type { KnownImages, ReadOutputs, WalkHooks } from '../runtime/sampling/image-model';
import { planImages } from '../runtime/sampling/walk';

/** A model of tfjs with its shape. */
export interface ShapedModel extends ImageModelShape {
  readonly model: LayersModel;
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

/** Reads tensors of images and conditions, and checks them. Errors name `caller`. */
export async function readImages(
  caller: string,
  model: ModelShape,
  images: tf.Tensor,
  condition: Condition | undefined,
): Promise<KnownImages> {
  checkImageTensor(`${caller}: images`, images);
  if (images.shape[0] === 0) throwTypeError(`${caller}: images`, 'at least one image', images.shape);
  const numbers = await readTensor(images);
  return planImages(caller, model, numbers, await conditionData(condition));
}

/** Images to pass through a model, so many at a time. */
type Batched = KnownImages & { readonly batchSize: number };

/** Yields the model's outputs for each batch of images, and the index of the batch's first image. */
export function* batches(
  { model, levels }: ShapedModel,
  { data, numImages, imageShape, conditions, batchSize }: Batched,
) {
  const ofImage = valuesOf(imageShape);
  for (let start = 0; start < numImages; start += batchSize) {
    const outputs = tf.tidy(() => {
      const size = Math.min(batchSize, numImages - start);
      const ofBatch = Int32Array.from(data.subarray(start * ofImage, (start + size) * ofImage));
      const part = tf.tensor4d(ofBatch, [size, ...imageShape], 'int32'); // [size,H,W,C]
      const given = conditionTensors(conditions, start, size);
      return outputsOf(model, normalize(part, levels), given); // [size,H,W,C,L] or [size,H,W,P]
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

/** How many rows of outputs are read together. */
const ROWS = 256;

/**
 * Passes images through a model, and calls `read` with groups of up to {@link ROWS} rows of its outputs, see
 * `OrderedModel`. A softmax has a row for each value, other distributions one for each pixel.
 */
export async function eachRow(
  caller: string,
  shaped: ShapedModel,
  images: Batched & WalkHooks,
  read: ReadOutputs,
): Promise<void> {
  const { distribution } = shaped;
  const { signal, onProgress } = images;
  const { imageChannels, levels, numParameters } = distribution;
  const ofImage = valuesOf(images.imageShape);
  const total = images.numImages * ofImage;
  const [size, step] = isSoftmax(distribution) ? [levels, 1] : [numParameters, imageChannels];
  const stride = outputStride(distribution);
  const reader = logProbsFor(distribution, ROWS);
  const outputs = new Float32Array(ROWS * stride);
  const ofPixels = new Int32Array(ROWS * imageChannels);
  const pause = pauses();
  for (const { start, outputs: all } of batches(shaped, images)) {
    const numbers = await readAndDispose(all); // [size,H,W,C,L] or [size,H,W,P]
    await pause(); // reading alone lets no timer and no event come in between
    signal?.throwIfAborted();
    const rows = numbers.length / size;
    for (let first = 0; first < rows; first += ROWS) {
      const count = Math.min(ROWS, rows - first);
      for (let row = 0; row < count; row++) {
        outputs.set(numbers.subarray((first + row) * size, (first + row + 1) * size), row * stride);
      }
      const ofRows = outputs.subarray(0, count * stride);
      const firstValue = start * ofImage + first * step;
      ofPixels.set(images.data.subarray(firstValue, firstValue + count * step));
      for (let channel = 0; channel < step; channel++) {
        const values = Int32Array.from({ length: count }, (_, row) => firstValue + row * step + channel);
        readOutputs(caller, distribution, () =>
          read(reader, { outputs: ofRows, channel, levels: ofPixels }, values),
        );
      }
    }
    if (onProgress) await reportProgress(onProgress, { done: start * ofImage + rows * step, total }, signal);
  }
}
