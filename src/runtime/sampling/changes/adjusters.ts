import { checked, type Given, readArguments } from '../../core/arguments';
import { checkOneOf, sizeFromShape, throwTypeError } from '../../core/check';
import type { NumericArray } from '../../core/conditions';
import { type ImageShape, indexOfPlace } from '../../core/images';
import type { Adjust } from './adjust';

/** An {@link Adjust} that a pool can send to its workers. */
export interface Adjuster extends Adjust {
  /** The data that describe it. @internal */
  readonly data: AdjusterData;
  /** Checks that it fits a model's images. @internal */
  readonly checkFits: (what: string, imageShape: ImageShape, levels: number) => void;
}

/** The data that describe an {@link Adjuster}. */
export type AdjusterData =
  | { readonly kind: 'allowed'; readonly levels: NumericArray }
  | { readonly kind: 'allowedNeighbors'; readonly pairs: AllowedNeighborsArgs };

/** Makes an adjuster from its data. */
export const adjusterOf = (data: AdjusterData): Adjuster =>
  data.kind === 'allowed' ? allowed(data.levels) : allowedNeighbors(data.pairs);

/** Flags 0 and 1, in nested arrays or with their shape. */
type Flags = NumericArray | NestedArrays;
type NestedArrays = readonly number[] | readonly NestedArrays[];

/**
 * Makes an adjuster that allows only certain levels, at all places or place by place, for {@link SampleOptions.adjust}.
 *
 * @param levels 1 if a level is allowed, else 0: [L] for all places, or [H,W,C,L]; nested arrays or { data, shape }
 * @throws TypeError if `levels` has another shape, or numbers other than 0 and 1
 * @example
 * ```js
 * import { pixelCNN, toPortable } from 'pixelcnn-layers';
 * import { allowed, sample } from 'pixelcnn-layers/runtime';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 3, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const adjust = allowed([1, 0, 1]); // no 1 anywhere
 * const { data } = await sample(await toPortable(model), { numImages: 9, adjust });
 * console.log(data.includes(1)); // false
 * ```
 */
export function allowed(levels: Flags): Adjuster {
  const flags = checkFlags('allowed: levels', levels, [1, 4], '[L] or [H,W,C,L]');
  const { shape } = flags;
  const numLevels = shape.at(-1) as number;
  const adjust: Adjust = (logProbs, place, _, imageShape) => {
    const from = shape.length === 1 ? 0 : indexOfPlace(place, imageShape) * numLevels;
    for (let n = 0; n < logProbs.length; n += numLevels) {
      forbid(logProbs.subarray(n, n + numLevels), flags, from);
    }
  };
  return Object.assign(adjust, {
    data: { kind: 'allowed', levels: flags } as const,
    checkFits(what: string, imageShape: ImageShape, levels: number) {
      const wanted = [[levels], [...imageShape, levels]].map(String);
      if (!wanted.includes(String(shape)))
        throwTypeError(`${what}: allowed`, `shape [${wanted.join('] or [')}]`, shape);
    },
  });
}

/** An argument [L,L]: 1 for each pair of levels that may be adjacent, else 0. */
const pairs = () =>
  checked<NumericArray, Flags>((what, given) => {
    const flags = checkFlags(what, given, [2], '[L,L]');
    if (flags.shape[0] !== flags.shape[1]) throwTypeError(what, 'shape [L,L]', flags.shape);
    return flags;
  });

const neighborsArguments = {
  /** right[a][b] is 1 if level b may be to the right of level a, else 0: nested arrays or { data, shape }, [L,L]. */
  right: pairs(),
  /** below[a][b] is 1 if level b may be below level a, else 0: as `right`. */
  below: pairs(),
};

/** Arguments of {@link allowedNeighbors}. */
export interface AllowedNeighborsArgs extends Given<typeof neighborsArguments> {}

/**
 * Makes an adjuster that allows only certain pairs of neighbors, such as tiles that fit together,
 * in images of one channel, for {@link SampleOptions.adjust}.
 *
 * @throws TypeError if an argument has another shape, or numbers other than 0 and 1
 * @example
 * ```js
 * import { pixelCNN, toPortable } from 'pixelcnn-layers';
 * import { allowedNeighbors, sample } from 'pixelcnn-layers/runtime';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 2, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const others = [[0, 1], [1, 0]]; // 1 beside 0, and 0 beside 1
 * const { data } = await sample(await toPortable(model), { adjust: allowedNeighbors({ right: others, below: others }), seed: 1 });
 * console.log(data[0] !== data[1], data[0] === data[5]); // true true: a chessboard
 * ```
 */
export function allowedNeighbors(args: AllowedNeighborsArgs): Adjuster {
  const pairs = readArguments('allowedNeighbors', args, neighborsArguments);
  const { right, below } = pairs;
  const levels = right.shape[0] as number;
  const adjust: Adjust = (logProbs, [row, column], levelsSoFar, [height, width]) => {
    for (let n = 0; n < logProbs.length / levels; n++) {
      const at = (n * height + row) * width + column;
      const ofImage = logProbs.subarray(n * levels, (n + 1) * levels);
      if (column > 0) forbid(ofImage, right, (levelsSoFar[at - 1] as number) * levels);
      if (row > 0) forbid(ofImage, below, (levelsSoFar[at - width] as number) * levels);
    }
  };
  return Object.assign(adjust, {
    data: { kind: 'allowedNeighbors', pairs } as const,
    checkFits(what: string, imageShape: ImageShape, levels: number) {
      const name = `${what}: allowedNeighbors`;
      if (imageShape[2] !== 1) throwTypeError(name, 'images of one channel', imageShape);
      for (const [side, { shape }] of Object.entries(pairs))
        if (shape[0] !== levels) throwTypeError(`${name}: ${side}`, `shape [${levels},${levels}]`, shape);
    },
  });
}

/** Forbids the levels of an image whose flags, read from index `from` on, are 0. */
function forbid(logProbs: Float64Array, { data: flags }: NumericArray, from: number): void {
  for (let level = 0; level < logProbs.length; level++) {
    if (flags[from + level] === 0) logProbs[level] = -Infinity;
  }
}

/** Checks that flags are 0 or 1, and their number of dimensions. */
function checkFlags(what: string, given: unknown, ranks: readonly number[], wanted: string): NumericArray {
  const flags = Array.isArray(given) ? flattened(what, given) : given;
  const { data, shape } = (flags ?? {}) as Partial<NumericArray>;
  if (!Array.isArray(shape) || !ranks.includes(shape.length))
    throwTypeError(what, `0 and 1 as nested arrays or { data, shape }, ${wanted}`, shape ?? flags);
  const size = sizeFromShape(shape);
  if (typeof data !== 'object') throwTypeError(`${what}: data`, `${size} numbers`, flags); // such as a tensor
  if (data?.length !== size) throwTypeError(`${what}: data`, `${size} numbers`, data?.length);
  for (let i = 0; i < size; i++) checkOneOf(what, data[i] as number, [0, 1]);
  return { data, shape };
}

/** Nested arrays as numbers with a shape, which has at most 5 axes: more than any flags have. */
function flattened(what: string, nested: readonly unknown[]): { data: unknown[]; shape: number[] } {
  let data: unknown[] = [nested];
  const shape: number[] = [];
  while (Array.isArray(data[0]) && shape.length < 5) {
    const { length } = data[0];
    if (!data.every((row) => Array.isArray(row) && row.length === length))
      throwTypeError(what, 'nested arrays of equal lengths', nested);
    shape.push(length);
    data = data.flat();
  }
  return { data, shape };
}
