import {
  checkBoolean,
  checkFunction,
  checkInteger,
  checkNames,
  checkNumber,
  checkOneOf,
  checkSignal,
  throwTypeError,
} from './check';

// An argument of a function or a layer is stated once: the declaration gives its type, its default, its check, and its
// name for "did you mean". Its docstring stands beside it, and is that of the public interface too.

/** An argument that must be given. */
export interface Argument<Value, Given = Value> {
  /** Returns the value to use for what was given. Throws a TypeError that begins with `what` if it will not do. */
  check(what: string, given: unknown): Value;
  /** Exists in types only: what callers may give. */
  readonly given?: Given;
}

/** An argument that may be left out. */
export interface OptionalArgument<Value, Given = Value> extends Argument<Value, Given> {
  /** The value to use if none is given. */
  readonly fallback: Value;
}

/** Arguments by name. */
// biome-ignore lint/suspicious/noExplicitAny: arguments of all types; unknown would not be assignable from them
export type Declaration = Readonly<Record<string, Argument<any, any>>>;

/** The names of the arguments that may be left out. */
type OptionalName<D extends Declaration> = {
  [Name in keyof D]: D[Name] extends OptionalArgument<unknown, unknown> ? Name : never;
}[keyof D];

type GivenOf<A> = A extends Argument<infer _, infer Given> ? Given : never;
type ValueOf<A> = A extends Argument<infer Value, infer _> ? Value : never;

/** What callers give for a declaration. Make it an interface: `interface SampleOptions extends Given<typeof options> {}`. */
export type Given<D extends Declaration> = {
  -readonly [Name in keyof D as Name extends OptionalName<D> ? never : Name]: GivenOf<D[Name]>;
} & {
  -readonly [Name in keyof D as Name extends OptionalName<D> ? Name : never]?: GivenOf<D[Name]>;
};

/** The values that {@link readArguments} makes of them. */
export type Values<D extends Declaration> = { readonly [Name in keyof D]: ValueOf<D[Name]> };

/**
 * Checks arguments, and fills in the defaults. undefined counts as not given, as does null, which saved configs have for
 * it.
 *
 * @throws TypeError if they are no object, if a name is unknown, with the nearest known one, or as the check of one
 */
export function readArguments<D extends Declaration>(what: string, given: unknown, declared: D): Values<D> {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throwTypeError(what, 'an object of arguments', given);
  checkNames(what, Object.keys(given), Object.keys(declared));
  return valuesOf(what, given, declared);
}

/** The same for an object that may have others beside them. */
export function valuesOf<D extends Declaration>(what: string, given: object, declared: D): Values<D> {
  const entries = Object.entries(declared).map(([name, argument]) => {
    const value = (given as Readonly<Record<string, unknown>>)[name];
    const isLeftOut = value == null && 'fallback' in argument;
    return [name, isLeftOut ? argument.fallback : argument.check(`${what}: ${name}`, value)];
  });
  return Object.fromEntries(entries) as Values<D>;
}

/** Makes an argument optional; without a fallback, its value is then undefined. */
export function optional<Value, Given>(
  argument: Argument<Value, Given>,
): OptionalArgument<Value | undefined, Given>;
export function optional<Value, Given>(
  argument: Argument<Value, Given>,
  fallback: Value,
): OptionalArgument<Value, Given>;
export function optional<Value, Given>(
  argument: Argument<Value, Given>,
  fallback?: Value,
): OptionalArgument<Value | undefined, Given> {
  return { check: argument.check, fallback };
}

/** An integer, from and to these included. */
export const integer = ({ from, to }: { from?: number; to?: number } = {}): Argument<number> => ({
  check: (what, given) => checkInteger(what, given, from, to),
});

/** A finite number that passes a test; `wanted` describes the test. */
export const number = (wanted = 'that is finite', test = (_: number) => true): Argument<number> => ({
  check: (what, given) => checkNumber(what, given, wanted, test),
});

/** One of these. */
export const oneOf = <const Choice extends string | number>(...choices: Choice[]): Argument<Choice> => ({
  check: (what, given) => checkOneOf(what, given, choices),
});

/** true or false. */
export const flag = (fallback: boolean): OptionalArgument<boolean> =>
  optional({ check: checkBoolean }, fallback);

/** A probability of dropping something. @default 0 */
export const rate = (): OptionalArgument<number> =>
  optional(
    number('from 0, below 1', (p) => p >= 0 && p < 1),
    0,
  );

/** Something that is checked elsewhere, or by nobody. */
export const anything = <Value>(): Argument<Value> => ({ check: (_, given) => given as Value });

/** A check of one's own as an argument. */
export const checked = <Value, Given = Value>(
  check: (what: string, given: unknown) => Value,
): Argument<Value, Given> => ({ check });

/** A function. */
export const callback = <F>(): Argument<F> => ({
  check(what, given) {
    checkFunction(what, given);
    return given as F;
  },
});

/** An AbortSignal that has not aborted yet. */
export const optionalSignal = (): OptionalArgument<AbortSignal | undefined> =>
  optional({
    check(what, given) {
      checkSignal(what, given as AbortSignal);
      return given as AbortSignal;
    },
  });
