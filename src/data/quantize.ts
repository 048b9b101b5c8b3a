import { checkInteger } from '../runtime/core/check';
import { levelsArray } from '../runtime/core/images';
import { checkImageSet, type ImageSet } from './image-set';

/**
 * Reduces images to fewer levels: floor(value * levels / images.levels). With fewer levels a model
 * needs fewer images to learn, but its bits per dimension refer to the coarser images. For
 * intensities only, since it would merge categories with adjacent numbers.
 *
 * @param levels L of the result, from 2 to `images.levels`
 * @returns a set with new data, bytes for up to 256 levels, and unchanged shape and labels
 * @throws TypeError if `levels` is more than the images have, or the images fail the checks of {@link imageSet}.
 * @example
 * ```js
 * import { imageSet, quantize } from 'pixelcnn-layers/data';
 * const images = imageSet({ data: Uint8Array.of(0, 127, 128, 255), shape: [1, 2, 2, 1], levels: 256 });
 * console.log(Array.from(quantize(images, 4).data)); // [0, 1, 2, 3]
 * ```
 */
export function quantize<Levels extends Uint8Array | Uint16Array>(
  images: ImageSet<Levels>,
  levels: number,
): ImageSet<Levels | Uint8Array> {
  const { data: fine, ...rest } = checkImageSet('quantize: images', images);
  checkInteger('quantize: levels', levels, 2, rest.levels);
  const table = quantized(rest.levels, levels);
  const data = levelsArray(fine.length, levels) as Levels | Uint8Array; // never wider than `fine`
  for (let i = 0; i < fine.length; i++) data[i] = table[fine[i] as number] as number;
  return { ...rest, data, levels };
}

/** The new level, of `to`, for each of `from` levels. */
export function quantized(from: number, to: number): ArrayLike<number> {
  const table = levelsArray(from, to);
  for (let level = 0; level < from; level++) table[level] = Math.floor((level * to) / from);
  return table;
}
