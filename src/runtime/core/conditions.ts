import { checkInteger, checkNames, sizeFromShape, throwTypeError } from './check';

/** The kind and size of a model's condition: a class, a vector [K], a map [H,W,K] or [h,w,K] of numbers, or codes [h,w]. */
export type ConditionShape =
  | {
      readonly kind: 'class';
      /** Classes are the integers 0 to numClasses - 1. */
      readonly numClasses: number;
      /** Whether `numClasses` itself is valid too, meaning "no class". */
      readonly nullClass?: true;
    }
  | { readonly kind: 'vector'; readonly size: number }
  | {
      readonly kind: 'map';
      readonly size: number;
      /** @default those of the image */
      readonly shape?: readonly [height: number, width: number];
    }
  | {
      readonly kind: 'codes';
      /** Codes are the integers 0 to levels - 1. */
      readonly levels: number;
      readonly shape: readonly [height: number, width: number];
    };

/** How many numbers a condition has at each of its places. */
export const conditionFeatures = (condition: ConditionShape): number =>
  condition.kind === 'vector' || condition.kind === 'map' ? condition.size : 1;

/** Whether a condition varies over the image. */
export const isOfPlaces = ({ kind }: ConditionShape): boolean => kind === 'map' || kind === 'codes';

/** Height and width of a condition; undefined if these are the image's, or it has none. */
export const sizeOfMap = (condition: ConditionShape): readonly [height: number, width: number] | undefined =>
  (condition as { readonly shape?: readonly [number, number] }).shape;

/** Checks that a model takes at most one condition of each kind, since callers name conditions by kind. */
export function checkKinds(what: string, conditions: readonly ConditionShape[]): void {
  const kinds = conditions.map(({ kind }) => kind);
  if (new Set(kinds).size < kinds.length) throwTypeError(what, 'at most one condition of each kind', kinds);
}

/** Numbers with a shape, row-major. */
export interface NumericArray {
  /** As many as the shape requires. */
  readonly data: ArrayLike<number>;
  /** [N, ...] */
  readonly shape: readonly number[];
}

/** Conditions by name, for models that take several. */
export type ConditionsByName<Given> = { readonly [Kind in ConditionShape['kind']]?: Given };

/** One condition, without tensors. */
type OneCondition = number | ArrayLike<number> | NumericArray;

/**
 * The conditions of images: classes [N] or [N,1], vectors [N,K], maps [N,H,W,K] or [N,h,w,K], or codes [N,h,w]. Classes may also be
 * one number for all images, or an array with one for each. Several conditions are given by name: `{ class, map }`.
 */
export type ConditionData = OneCondition | ConditionsByName<OneCondition>;

/** The conditions of some images, checked. */
export interface ConditionValues {
  /** The shape for one image: [1], [K], [H,W,K] or [h,w,1]. */
  readonly shape: readonly number[];
  /** The numbers, image by image. */
  readonly values: Float32Array;
}

/** The condition of one image of the given height and width, as a shape. */
export function conditionShapeOf(condition: ConditionShape, [height, width]: readonly (number | null)[]) {
  const size = conditionFeatures(condition);
  const [h, w] = sizeOfMap(condition) ?? [height as number, width as number];
  return isOfPlaces(condition) ? [h, w, size] : [size];
}

/** How many integer values a condition can take, including the null class; 0 if it takes any numbers. */
export function numCategories(condition: ConditionShape): number {
  if (condition.kind === 'class') return condition.numClasses + (condition.nullClass ? 1 : 0);
  return condition.kind === 'codes' ? condition.levels : 0;
}

/** Checks that classes and codes are valid, and that the numbers of vectors and maps are finite. */
export function checkConditionValues(what: string, condition: ConditionShape, values: ArrayLike<number>) {
  const categories = numCategories(condition);
  for (let i = 0; i < values.length; i++) {
    const value: unknown = values[i];
    if (categories > 0) checkInteger(what, value, 0, categories - 1);
    else if (typeof value !== 'number' || !Number.isFinite(Math.fround(value)))
      throwTypeError(what, 'finite numbers', value);
  }
}

/** The names of a model's conditions in messages. A single condition is simply called `what`. */
export function conditionLabels(what: string, conditions: readonly ConditionShape[]): string[] {
  return conditions.map(({ kind }) => (conditions.length === 1 ? what : `${what}.${kind}`));
}

/** A condition of a model, what the caller gave for it, and what messages call it. */
interface MatchedCondition<Given> {
  readonly what: string;
  readonly condition: ConditionShape;
  readonly given: Given | undefined;
}

/**
 * Matches what the caller gave to a model's conditions, in the model's order. A single condition needs no name.
 *
 * @throws TypeError that begins with `what` if the model takes no condition, or conditions of other names
 */
export function matchConditions<Given>(
  what: string,
  conditions: readonly ConditionShape[],
  given: Given | ConditionsByName<Given> | undefined,
): MatchedCondition<Given>[] {
  if (conditions.length === 0 && given !== undefined)
    throwTypeError(what, 'none, since the model takes no condition', given);
  if (!isByName(given)) {
    if (conditions.length > 1) throwTypeError(what, namesWanted(conditions), given);
    return conditions.map((condition) => ({ what, condition, given: given as Given | undefined }));
  }
  const kinds = conditions.map(({ kind }) => kind);
  checkNames(what, Object.keys(given), kinds);
  return conditions.map((condition) => {
    return { what: `${what}.${condition.kind}`, condition, given: given[condition.kind] };
  });
}

/** Describes the conditions of a model that takes several. */
export const namesWanted = (conditions: readonly ConditionShape[]): string =>
  `{ ${conditions.map(({ kind }) => kind).join(', ')} }, since the model takes them`;

/** Whether conditions are given by name, in an object that is not a list, a { data, shape }, a tensor or a promise. */
export const isByName = (given: unknown): given is ConditionsByName<never> =>
  typeof given === 'object' &&
  given !== null &&
  !['length', 'data', 'shape', 'then'].some((name) => name in given);

/**
 * Checks the shape of what the caller gave as one condition of `numImages` images: an array with a shape, or classes as
 * numbers, one for each image.
 *
 * @returns the classes if they are plain numbers, else null
 * @throws TypeError that begins with `what` if it does not fit
 */
export function checkCondition(
  { what, condition, given }: MatchedCondition<unknown>,
  numImages: number,
  imageShape: readonly number[],
): ArrayLike<number> | null {
  const isClass = condition.kind === 'class';
  if (isClass && typeof given === 'number') return new Float64Array(numImages).fill(given);
  if (isClass && isList(given) && given.length === numImages) return given;
  const categories = numCategories(condition);
  const whole = [numImages, ...conditionShapeOf(condition, imageShape)];
  const flat = categories > 0 ? whole.slice(0, -1) : whole; // the last dimension, 1, may be omitted
  const shape = (given as NumericArray | undefined)?.shape;
  if ([whole, flat].map(String).includes(String(shape))) return null;
  const ofShape = condition.kind === 'codes' ? 'codes of shape' : 'numbers of shape';
  const wanted = isClass
    ? `a class from 0 to ${categories - 1}${numImages === 1 ? '' : `, or ${numImages} of them`}`
    : `${ofShape} [${flat}]${shape === undefined ? ', as { data, shape }' : ''}`;
  return throwTypeError(what, wanted, shape ?? given);
}

const isList = (given: unknown): given is ArrayLike<number> =>
  Array.isArray(given) || ArrayBuffer.isView(given);

/** More images than can be evaluated side by side: each takes at least 16 bytes of a memory of at most 4 GiB. */
const MAX_IMAGES = 2 ** 28;

/**
 * Reads and checks the conditions of images, and returns them in the model's order.
 *
 * @throws TypeError as {@link matchConditions} and {@link checkCondition}, and if a number is not a class or not finite
 * @throws RangeError if there are more images than fit in memory, before any memory is allocated
 */
export function readConditions(
  what: string,
  conditions: readonly ConditionShape[],
  given: ConditionData | undefined,
  numImages: number,
  imageShape: readonly number[],
): ConditionValues[] {
  const matched = matchConditions<OneCondition>(what, conditions, given);
  if (numImages > MAX_IMAGES) throw new RangeError(`not enough memory for ${numImages} images`);
  return matched.map((one) => {
    const classes = checkCondition(one, numImages, imageShape);
    const values = classes ?? (one.given as NumericArray).data;
    const shape = conditionShapeOf(one.condition, imageShape);
    const count = numImages * sizeFromShape(shape);
    if (typeof values !== 'object') throwTypeError(one.what, 'numbers', one.given);
    if (values.length !== count) throwTypeError(one.what, `${count} numbers for its shape`, values.length);
    checkConditionValues(one.what, one.condition, values);
    return { shape, values: new Float32Array(values) };
  });
}

/** How many images the conditions are for; undefined if they fit any number. */
export function numConditions(given: unknown): number | undefined {
  const all: unknown[] = isByName(given) ? Object.values(given) : [given];
  for (const one of all) {
    if (isList(one)) return one.length;
    const count = (one as Partial<NumericArray> | null | undefined)?.shape?.[0];
    if (count !== undefined) return count;
  }
  return undefined;
}

/** Copies the conditions of the images [start, start + count), so that only these are sent to a worker. */
export function slicedCondition({ shape, values }: ConditionValues, start: number, count: number) {
  const size = sizeFromShape(shape);
  return { shape, values: values.slice(start * size, (start + count) * size) };
}

/** Repeats the conditions of images a number of times. */
export function repeatedCondition({ shape, values }: ConditionValues, count: number): ConditionValues {
  const all = new Float32Array(count * values.length);
  for (let n = 0; n < count; n++) all.set(values, n * values.length);
  return { shape, values: all };
}

/** Random conditions for a number of images: any class, any codes, or numbers in [-1, 1). */
export function randomConditions(
  condition: ConditionShape,
  count: number,
  imageShape: readonly number[],
  random: () => number,
): ConditionValues {
  const shape = conditionShapeOf(condition, imageShape);
  const categories = numCategories(condition);
  const draw = categories > 0 ? () => Math.floor(random() * categories) : () => 2 * random() - 1;
  return { shape, values: Float32Array.from({ length: count * sizeFromShape(shape) }, draw) };
}
