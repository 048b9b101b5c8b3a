import { checkArgs, checkInteger, checkLevel, type NamesOf, throwTypeError } from '../core/check';

/**
 * Images as bytes, one a channel of a pixel: the form that the parsers give and {@link imageBatches} takes.
 */
export interface ImageSet {
  /** Levels 0..L-1 of all images one after the other, each row by row, [N,H,W,C]. */
  readonly data: Uint8Array;
  /** [N,H,W,C], each at least 1 */
  readonly shape: readonly [number, number, number, number];
  /** L, 2 to 256 */
  readonly levels: number;
  /** The class of each image, [N]. */
  readonly labels?: Uint8Array;
}

const fieldNames: NamesOf<ImageSet> = { data: true, shape: true, levels: true, labels: true };

/**
 * A set of images from bytes of your own, checked; they are not copied.
 *
 * @param args the data, its shape and levels, and labels where there are any
 * @returns the same arrays
 * @throws TypeError naming what does not fit: sizes, levels beyond 2 to 256, a value that is not one of the
 * levels.
 * @example
 * ```js
 * import { imageSet } from 'pixelcnn-layers/data';
 * const images = imageSet({ data: Uint8Array.of(0, 1, 1, 0, 0, 0, 1, 1), shape: [2, 2, 2, 1], levels: 2 });
 * console.log(images.shape); // [2, 2, 2, 1]
 * ```
 */
export function imageSet(args: ImageSet): ImageSet {
  return checkImageSet('imageSet', args);
}

/** Checks an image set, named `what` in errors. */
export function checkImageSet(what: string, images: ImageSet): ImageSet {
  const { data, shape, levels, labels } = checkArgs(what, images, fieldNames);
  if (!Array.isArray(shape) || shape.length !== 4)
    throwTypeError(`${what}: shape`, 'four sizes [N,H,W,C]', shape);
  for (const size of shape) checkInteger(`${what}: shape`, size, 1);
  checkInteger(`${what}: levels`, levels, 2, 256);

  const size = shape.reduce((product, length) => product * length, 1);
  checkBytes(`${what}: data`, data);
  if (data.length !== size)
    throwTypeError(`${what}: data`, `${size} bytes, for shape [${shape}]`, data.length);
  if (levels < 256) for (const value of data) checkLevel(`${what}: data`, value, levels);
  const [n, h, w, c] = shape;
  if (labels === undefined) return { data, shape: [n, h, w, c], levels };

  checkBytes(`${what}: labels`, labels);
  if (labels.length !== n) throwTypeError(`${what}: labels`, `${n} bytes, one an image`, labels.length);
  return { data, shape: [n, h, w, c], levels, labels };
}

export function checkBytes(what: string, bytes: unknown): asserts bytes is Uint8Array {
  if (!(bytes instanceof Uint8Array)) throwTypeError(what, 'a Uint8Array', bytes);
}

/**
 * The images start..end-1 of a set, with their labels: views of the same memory, not copies.
 *
 * @param start 0 to N-1
 * @param end start+1 to N; N by default
 * @throws TypeError where no image, or one beyond the set, is asked for.
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
export function sliceImages(images: ImageSet, start: number, end?: number): ImageSet {
  const { data, shape, levels, labels } = checkArgs('sliceImages: images', images, fieldNames);
  const [n, h, w, c] = shape;
  const stop = end ?? n;
  checkInteger('sliceImages: start', start, 0, n - 1);
  checkInteger('sliceImages: end', stop, start + 1, n);
  const size = h * w * c;
  return {
    data: data.subarray(start * size, stop * size),
    shape: [stop - start, h, w, c],
    levels,
    ...(labels && { labels: labels.subarray(start, stop) }),
  };
}
