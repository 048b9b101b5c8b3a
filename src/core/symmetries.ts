import { flag, type Given } from './arguments';
import { checkOneOf, throwTypeError } from './check';
import { type ConditionShape, type ConditionValues, isOfPlaces } from './conditions';
import { type ImageShape, valuesOf } from './images';

/**
 * A symmetry of images: rows or columns in reverse order, rows and columns exchanged, or level L - 1 - x instead of x.
 */
export type Symmetry = 'flipRows' | 'flipColumns' | 'transpose' | 'flipLevels';

/** The symmetries in the order in which elements are numbered. */
const ALL = ['flipRows', 'flipColumns', 'transpose', 'flipLevels'] as const;

/** An element of a group: first the transposition, if it has one, and then its flips. */
export type GroupElement = readonly Symmetry[];

/** Checks a list of symmetries, for images of this shape. */
export function checkSymmetries(
  what: string,
  given: unknown,
  [height, width]: readonly (number | null)[],
): readonly Symmetry[] {
  if (!Array.isArray(given) || given.length === 0) throwTypeError(what, 'a list of symmetries', given);
  for (const one of given) checkOneOf(what, one, ALL);
  if (given.includes('transpose') && height !== width)
    throwTypeError(what, "square images for 'transpose'", [height, width]);
  return [...given];
}

/**
 * The group that symmetries generate, 2 to 16 elements. The identity is the first, and the four elements of both flips
 * are the first four of the square's eight: bits 0 to 3 of an element's number say whether it flips rows, flips columns,
 * transposes and flips levels, as far as the group does.
 */
export function elementsOf(symmetries: readonly Symmetry[]): readonly GroupElement[] {
  const turns = symmetries.includes('transpose') && symmetries.some((one) => /Rows|Columns/.test(one));
  const generated = ALL.filter((one) => symmetries.includes(one) || (turns && one !== 'flipLevels'));
  return Array.from({ length: 2 ** generated.length }, (_, element) =>
    generated.filter((_, bit) => (element >> bit) & 1),
  );
}

/** How a model is symmetric: its images are drawn in all elements of a group alike. */
export interface SymmetryShape {
  /** What generates the group. */
  readonly symmetries: readonly Symmetry[];
  /** Whether the model's class tells it the element: class * elements + element. */
  readonly asCondition?: true;
}

export const symmetricOptions = {
  /** Whether the model's class tells it the element in which it sees an image: class * elements + element. @default false */
  asCondition: flag(false),
};

/** Options of `symmetric`. */
export interface SymmetricOptions extends Given<typeof symmetricOptions> {}

/** The properties of a model that symmetries depend on. */
export interface Symmetrizable {
  readonly levels: number;
  readonly conditions: readonly ConditionShape[];
  readonly symmetry?: SymmetryShape;
}

/** Checks a symmetry of a model without one. */
export function checkSymmetry(
  what: string,
  model: Symmetrizable & { readonly imageShape: readonly (number | null)[] },
  symmetries: unknown,
  asCondition: boolean,
): SymmetryShape {
  const checked = checkSymmetries(`${what}: symmetries`, symmetries, model.imageShape);
  const ofPlaces = model.conditions.find(isOfPlaces);
  if (ofPlaces !== undefined)
    throwTypeError(`${what}: model`, 'one without maps as conditions', ofPlaces.kind);
  if (!asCondition) return { symmetries: checked };
  const { length } = elementsOf(checked);
  const classes = model.conditions.find(({ kind }) => kind === 'class');
  if (classes?.kind !== 'class' || classes.nullClass || classes.numClasses % length > 0)
    throwTypeError(
      `${what}: asCondition`,
      `a model of ${length} classes, one an element, or a multiple, without a null class`,
      classes?.kind === 'class' ? classes.numClasses : 'one without classes',
    );
  return { symmetries: checked, asCondition: true };
}

/** The conditions that callers give: a model's own, without the element. */
export function givenConditions({ conditions, symmetry }: Symmetrizable): readonly ConditionShape[] {
  if (symmetry?.asCondition === undefined) return conditions;
  const { length } = elementsOf(symmetry.symmetries);
  return conditions.flatMap((condition) => {
    if (condition.kind !== 'class') return condition;
    const numClasses = condition.numClasses / length;
    return numClasses > 1 ? { ...condition, numClasses } : [];
  });
}

/** The model's conditions of images in these elements, from what callers gave. */
export function conditionsInElements(
  { conditions, symmetry }: Symmetrizable,
  given: readonly ConditionValues[],
  elementOf: Int32Array,
): ConditionValues[] {
  if (symmetry?.asCondition === undefined) return [...given];
  const { length } = elementsOf(symmetry.symmetries);
  const left = [...given];
  return conditions.map((condition) => {
    const isClass = condition.kind === 'class';
    const own = isClass && condition.numClasses === length ? undefined : left.shift();
    if (!isClass) return own as ConditionValues;
    const values = Float32Array.from(elementOf, (element, n) => (own?.values[n] ?? 0) * length + element);
    return { shape: [1], values };
  });
}

/** An image's orientation under an element: for each value, the index of the one that it shows, [H*W*C]. */
function sourcesOf(element: GroupElement, [height, width, channels]: ImageShape): Int32Array {
  const sources = new Int32Array(height * width * channels);
  for (let to = 0; to < sources.length; to++) {
    const pixel = Math.floor(to / channels);
    let [row, column] = [Math.floor(pixel / width), pixel % width];
    if (element.includes('flipRows')) row = height - 1 - row;
    if (element.includes('flipColumns')) column = width - 1 - column;
    if (element.includes('transpose')) [row, column] = [column, row];
    sources[to] = (row * width + column) * channels + (to % channels);
  }
  return sources;
}

/**
 * Applies elements to images of `levels` levels, or undoes them. Negative numbers, which stand for no level, stay.
 *
 * @param elementOf the number of each image's element, [N]
 * @returns an array of the kind of `images`, [N*H*W*C]
 */
export function transformed<Levels extends Int32Array | Uint8Array | Uint16Array>(
  images: Levels,
  imageShape: ImageShape,
  levels: number,
  elements: readonly GroupElement[],
  elementOf: ArrayLike<number>,
  isUndone = false,
): Levels {
  const total = valuesOf(imageShape);
  const sources = elements.map((element) => sourcesOf(element, imageShape));
  const result = images.slice() as Levels;
  for (let n = 0; n < images.length / total; n++) {
    const element = elementOf[n] as number;
    const sourceOf = sources[element] as Int32Array;
    const isFlipped = elements[element]?.includes('flipLevels');
    for (let k = 0; k < total; k++) {
      const [from, to] = isUndone ? [k, sourceOf[k] as number] : [sourceOf[k] as number, k];
      const level = images[n * total + from] as number;
      result[n * total + to] = isFlipped && level >= 0 ? levels - 1 - level : level;
    }
  }
  return result;
}
