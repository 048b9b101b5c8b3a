import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { compressArguments, encodeImages, packed, planCompress } from '../codec/compress';
import { decodeImages, decompressArguments, planDecompress } from '../codec/decompress';
import { type Given, readArguments } from '../core/arguments';
import { type Condition, checkImageTensor, conditionData, readTensor } from '../models/conditions';
import { imageModelShape } from '../models/image-model';
import { readProgram, traceOrThrow } from '../portable/trace';

const compressOptions = compressArguments<Condition>();

/** Options of {@link compress}. */
export interface CompressOptions extends Given<typeof compressOptions> {}

const decompressOptions = decompressArguments<Condition>();

/** Options of {@link decompress}. */
export interface DecompressOptions extends Given<typeof decompressOptions> {}

/**
 * Compresses images losslessly, to exactly the bytes of `compress` of `pixelcnn-layers/runtime`,
 * which documents their size.
 *
 * @param model any model that can be evaluated pixel by pixel, of at most 65,536 levels
 * @param images levels 0..L-1, [N,H,W,C], int32 or float32; not normalized
 * @returns the bytes of a file, which {@link decompress} reads on any machine
 * @throws (rejects) as `compress` of `pixelcnn-layers/runtime`; TypeError naming a layer that cannot be
 * evaluated pixel by pixel
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { compress, decompress, pixelCNN } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const images = tf.randomUniform([2, 4, 4, 1], 0, 8, 'int32');
 * const bytes = await compress(model, images);
 * const same = await decompress(model, bytes); // int32 [2, 4, 4, 1]
 * console.log((await tf.all(tf.equal(images, same)).data())[0]); // 1
 * ```
 */
export async function compress(
  model: LayersModel,
  images: tf.Tensor,
  options: CompressOptions = {},
): Promise<Uint8Array> {
  const values = readArguments('compress', options, compressOptions);
  const condition = await conditionData(values.condition);
  checkImageTensor('compress: images', images);
  const { program, distribution } = await coderOf('compress', model);
  const job = planCompress(program, await readTensor(images), { ...values, condition });
  return packed(program, job, await encodeImages(program, job, distribution));
}

/**
 * Restores all or some images of a file that {@link compress} wrote.
 *
 * @param model the model that they were compressed with, in the same precision
 * @param bytes the whole file
 * @returns levels, int32 [N,H,W,C], which the caller disposes
 * @throws (rejects) as `decompress` of `pixelcnn-layers/runtime`; TypeError naming a layer that
 * cannot be evaluated pixel by pixel
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { compress, decompress, pixelCNN } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const bytes = await compress(model, tf.zeros([3, 4, 4, 1], 'int32'));
 * console.log((await decompress(model, bytes, { firstImage: 2 })).shape); // [1, 4, 4, 1]
 * ```
 */
export async function decompress(
  model: LayersModel,
  bytes: Uint8Array,
  options: DecompressOptions = {},
): Promise<tf.Tensor4D> {
  const values = readArguments('decompress', options, decompressOptions);
  const condition = await conditionData(values.condition);
  const { program, distribution } = await coderOf('decompress', model);
  const job = planDecompress(program, bytes, { ...values, condition });
  const images = await decodeImages(program, job, distribution);
  return tf.tensor4d(Int32Array.from(images.data), [...images.shape], 'int32');
}

/** The program and the distribution that encode the images of a model. */
async function coderOf(caller: string, model: LayersModel) {
  const shape = imageModelShape(`${caller}: model`, model);
  const program = await readProgram(traceOrThrow(caller, model, shape), shape);
  return { program, distribution: shape.distribution };
}
