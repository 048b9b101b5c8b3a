import { checkInteger, throwTypeError } from './check';

/** What a model takes beside the image: a class, a vector [K], or a map [H,W,K] of numbers. */
export type ConditionShape =
  | { readonly kind: 'class'; readonly numClasses: number }
  | { readonly kind: 'vector' | 'map'; readonly size: number };

/** Numbers with a shape, row-major. */
export interface NumericArray {
  /** As many as the shape says. */
  readonly data: ArrayLike<number>;
  /** [N, ...] */
  readonly shape: readonly number[];
}

/**
 * What images are conditioned on: classes [N] or [N,1], vectors [N,K] or maps [N,H,W,K]; a class may also be
 * a number, the same for all images, or an array with one class per image.
 */
export type ConditionData = number | ArrayLike<number> | NumericArray;

/** The conditions of some images, checked. */
export interface ConditionValues {
  /** [1], [K] or [H,W,K], of one image. */
  readonly shape: readonly number[];
  /** One image after the other. */
  readonly values: Float32Array;
}

/** How many numbers the condition of one image is. */
export const conditionSize = (shape: readonly number[]): number =>
  shape.reduce((product, length) => product * length, 1);

/** The condition of one image of the given height and width, as a shape. */
export function conditionShapeOf(
  condition: ConditionShape,
  [height, width]: readonly (number | null)[],
): number[] {
  if (condition.kind === 'class') return [1];
  return condition.kind === 'vector' ? [condition.size] : [height as number, width as number, condition.size];
}

/** Checks that classes are such, and that the numbers of vectors and maps are finite. */
export function checkConditionValues(
  what: string,
  condition: ConditionShape | null,
  values: ArrayLike<number>,
): void {
  for (let i = 0; i < values.length; i++) {
    if (condition?.kind === 'class') checkInteger(what, values[i], 0, condition.numClasses - 1);
    else if (!Number.isFinite(Math.fround(values[i] as number)))
      throwTypeError(what, 'finite numbers', values[i]);
  }
}

/**
 * Checks the shape of what the caller gave as the condition of so many images: an array with a shape, or
 * classes as numbers, one an image.
 *
 * @returns the classes where they came as numbers, else null
 * @throws TypeError, named `what`, where the model takes one and none came, or the other way round, or it
 * does not fit
 */
export function checkCondition(
  what: string,
  condition: ConditionShape | null,
  given: unknown,
  numImages: number,
  imageShape: readonly number[],
): ArrayLike<number> | null {
  if (condition === null) return throwTypeError(what, 'none, since the model takes no condition', given);
  const shape = conditionShapeOf(condition, imageShape);
  const isClass = condition.kind === 'class';
  const classes = isClass ? numbersOfClasses(given, numImages) : null;
  if (classes !== null) return classes;
  const givenShape = (given as NumericArray | undefined)?.shape;
  const has = (wanted: readonly number[]) =>
    givenShape !== undefined && String(givenShape) === String(wanted);
  if (!has([numImages, ...shape]) && !(isClass && has([numImages]))) {
    const wanted = isClass
      ? `a class from 0 to ${condition.numClasses - 1}, or ${numImages} of them`
      : `numbers of shape [${[numImages, ...shape]}]`;
    throwTypeError(what, wanted, givenShape ?? given);
  }
  return null;
}

/** Classes given as numbers, one an image; null where they are not. */
function numbersOfClasses(given: unknown, numImages: number): ArrayLike<number> | null {
  if (typeof given === 'number') return new Float64Array(numImages).fill(given);
  const isList = Array.isArray(given) || ArrayBuffer.isView(given);
  return isList && (given as unknown as ArrayLike<number>).length === numImages
    ? (given as unknown as ArrayLike<number>)
    : null;
}

/**
 * Reads what the caller gave as the condition of so many images, and checks it; null where the model takes
 * none.
 *
 * @throws TypeError as {@link checkCondition}, and where a number is no class or not finite
 */
export function readCondition(
  what: string,
  condition: ConditionShape | null,
  given: ConditionData | undefined,
  numImages: number,
  imageShape: readonly number[],
): ConditionValues | null {
  if (condition === null && given === undefined) return null;
  const classes = checkCondition(what, condition, given, numImages, imageShape);
  const values = classes ?? (given as NumericArray).data;
  const shape = conditionShapeOf(condition as ConditionShape, imageShape);
  if (typeof values !== 'object') throwTypeError(what, 'numbers', given);
  if (values.length !== numImages * conditionSize(shape)) {
    throwTypeError(what, `${numImages * conditionSize(shape)} numbers for its shape`, values.length);
  }
  checkConditionValues(what, condition, values);
  return { shape, values: new Float32Array(values) };
}

/** For how many images conditions are; undefined where they are for any. */
export function numConditions(given: unknown): number | undefined {
  if (Array.isArray(given) || ArrayBuffer.isView(given))
    return (given as unknown as { length: number }).length;
  const { shape } = (given ?? {}) as { shape?: readonly number[] };
  return shape?.[0];
}

/** The conditions of the images [start, start + count). */
export function part({ shape, values }: ConditionValues, start: number, count: number): ConditionValues {
  const size = conditionSize(shape);
  return { shape, values: values.subarray(start * size, (start + count) * size) };
}

/** The same condition for so many images. */
export function repeated({ shape, values }: ConditionValues, count: number): ConditionValues {
  const all = new Float32Array(count * values.length);
  for (let n = 0; n < count; n++) all.set(values, n * values.length);
  return { shape, values: all };
}

/** Conditions of so many images at random: any class, or numbers in [-1, 1). */
export function randomConditions(
  condition: ConditionShape,
  count: number,
  imageShape: readonly number[],
  random: () => number,
): ConditionValues {
  const shape = conditionShapeOf(condition, imageShape);
  const draw =
    condition.kind === 'class' ? () => Math.floor(random() * condition.numClasses) : () => 2 * random() - 1;
  return { shape, values: Float32Array.from({ length: count * conditionSize(shape) }, draw) };
}
