import { type Argument, checked, type Declaration, type Values } from '../core/arguments';
import { throwTypeError } from '../core/check';

// An operation is a record. Whatever must be known of one, by the builder of programs, the shapes of layers, the checks
// of files, readiness, reach and maps, is a field of it; they are loops over the table in operations/index.ts.

/** A weight that a node refers to. In a program, the node has the name alone. */
export interface WeightReference {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A reference to a weight, as a field. */
export const weight: Argument<WeightReference> = checked((what, given) => {
  if (!Array.isArray((given as Partial<WeightReference> | null)?.shape))
    throwTypeError(what, 'the name of a weight', given);
  return given as WeightReference;
});

/** The same, or null for none. */
export const weightOrNone: Argument<WeightReference | null> = checked((what, given) =>
  given === null ? null : weight.check(what, given, {}),
);

/** Checks the shape of a weight. */
export function checkShape(what: string, { name, shape }: WeightReference, wanted: readonly number[]): void {
  if (String(shape) !== String(wanted)) throwTypeError(`${what} '${name}'`, `shape [${wanted}]`, shape);
}

/** How many operands an operation has. A node with one has it as `input`, one with several as `inputs`. */
export type Operands = 0 | 1 | 3 | 'any';

/** What is known of an operand. */
export interface OperandShape {
  /** The number of its features. */
  readonly size: number;
  /** Whether it is the same at every pixel: computed from vector conditions only. */
  readonly isConstant: boolean;
}

type OperandsOf<Count extends Operands> = Count extends 0
  ? readonly []
  : readonly [OperandShape, ...(Count extends 1 ? [] : OperandShape[])];

/** The indices of features from one on, up to another that is excluded. */
export type FeatureRange = readonly [from: number, to: number];

/** The ranges of equal groups of features. */
export const groupsOf = (size: number, count: number): FeatureRange[] =>
  Array.from({ length: count }, (_, i) => [(i * size) / count, ((i + 1) * size) / count]);

/** What some features of a node are computed from. */
export interface Read {
  /** The features that are computed. */
  readonly features: FeatureRange;
  /** The operand that is read, by its position among the operands, or the node's own features. */
  readonly operand: number | 'own';
  /** The features of it that are read: for each of `features` all of them, or the one in the same position. */
  readonly of: FeatureRange;
  readonly isOneByOne?: boolean;
  /** Where it is read: relative to the place that is computed, or at all earlier places. @default at the place itself */
  readonly at?: readonly [down: number, right: number] | 'earlier';
  /** Whether it makes a difference at a place of a map of this width. @default everywhere */
  counts?(row: number, column: number, width: number): boolean;
}

/** A field of a node, as programs have it: a weight by its name. */
type Stored<Value> = [Value] extends [WeightReference]
  ? string
  : [Value] extends [WeightReference | null]
    ? string | null
    : Value;

/** The fields of a node of an operation, and its number of features. */
export type FieldsAndSize<D extends Declaration> = { readonly size: number } & {
  readonly [Name in keyof D]: D[Name] extends Argument<infer Value, infer _> ? Stored<Value> : never;
};

/** What is known of an operation; see there for what each of these is for. */
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
  /** Whether operands must be features of pixels: not the same at all. @default false */
  readonly isOfMaps?: boolean;
  /**
   * How many features it computes. `size` is what a caller or a file asks for; most operations leave no choice.
   *
   * @throws TypeError that begins with `what` if operands or weights do not fit
   */
  size(operands: OperandsOf<Count>, fields: Values<D>, what: string, size: number): number;
  /**
   * What its features are computed from: readiness, reach and causality follow. `sizes` are those of the operands.
   *
   * @default each feature from the same one of each operand
   */
  reads?(node: FieldsAndSize<D>, sizes: readonly number[]): Read[];
  /** How many times as far apart its places are as those of its operands: 2 or 1/2 with a stride. @default 1 */
  scale?(node: FieldsAndSize<D>): number;
  /** Whether it reads maps that must be complete before it begins, so that it is done before the image. */
  readsWholeMaps?(node: FieldsAndSize<D>): boolean;
  /** Products a pixel beside the cost of each feature; checks the memory of what is stored. @default none */
  work?(node: FieldsAndSize<D>, sizes: readonly number[], places: number, what: string): number;
}

/** Gives a record its type. */
export function operation<const Name extends string, const Count extends Operands, D extends Declaration>(
  record: Operation<Name, Count, D>,
): Operation<Name, Count, D> {
  return record;
}
