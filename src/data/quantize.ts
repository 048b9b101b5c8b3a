import { checkInteger } from '../core/check';
import { checkImageSet, type ImageSet } from './image-set';

/**
 * Images of fewer levels: floor(value * levels / images.levels). With fewer levels a model learns from fewer
 * images, and its bits per dimension count the coarser image only.
 *
 * @param images of any levels
 * @param levels L of the result, from 2 to `images.levels`
 * @returns the same shape and labels, new data
 * @throws TypeError where `levels` is more than the images have, or the images are not as {@link imageSet}
 * checks them.
 * @example
 * ```js
 * import { imageSet, quantize } from 'pixelcnn-layers/data';
 * const images = imageSet({ data: Uint8Array.of(0, 127, 128, 255), shape: [1, 2, 2, 1], levels: 256 });
 * console.log(Array.from(quantize(images, 4).data)); // [0, 1, 2, 3]
 * ```
 */
export function quantize(images: ImageSet, levels: number): ImageSet {
  const checked = checkImageSet('quantize: images', images);
  checkInteger('quantize: levels', levels, 2, checked.levels);
  const table = quantized(checked.levels, levels);
  return { ...checked, data: checked.data.map((value) => table[value] as number), levels };
}

/** What each of `from` levels becomes among `to`. */
export function quantized(from: number, to: number): Uint8Array {
  return Uint8Array.from({ length: from }, (_, value) => Math.floor((value * to) / from));
}
