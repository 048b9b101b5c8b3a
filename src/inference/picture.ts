import { Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import type { Images } from '../runtime/core/images';
import * as portable from '../runtime/core/picture';

/**
 * Draws images on one sheet, as `picture` of `pixelcnn-layers/runtime`, which documents it.
 *
 * @param images levels [N,H,W,C], a tensor (which is not disposed) or an array with its shape
 * @param look what levels look like: the model that drew them, a set of images, or `{ levels, palette }`
 * @returns for `new ImageData(data, width)`, or any encoder of PNGs; of a tensor a promise
 * @throws (rejects, for a tensor) as there
 * @example
 * ```js
 * import { picture, pixelCNN, sample } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const images = await sample(model, { numImages: 4, seed: 1 }); // int32 [4,4,4,1]
 * const { width, height } = await picture(images, model, { scale: 10, gap: 5 });
 * console.log(width, height); // 85 85
 * images.dispose();
 * ```
 */
export function picture(
  images: Images,
  look: portable.Look,
  options?: portable.PictureOptions,
): portable.Picture;
export function picture(
  images: Tensor4D,
  look: portable.Look,
  options?: portable.PictureOptions,
): Promise<portable.Picture>;
export function picture(
  images: Images | Tensor4D,
  look: portable.Look,
  options: portable.PictureOptions = {},
): portable.Picture | Promise<portable.Picture> {
  return images instanceof Tensor ? ofTensor(images, look, options) : portable.picture(images, look, options);
}

async function ofTensor(images: Tensor4D, look: portable.Look, options: portable.PictureOptions) {
  const data = (await images.data()) as Int32Array;
  return portable.picture({ data, shape: images.shape }, look, options);
}
