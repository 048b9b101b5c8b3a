import { anything, integer, optional, readArguments } from '../runtime/core/arguments';
import { checkInteger, sizeFromShape, throwTypeError } from '../runtime/core/check';
import { checkLevels, levelsArray } from '../runtime/core/images';

/**
 * Images as levels: intensities, or categories such as the codes of a VQ-VAE, tiles, or indices into a palette.
 */
export interface ImageSet<Levels extends Numbers = Numbers> {
  /** Levels 0..L-1 of all images, row-major [N,H,W,C]: bytes for up to 256 levels, 16-bit integers for more. */
  readonly data: Levels;
  /** [N,H,W,C], each at least 1 */
  readonly shape: [number, number, number, number];
  /** L, 2 to 65,536 */
  readonly levels: number;
  /** The class of each image, [N]: bytes, or 16-bit integers for more than 256 classes. */
  readonly labels?: Numbers;
}

/** A set of images with classes. */
export interface LabelledImageSet<Levels extends Numbers = Numbers, Labels extends Numbers = Numbers>
  extends ImageSet<Levels> {
  readonly labels: Labels;
}

type Numbers = Uint8Array | Uint16Array;

/** What a set is made of. */
export type ImageSetArgs<Levels extends Numbers = Numbers> = Omit<ImageSet<Levels>, 'shape'> & {
  readonly shape: Readonly<ImageSet['shape']>;
};

const fields = {
  data: anything<Numbers>(),
  shape: anything<ImageSetArgs['shape']>(),
  levels: integer({ from: 2, to: 2 ** 16 }), // as many as 16 bits can represent
  labels: optional(anything<Numbers>()),
};

/**
 * Makes a set of images from your own levels, which are checked, but not copied.
 *
 * @throws TypeError naming the part that is not as {@link ImageSet} specifies.
 * @example
 * ```js
 * import { imageSet } from 'pixelcnn-layers/data';
 * const images = imageSet({ data: Uint8Array.of(0, 1, 1, 0, 0, 0, 1, 1), shape: [2, 2, 2, 1], levels: 2 });
 * console.log(images.shape); // [2, 2, 2, 1]
 * const codes = imageSet({ data: Uint16Array.of(0, 511, 300, 7), shape: [1, 2, 2, 1], levels: 512 });
 * console.log(codes.levels); // 512
 * ```
 */
export function imageSet<Levels extends Numbers, Labels extends Numbers>(
  args: ImageSetArgs<Levels> & { readonly labels: Labels },
): LabelledImageSet<Levels, Labels>;
export function imageSet<Levels extends Numbers>(args: ImageSetArgs<Levels>): ImageSet<Levels>;
export function imageSet<Levels extends Numbers>(args: ImageSetArgs<Levels>): ImageSet<Levels> {
  return checkImageSet('imageSet', args);
}

export function checkImageSet<Levels extends Numbers>(
  what: string,
  images: ImageSetArgs<Levels>,
): ImageSet<Levels> {
  const { data, shape, levels, labels } = readArguments(what, images, fields);
  if (!Array.isArray(shape) || shape.length !== 4)
    throwTypeError(`${what}: shape`, 'four sizes [N,H,W,C]', shape);
  for (const size of shape) checkInteger(`${what}: shape`, size, 1);

  const size = sizeFromShape(shape);
  const Fitting = levels <= 256 ? Uint8Array : Uint16Array;
  if (!(data instanceof Fitting))
    throwTypeError(`${what}: data`, `a ${Fitting.name}, for ${levels} levels`, data);
  if (data.length !== size)
    throwTypeError(`${what}: data`, `${size} levels, for shape [${shape}]`, data.length);
  if (levels < 256 ** data.BYTES_PER_ELEMENT) checkLevels(`${what}: data`, data, levels);
  const [n, h, w, c] = shape;
  const set: ImageSet<Levels> = { data: images.data, shape: [n, h, w, c], levels };
  if (labels === undefined) return set;

  if (!(labels instanceof Uint8Array || labels instanceof Uint16Array))
    throwTypeError(`${what}: labels`, 'a Uint8Array or a Uint16Array', labels);
  if (labels.length !== n) throwTypeError(`${what}: labels`, `${n} classes`, labels.length);
  return { ...set, labels };
}

/**
 * Returns the images start..end-1 of a set, with their labels, as views and not copies.
 *
 * @param start 0 to N-1
 * @param end start+1 to N; N by default
 * @throws TypeError if the range is empty or exceeds the set.
 * @example
 * ```js
 * import { imageSet, sliceImages } from 'pixelcnn-layers/data';
 * const images = imageSet({ data: new Uint8Array(100 * 64), shape: [100, 8, 8, 1], levels: 17 });
 * const train = sliceImages(images, 0, 90);
 * const test = sliceImages(images, 90);
 * console.log(train.shape); // [90, 8, 8, 1]
 * console.log(test.shape); // [10, 8, 8, 1]
 * ```
 */
export function sliceImages<Images extends ImageSetArgs>(
  images: Images,
  start: number,
  end?: number,
): Images & ImageSet {
  const { data, shape, levels, labels } = readArguments('sliceImages: images', images, fields);
  const [n, h, w, c] = shape;
  const stop = end ?? n;
  checkInteger('sliceImages: start', start, 0, n - 1);
  checkInteger('sliceImages: end', stop, start + 1, n);
  const size = h * w * c;
  const part: ImageSet = {
    data: data.subarray(start * size, stop * size),
    shape: [stop - start, h, w, c],
    levels,
    ...(labels && { labels: labels.subarray(start, stop) }),
  };
  return part as Images & ImageSet;
}

/**
 * Reduces images to fewer levels: floor(value * levels / images.levels). A model then needs fewer images to learn, but
 * its bits per dimension are of coarser ones. For intensities only: it would merge categories with adjacent numbers.
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
export function quantize<Labels extends Numbers>(
  images: ImageSetArgs & { readonly labels: Labels },
  levels: number,
): LabelledImageSet<Numbers, Labels>;
export function quantize(images: ImageSetArgs, levels: number): ImageSet;
export function quantize(images: ImageSetArgs, levels: number): ImageSet {
  const { data: fine, ...rest } = checkImageSet('quantize: images', images);
  checkInteger('quantize: levels', levels, 2, rest.levels);
  const table = quantized(rest.levels, levels);
  const data = levelsArray(fine.length, levels) as Numbers; // never wider than `fine`
  for (let i = 0; i < fine.length; i++) data[i] = table[fine[i] as number] as number;
  return { ...rest, data, levels };
}

/** The new level, of `to`, for each of `from` levels. */
export function quantized(from: number, to: number): ArrayLike<number> {
  const table = levelsArray(from, to);
  for (let level = 0; level < from; level++) table[level] = Math.floor((level * to) / from);
  return table;
}
