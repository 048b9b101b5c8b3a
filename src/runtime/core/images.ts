import { checkInteger, checkLevel, checkMemory, sizeFromShape, throwTypeError } from './check';

/** Images as numbers: levels, row-major. */
export interface Images {
  /** Levels 0..L-1, [N*H*W*C]. */
  readonly data: Int32Array | Uint8Array | Uint16Array;
  /** [N, H, W, C] */
  readonly shape: readonly [images: number, height: number, width: number, channels: number];
}

/** Images that a function returns: their shape may be changed, as functions of tfjs want it. */
export interface OwnImages extends Images {
  /** [N, H, W, C] */
  readonly shape: [images: number, height: number, width: number, channels: number];
}

/** A place in an image. */
export type Place = [row: number, column: number, channel: number];

export type ImageShape = readonly [height: number, width: number, channels: number];

/** The most rows, columns or channels of an image in a file, or of an enlarged map. Whole rows are kept in memory. */
export const MAX_LENGTH = 2 ** 14;

export const valuesOf: (shape: ImageShape) => number = sizeFromShape;

/** The place of a value, in the order rows, columns, channels. */
export const placeOf = (index: number, [, width, channels]: ImageShape): Place => [
  Math.floor(index / (width * channels)),
  Math.floor(index / channels) % width,
  index % channels,
];

export const indexOfPlace = ([row, column, channel]: Readonly<Place>, [, width, channels]: ImageShape) =>
  (row * width + column) * channels + channel;

/** A level as models take it, in [0, 1]; not rounded to float32. */
export const normalizedLevel = (level: number, levels: number): number => level / (levels - 1);

/** The position of each place of a map, ((row - H/2)/H, (column - W/2)/W), [H*W*2]. */
export function positions(height: number, width: number): Float32Array {
  const all = new Float32Array(height * width * 2);
  for (let pixel = 0; pixel < height * width; pixel++) {
    all[2 * pixel] = (Math.floor(pixel / width) - height / 2) / height;
    all[2 * pixel + 1] = ((pixel % width) - width / 2) / width;
  }
  return all;
}

/** The image shape to use: the model's, or if the model takes any size the caller's, whose option is `what`. */
export function resolveImageShape(
  what: string,
  [h, w, c]: readonly [number | null, number | null, number],
  given: readonly number[] | undefined,
): [number, number, number] {
  const shape = given ?? [h, w, c];
  const fits =
    shape.length === 3 && [h, w, c].every((length, axis) => (length ?? shape[axis]) === shape[axis]);
  if (!fits) throwTypeError(what, `[${h ?? 'H'}, ${w ?? 'W'}, ${c}]`, given);
  const [height, width] = [shape[0], shape[1]]; // a list of any kind
  if (height === null || width === null)
    throwTypeError(what, `[H, W, ${c}], since the model takes images of any size`, given);
  const resolved: [number, number, number] = [checkInteger(what, height, 1), checkInteger(what, width, 1), c];
  if (given !== undefined) checkMemory(what, resolved);
  return resolved;
}

/** The smallest array that holds levels. */
export function levelsArray(length: number, levels: number): Images['data'] {
  if (levels <= 256) return new Uint8Array(length);
  return levels <= 65536 ? new Uint16Array(length) : new Int32Array(length);
}

/** Runs `make`; if it runs out of memory, the error suggests what to do. */
export function memoryFor<T>(caller: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new RangeError(`${caller}: ${cause.message}; use fewer images at a time`, { cause });
  }
}

/** Images of level 0, for a caller to fill. */
export function blankImages(caller: string, count: number, shape: ImageShape, levels: number): OwnImages {
  const data = memoryFor(caller, () => levelsArray(count * valuesOf(shape), levels));
  return { data, shape: [count, ...shape] };
}

/** Checks that something has the form of images [N,H,W,C]; its numbers are checked elsewhere. */
export function checkImages(what: string, images: unknown): { data: ArrayLike<number>; shape: number[] } {
  const { data, shape } = (images ?? {}) as { data?: ArrayLike<number>; shape?: number[] };
  if (typeof data === 'function') throwTypeError(what, 'images of levels { data, shape }', images); // such as a tensor
  if (!Array.isArray(shape) || shape.length !== 4)
    throwTypeError(what, 'images of levels [N,H,W,C]', shape ?? images);
  const size = shape.reduce((product, length) => product * checkInteger(`${what}: shape`, length, 1), 1);
  if (data?.length !== size) throwTypeError(`${what}: data`, `${size} levels`, data?.length ?? data);
  return { data: data as ArrayLike<number>, shape };
}

/** Checks that all numbers are levels. */
export function checkLevels(what: string, data: ArrayLike<number>, levels: number): void {
  for (let i = 0; i < data.length; i++) checkLevel(what, data[i] as number, levels, ', not normalized');
}
