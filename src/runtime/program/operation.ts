import { type Argument, checked, type Declaration, type Values } from '../core/arguments';
import { throwTypeError } from '../core/check';

// An operation is a record. Its fields are all that the builder of programs, the shapes of layers, the checks of files,
// readiness, reach and maps need to know about it; these are loops over the table in operations/index.ts.

/** A weight that a node refers to. In a program, the node holds only the name. */
export interface WeightReference {
  readonly name: string;
  readonly shape: readonly number[];
}

export const weight: Argument<WeightReference> = checked((what, given) => {
  if (!Array.isArray((given as Partial<WeightReference> | null)?.shape))
    throwTypeError(what, 'the name of a weight', given);
  return given as WeightReference;
});

export const weightOrNone: Argument<WeightReference | null> = checked((what, given) =>
  given === null ? null : weight.check(what, given, {}),
);

export function checkShape(what: string, { name, shape }: WeightReference, wanted: readonly number[]): void {
  if (String(shape) !== String(wanted)) throwTypeError(`${what} '${name}'`, `shape [${wanted}]`, shape);
}

/** How many operands an operation has. A node stores one operand as `input`, several as `inputs`. */
export type Operands = 0 | 1 | 3 | 'any';

/** What is known of an operand. */
export interface OperandShape {
  readonly size: number;
  /** Whether it is the same at every pixel, computed from vector conditions only. */
  readonly isConstant: boolean;
}

type OperandsOf<Count extends Operands> = Count extends 0
  ? readonly []
  : readonly [OperandShape, ...(Count extends 1 ? [] : OperandShape[])];

/** A range of features, [from, to). */
export type FeatureRange = readonly [from: number, to: number];

/** The ranges of equal groups of features. */
export const groupsOf = (size: number, count: number): FeatureRange[] =>
  Array.from({ length: count }, (_, i) => [(i * size) / count, ((i + 1) * size) / count]);

/** What some features of a node are computed from. */
export interface Read {
  readonly features: FeatureRange;
  /** The position of the operand that is read, or 'own' for the node's own features. */
  readonly operand: number | 'own';
  /** The features of it that are read, all by each of `features` or, if `isOneByOne`, the one in its position. */
  readonly of: FeatureRange;
  readonly isOneByOne?: boolean;
  /** Where: relative to the place, at all earlier places, or at the last of these. @default the place itself */
  readonly at?: readonly [down: number, right: number] | 'earlier' | 'previous';
  /** Whether the read affects the result at a place, in a map of this width. @default everywhere */
  counts?(row: number, column: number, width: number): boolean;
}

/** Each of some features is computed from one of an operand's, in order from its feature `first` on. */
export const oneByOne = ([from, to]: FeatureRange, first = from, operand = 0): Read => {
  return { features: [from, to], operand, of: [first, first + to - from], isOneByOne: true };
};

/** A field of a node as stored in programs, with a weight replaced by its name. */
type Stored<Value> = [Value] extends [WeightReference]
  ? string
  : [Value] extends [WeightReference | null]
    ? string | null
    : Value;

/** The fields of a node of an operation, and its number of features. */
export type FieldsAndSize<D extends Declaration> = { readonly size: number } & {
  readonly [Name in keyof D]: D[Name] extends Argument<infer Value, infer _> ? Stored<Value> : never;
};

export interface Operation<
  Name extends string = string,
  Count extends Operands = Operands,
  // biome-ignore lint/suspicious/noExplicitAny: fields of all types; unknown would not be assignable from them
  D extends Declaration = any,
> {
  readonly name: Name;
  readonly operands: Count;
  /** The fields of its nodes besides `op`, `size` and operands: their types, and checks of callers and of files. */
  readonly fields: D;
  /** Whether operands must vary from pixel to pixel, unless they are spread over pixels. @default false */
  readonly isOfMaps?: boolean;
  /** Whether its result varies from pixel to pixel, even if its operands do not. @default false */
  readonly makesMaps?: boolean;
  /**
   * How many features it computes. `size` is the number that a caller or a file asks for; most operations ignore it.
   *
   * @throws TypeError that begins with `what` if operands or weights do not fit
   */
  size(operands: OperandsOf<Count>, fields: Values<D>, what: string, size: number): number;
  /**
   * What its features are computed from, which determines readiness, reach and causality. `sizes` are the operands'.
   *
   * @default each feature from the feature in its position of each operand
   */
  reads?(node: FieldsAndSize<D>, sizes: readonly number[]): Read[];
  /** The distance of its places divided by the distance of its operands' places: 2 or 1/2 with a stride. @default 1 */
  scale?(node: FieldsAndSize<D>): number;
  /** The field with a weight [H,W,...] whose height and width must be those of the node's map. @default none */
  readonly tableOfPlaces?: keyof D & string;
  /** Whether it reads maps that must be complete before it begins, so that it runs before the image. */
  readsWholeMaps?(node: FieldsAndSize<D>): boolean;
  /** Products a pixel besides the cost of each feature. Also checks the memory of what is stored. @default none */
  work?(node: FieldsAndSize<D>, sizes: readonly number[], places: number, what: string): number;
}

export function operation<const Name extends string, const Count extends Operands, D extends Declaration>(
  record: Operation<Name, Count, D>,
): Operation<Name, Count, D> {
  return record;
}
