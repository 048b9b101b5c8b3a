import {
  checkBoolean,
  checkCategories,
  checkFeatures,
  checkFields,
  checkFunction,
  checkInteger,
  checkKernelSize,
  checkList,
  checkNames,
  checkNumber,
  checkOneOf,
  throwTypeError,
} from './check';

// Each argument of a function or a layer is declared once. The declaration determines its type, its default,
// its check and the names that "did you mean" suggests, and its docstring is also the public interface's.

/** A required argument. */
export interface Argument<Value, Given = Value> {
  /** Returns the value to use, or throws a TypeError that begins with `what`. `earlier` has those declared before. */
  check(what: string, given: unknown, earlier: Readonly<Record<string, unknown>>): Value;
  /** Converts the value for a saved config. @default the value itself */
  toConfig?(value: Value): unknown;
  /** What callers may give. Exists in types only. */
  readonly given?: Given;
}

export interface OptionalArgument<Value, Given = Value> extends Argument<Value, Given> {
  readonly fallback: Value;
}

// biome-ignore lint/suspicious/noExplicitAny: arguments of all types; unknown would not be assignable from them
export type Declaration = Readonly<Record<string, Argument<any, any>>>;

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

/** The values that {@link readArguments} returns for a declaration. */
export type Values<D extends Declaration> = { readonly [Name in keyof D]: ValueOf<D[Name]> };

/**
 * Checks arguments and fills in the defaults. undefined counts as not given, as does null, its form in saved configs.
 *
 * @throws TypeError if `given` is not an object, if a name is unknown (suggests the nearest), or if a check fails
 */
export function readArguments<D extends Declaration>(what: string, given: unknown, declared: D): Values<D> {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throwTypeError(what, 'an object of arguments', given);
  checkNames(what, Object.keys(given), Object.keys(declared));
  return readDeclared(what, given, declared);
}

/** Reads the declared arguments from an object that may have others too. */
export function readDeclared<D extends Declaration>(what: string, given: object, declared: D): Values<D> {
  const values: Record<string, unknown> = {};
  for (const [name, argument] of Object.entries(declared)) {
    const value = (given as Readonly<Record<string, unknown>>)[name];
    const isLeftOut = value == null && 'fallback' in argument;
    values[name] = isLeftOut ? argument.fallback : argument.check(`${what}: ${name}`, value, values);
  }
  return values as Values<D>;
}

/** Checks a record of a file: that it has the declared fields and no others, and each field. Returns it. */
export function checkDeclared<D extends Declaration>(what: string, given: unknown, declared: D): Values<D> {
  const record = checkFieldsOf(what, given, declared);
  for (const [name, value] of Object.entries(record))
    (declared[name] as Argument<unknown>).check(`${what}: ${name}`, value, record);
  return record as Values<D>;
}

/** Checks that a record of a file has the declared fields, of which optional ones may be left out, and no others. */
export function checkFieldsOf(what: string, given: unknown, declared: Declaration) {
  const names = Object.keys(declared);
  const isOptional = (name: string) => 'fallback' in (declared[name] as object);
  return checkFields(
    what,
    given,
    names.filter((name) => !isOptional(name)),
    names.filter(isOptional),
  );
}

/** Makes an argument optional. Without a fallback, its value is undefined if it is not given. */
export const optional: {
  <Value, Given>(argument: Argument<Value, Given>): OptionalArgument<Value | undefined, Given>;
  <Value, Given>(argument: Argument<Value, Given>, fallback: NoInfer<Value>): OptionalArgument<Value, Given>;
} = <Value, Given>(argument: Argument<Value, Given>, fallback?: Value) =>
  ({ ...argument, fallback }) as OptionalArgument<Value, Given>;

/** Makes an argument optional, with a default computed from the arguments declared before it. */
export const derived = <Value, Given>(
  argument: Argument<Value, Given>,
  // biome-ignore lint/suspicious/noExplicitAny: the declaration around this argument determines their types
  defaultOf: (earlier: any) => unknown,
) =>
  ({
    ...argument,
    check: (what, given, earlier) => argument.check(what, given ?? defaultOf(earlier), earlier),
  }) as OptionalArgument<Value, Given>; // has no fallback, so that defaults are checked too

/** An integer in [from, to]. */
export const integer = ({ from, to }: { from?: number; to?: number } = {}): Argument<number> => ({
  check: (what, given) => checkInteger(what, given, from, to),
});

/** A finite number that passes a test; `wanted` describes the test. */
export const number = (wanted = 'that is finite', test = (_: number) => true): Argument<number> => ({
  check: (what, given) => checkNumber(what, given, wanted, test),
});

export const positive = (): Argument<number> => number('above 0', (x) => x > 0);

export const oneOf = <const Choices extends readonly (string | number)[]>(
  ...choices: Choices
): Argument<Choices[number]> => ({
  check: (what, given) => checkOneOf<Choices[number]>(what, given, choices),
});

export const flag = (fallback: boolean): OptionalArgument<boolean> =>
  optional(checked(checkBoolean), fallback);

export const probability = (): Argument<number> => number('from 0, below 1', (p) => p >= 0 && p < 1);

/** An optional probability. @default 0 */
export const rate = (): OptionalArgument<number> => optional(probability(), 0);

/** An argument that is checked elsewhere, or not at all. */
export const anything = <Value>(): Argument<Value> => ({ check: (_, given) => given as Value });

export const checked = <Value, Given = Value>(
  check: (what: string, given: unknown) => Value,
): Argument<Value, Given> => ({ check });

/** Arguments in an object of their own. */
export const group = <D extends Declaration>(declared: D): Argument<Values<D>, Given<D>> => ({
  check: (what, given) => readArguments(what, given, declared),
});

/** A count of levels, classes or codes, which are numbered from 0. */
export const categories = ({ from }: { from: number }): Argument<number> => ({
  check: (what, given) => checkCategories(what, given, from),
});

/** A multiple of the product of earlier arguments' values; a message leaves out those that are 1. */
export const multipleOf = (first: string, ...others: string[]): Argument<number> => ({
  check(what, given, earlier) {
    const divisors = [first, ...others.filter((name) => earlier[name] !== 1)];
    const product = divisors.reduce((product, name) => product * (earlier[name] as number), 1);
    return checkFeatures(what, given, product, divisors.reverse().join(' * '));
  },
});

/** A list of two. */
export const pair = <Value>(argument: Argument<Value>): Argument<readonly [Value, Value]> => ({
  check(what, given) {
    for (const one of checkList(what, given, 2)) argument.check(what, one, {});
    return given as readonly [Value, Value];
  },
});

/** A field that is true if it is there. */
export const trueIfGiven = (): OptionalArgument<true | undefined, true> =>
  optional(
    checked<true>((what, given) => given === true || throwTypeError(what, 'true, or no such field', given)),
  );

/** Rows and columns, or one number for both. */
type Lengths = Argument<[rows: number, columns: number], number | [number, number]>;

/** The size of a kernel with a centre: odd. */
export const oddLengths = (): Lengths => ({ check: (what, given) => checkKernelSize(what, given) });

/** The size of a kernel that needs no centre. */
export const lengths = (): Lengths => ({ check: (what, given) => checkKernelSize(what, given, true) });

export const callback = <F>(): Argument<F> => checked<F>(checkFunction);

/** A seed, or undefined for none. */
export const optionalSeed = (): OptionalArgument<number | undefined, number | undefined> =>
  optional<number | undefined, number | undefined>(integer());

/** An AbortSignal that has not aborted yet. */
export const optionalSignal = (): OptionalArgument<AbortSignal | undefined> =>
  optional({
    check(what, given) {
      const signal = given as AbortSignal;
      if (typeof signal.throwIfAborted !== 'function') throwTypeError(what, 'an AbortSignal', given);
      signal.throwIfAborted();
      return signal;
    },
  });

/** One of some words, or arguments in an object of their own. */
export const wordOr = <const Word extends string, D extends Declaration>(
  words: readonly Word[],
  declared: D,
): Argument<Word | Values<D>, Word | Readonly<Given<D>>> => ({
  check(what, given) {
    if (typeof given === 'object' && given !== null) return readArguments(what, given, declared);
    if (words.includes(given as Word)) return given as Word;
    const wanted = words.map((word) => `'${word}'`).join(' or ');
    return throwTypeError(what, `${wanted} or { ${Object.keys(declared).join(', ')} }`, given);
  },
});
