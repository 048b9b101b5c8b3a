import { checkBytes, sizeFromShape, throwTypeError } from '../runtime/core/check';
import { checkImageSet, type ImageSet, type LabelledImageSet } from './image-set';

/** An array of an IDX file. */
export interface IdxArray {
  /** The elements, row-major. */
  readonly data: Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;
  /** One size for each dimension. */
  readonly shape: readonly number[];
}

/**
 * Reads the IDX format, used by MNIST and similar data sets (Fashion-MNIST, EMNIST, KMNIST).
 *
 * Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", "the IDX file format": two bytes
 * 0, one of the element type (0x08 uint8, 0x09 int8, 0x0B int16, 0x0C int32, 0x0D float32, 0x0E float64), one
 * of the rank, the sizes as uint32, then the elements; all of it big-endian.
 *
 * @param bytes the whole file; decompress it with {@link gunzip} first if needed
 * @returns the elements and the sizes; elements of one byte share the memory of `bytes`
 * @throws TypeError if the file is not an IDX file, or is shorter or longer than its sizes require.
 * @example
 * ```js
 * import { parseIdx } from 'pixelcnn-layers/data';
 * const { data, shape } = parseIdx(Uint8Array.of(0, 0, 0x0b, 1, 0, 0, 0, 2, 0x01, 0x00, 0xff, 0xff));
 * console.log(shape); // [2]
 * console.log(Array.from(data)); // [256, -1]
 * ```
 */
export const parseIdx = (bytes: Uint8Array): IdxArray => readIdx('parseIdx: bytes', bytes);

/**
 * Reads images of 256 levels from files like MNIST's `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`.
 *
 * @param images IDX bytes of uint8 [N,H,W]
 * @param labels IDX bytes of uint8 [N], the class of each image
 * @returns images [N,H,W,1], which share the memory of the bytes
 * @throws TypeError if a file is damaged (see {@link parseIdx}), or has another type or unexpected sizes.
 * @example
 * ```js
 * import { idxImages } from 'pixelcnn-layers/data';
 * const bytes = Uint8Array.of(0, 0, 0x08, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 255, 128, 0); // one image of 2 x 2
 * const images = idxImages(bytes, Uint8Array.of(0, 0, 0x08, 1, 0, 0, 0, 1, 7)); // of class 7
 * console.log(images.shape); // [1, 2, 2, 1]
 * ```
 */
export function idxImages(images: Uint8Array, labels: Uint8Array): LabelledImageSet<Uint8Array, Uint8Array>;
export function idxImages(images: Uint8Array, labels?: Uint8Array): ImageSet<Uint8Array>;
export function idxImages(images: Uint8Array, labels?: Uint8Array): ImageSet<Uint8Array> {
  const { data, shape } = readBytes('idxImages: images', images, 3);
  const [n = 0, h = 0, w = 0] = shape;
  const set = { data, shape: [n, h, w, 1] as const, levels: 256 };
  if (labels === undefined) return checkImageSet('idxImages', set);
  return checkImageSet('idxImages', { ...set, labels: readBytes('idxImages: labels', labels, 1).data });
}

/** Reads an IDX array of uint8 with the given rank. */
function readBytes(what: string, bytes: Uint8Array, rank: number) {
  const { data, shape } = readIdx(what, bytes);
  if (!(data instanceof Uint8Array)) throwTypeError(what, 'elements of type uint8', data);
  if (shape.length !== rank) throwTypeError(what, `${rank} dimensions`, shape);
  return { data, shape };
}

/** The array for the elements of each type. */
const types = {
  8: Uint8Array,
  9: Int8Array,
  11: Int16Array,
  12: Int32Array,
  13: Float32Array,
  14: Float64Array,
} as const;

function readIdx(what: string, bytes: Uint8Array): IdxArray {
  checkBytes(what, bytes);
  const [zero, alsoZero, type = 0, rank = 0] = bytes;
  if (zero !== 0 || alsoZero !== 0 || rank === 0) {
    const wanted = 'an IDX file, which begins with 0, 0 (gunzip a .gz first)';
    throwTypeError(what, wanted, Array.from(bytes.subarray(0, 4)));
  }
  const start = 4 + 4 * rank;
  if (bytes.length < start) throwTypeError(what, `a header of ${start} bytes`, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const Elements = types[type as keyof typeof types];
  if (Elements === undefined) throwTypeError(what, `an element type ${Object.keys(types)}`, type);

  const { BYTES_PER_ELEMENT: width } = Elements;
  const size = shape.includes(0) ? 0 : sizeFromShape(shape);
  const wanted = start + size * width; // checked before any array of that size is made
  if (bytes.length !== wanted) throwTypeError(what, `${wanted} bytes, for sizes [${shape}]`, bytes.length);
  if (width === 1)
    return { data: new (Elements as typeof Uint8Array)(bytes.buffer, bytes.byteOffset + start, size), shape };
  const data = new Elements(size);
  const get = `get${Elements.name.slice(0, -'Array'.length)}` as 'getInt16'; // which a DataView has for each type
  for (let i = 0; i < size; i++) data[i] = view[get](start + width * i);
  return { data, shape };
}
