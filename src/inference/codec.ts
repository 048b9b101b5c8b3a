import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type Condition, checkImageTensor, conditionData, readTensor } from '../models/conditions';
import * as compressing from '../runtime/codec/compress';
import * as decompressing from '../runtime/codec/decompress';
import { checkCoded } from '../runtime/codec/format';
import { type Given, readArguments } from '../runtime/core/arguments';
import type { NumericArray } from '../runtime/core/conditions';
import type { Images } from '../runtime/core/images';
import { isPortable, type PortableModel } from '../runtime/program/program';
import { tensorImageModel } from './tensor-model';

const compressOptions = compressing.compressArguments<Condition>();

/** Options of {@link compress}. */
export interface CompressOptions extends Given<typeof compressOptions> {}

const decompressOptions = decompressing.decompressArguments<Condition>();

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
  options?: CompressOptions,
): Promise<Uint8Array>;
/** With a portable model, compresses arrays, as `compress` of `pixelcnn-layers/runtime`. */
export async function compress(
  model: PortableModel,
  images: NumericArray,
  options?: compressing.CompressOptions,
): Promise<Uint8Array>;
export async function compress(
  model: LayersModel | PortableModel,
  images: tf.Tensor | NumericArray,
  options: CompressOptions | compressing.CompressOptions = {},
): Promise<Uint8Array> {
  if (isPortable(model))
    return compressing.compress(model, images as NumericArray, options as compressing.CompressOptions);
  const values = readArguments('compress', options, compressOptions);
  const condition = await conditionData(values.condition);
  checkImageTensor('compress: images', images);
  const coder = await coderOf('compress', model);
  const job = compressing.planCompress(coder, await readTensor(images as tf.Tensor), {
    ...values,
    condition,
  });
  return compressing.packed(coder, job, await compressing.encodeImages(coder, job));
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
  options?: DecompressOptions,
): Promise<tf.Tensor4D>;
/** With a portable model, restores arrays, as `decompress` of `pixelcnn-layers/runtime`. */
export async function decompress(
  model: PortableModel,
  bytes: Uint8Array,
  options?: decompressing.DecompressOptions,
): Promise<Images>;
export async function decompress(
  model: LayersModel | PortableModel,
  bytes: Uint8Array,
  options: DecompressOptions | decompressing.DecompressOptions = {},
): Promise<tf.Tensor4D | Images> {
  if (isPortable(model))
    return decompressing.decompress(model, bytes, options as decompressing.DecompressOptions);
  const values = readArguments('decompress', options, decompressOptions);
  const condition = await conditionData(values.condition);
  const coder = await coderOf('decompress', model);
  const job = decompressing.planDecompress(coder, bytes, { ...values, condition });
  const images = await decompressing.decodeImages(coder, job);
  return tf.tensor4d(Int32Array.from(images.data), [...images.shape], 'int32');
}

/** A model of tfjs in the engine, which codes its images. */
async function coderOf(caller: string, model: LayersModel) {
  const what = `${caller}: model`;
  return checkCoded(what, await tensorImageModel(what, model).inOrder(what).inEngine(caller));
}
