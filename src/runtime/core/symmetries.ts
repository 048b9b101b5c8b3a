import { anything, checkDeclared, flag, type Given, trueIfGiven } from './arguments';
import { checkOneOf, throwTypeError } from './check';
import { type ConditionShape, type ConditionValues, isOfPlaces } from './conditions';
import type { ImageShape } from './images';

/**
 * A symmetry of images: rows or columns in reverse order, rows and columns exchanged, or level L - 1 - x instead of x.
 */
export type Symmetry = 'flipRows' | 'flipColumns' | 'transpose' | 'flipLevels';

/** The bits of an orientation: it transposes first, and then flips. */
const BITS = { flipRows: 1, flipColumns: 2, transpose: 4, flipLevels: 8 };

/**
 * The orientations that symmetries generate, a group of 2 to 16, each by its bits, in order: so the identity is the
 * first, and the four of both flips are the first four of the square's eight.
 */
export function orientationsOf(symmetries: readonly Symmetry[]): readonly number[] {
  let generated = symmetries.reduce((bits, one) => bits | BITS[one], 0);
  const flips = BITS.flipRows | BITS.flipColumns;
  if (generated & BITS.transpose && generated & flips) generated |= flips;
  const all = Array.from({ length: 16 }, (_, orientation) => orientation);
  return all.filter((orientation) => (orientation & ~generated) === 0);
}

/** Checks that images can be transposed, if they are. */
function checkSquare(what: string, isTransposed: boolean, [height, width]: readonly (number | null)[]): void {
  if (isTransposed && height !== width)
    throwTypeError(what, "square images, for 'transpose'", [height, width]);
}

/** How a model is symmetric: its images are drawn in all orientations of a group alike. */
export interface SymmetryShape {
  /** What generates the group. */
  readonly symmetries: readonly Symmetry[];
  /** Whether the model's class tells it the orientation: class * orientations + orientation. */
  readonly asCondition?: true;
}

export const symmetricOptions = () => ({
  /**
   * Whether the model's class tells it the orientation in which it sees an image: class * orientations + orientation.
   * @default false
   */
  asCondition: flag(false),
});

/** Options of `symmetric`. */
export interface SymmetricOptions extends Given<ReturnType<typeof symmetricOptions>> {}

/** The properties of a model that symmetries depend on. */
export interface Symmetrizable {
  readonly levels: number;
  readonly conditions: readonly ConditionShape[];
  readonly symmetry?: SymmetryShape;
}

/** Throws if a model has symmetries, for what needs one order of an image's values. */
export function refuseSymmetries(what: string, model: unknown): void {
  const { symmetry } = (model ?? {}) as Partial<Symmetrizable>;
  if (symmetry !== undefined) throwTypeError(what, 'a model without symmetries', symmetry.symmetries);
}

/** Checks a symmetry of a model without one. */
export function checkSymmetry(
  what: string,
  model: Symmetrizable & { readonly imageShape: readonly (number | null)[] },
  symmetries: unknown,
  asCondition: boolean,
): SymmetryShape {
  refuseSymmetries(`${what}: model`, model);
  const named = `${what}: symmetries`;
  if (!Array.isArray(symmetries) || symmetries.length === 0)
    throwTypeError(named, 'a list of symmetries', symmetries);
  const names = Object.keys(BITS) as Symmetry[];
  const checked = symmetries.map((one) => checkOneOf(named, one, names));
  checkSquare(named, checked.includes('transpose'), model.imageShape);
  const ofPlaces = model.conditions.find(isOfPlaces);
  if (ofPlaces !== undefined)
    throwTypeError(`${what}: model`, 'one without maps as conditions', ofPlaces.kind);
  if (!asCondition) return { symmetries: checked };
  const { length } = orientationsOf(checked);
  const [numClasses] = model.conditions.flatMap((one) =>
    one.kind === 'class' && !one.nullClass ? one.numClasses : [],
  );
  if (numClasses === undefined || numClasses % length > 0)
    throwTypeError(`${what}: asCondition`, `${length} classes or a multiple, and no null class`, numClasses);
  return { symmetries: checked, asCondition: true };
}

/** Checks the symmetry that a file states. */
export function checkStoredSymmetry({ symmetry, ...plain }: Parameters<typeof checkSymmetry>[1]): void {
  const declared = { symmetries: anything(), asCondition: trueIfGiven() };
  const { symmetries, asCondition = false } = checkDeclared('symmetry', symmetry, declared);
  checkSymmetry('symmetry', plain, symmetries, asCondition);
}

/** The conditions that callers give: a model's own, without the orientation. */
export function givenConditions({ conditions, symmetry }: Symmetrizable): readonly ConditionShape[] {
  if (symmetry?.asCondition === undefined) return conditions;
  const { length } = orientationsOf(symmetry.symmetries);
  return conditions.flatMap((condition) => {
    if (condition.kind !== 'class') return condition;
    const numClasses = condition.numClasses / length;
    return numClasses > 1 ? { ...condition, numClasses } : [];
  });
}

/** The model's conditions of images in these orientations, from what callers gave. */
export function conditionsInOrientations(
  { conditions, symmetry }: Symmetrizable,
  given: readonly ConditionValues[],
  orientationOf: Int32Array,
): ConditionValues[] {
  if (symmetry?.asCondition === undefined) return [...given];
  const { length } = orientationsOf(symmetry.symmetries);
  const left = [...given];
  return conditions.map((condition) => {
    const isClass = condition.kind === 'class';
    const own = isClass && condition.numClasses === length ? undefined : left.shift();
    if (!isClass) return own as ConditionValues;
    const values = Float32Array.from(
      orientationOf,
      (orientation, n) => (own?.values[n] ?? 0) * length + orientation,
    );
    return { shape: [1], values };
  });
}

/**
 * Applies orientations of a group to images, or undoes them. Negative numbers, which stand for no level, stay.
 *
 * @param levels how many levels images have
 * @param orientationOf the index of each image's orientation, [N]
 * @returns an array of the kind of `images`, [N*H*W*C]
 */
export function oriented<Levels extends Int32Array | Uint8Array | Uint16Array>(
  images: Levels,
  [height, width, channels]: ImageShape,
  levels: number,
  orientations: readonly number[],
  orientationOf: ArrayLike<number>,
  isUndone = false,
): Levels {
  const isTransposed = orientations.some((bits) => bits & BITS.transpose);
  checkSquare('symmetries', isTransposed, [height, width]);
  const total = height * width * channels;
  const result = images.slice() as Levels;
  for (let at = 0; at < images.length; at++) {
    const bits = orientations[orientationOf[Math.floor(at / total)] as number] as number;
    const channel = at % channels;
    const pixel = (at % total) - channel;
    let column = (pixel / channels) % width;
    let row = (pixel / channels - column) / width;
    if (bits & BITS.flipRows) row = height - 1 - row;
    if (bits & BITS.flipColumns) column = width - 1 - column;
    if (bits & BITS.transpose) [row, column] = [column, row];
    const source = at - (at % total) + (row * width + column) * channels + channel;
    const [from, to] = isUndone ? [at, source] : [source, at];
    const level = images[from] as number;
    result[to] = bits & BITS.flipLevels && level >= 0 ? levels - 1 - level : level;
  }
  return result;
}
