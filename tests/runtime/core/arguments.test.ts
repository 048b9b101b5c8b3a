import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  anything,
  callback,
  categories,
  checked,
  derived,
  flag,
  type Given,
  group,
  integer,
  lengths,
  multipleOf,
  number,
  oddLengths,
  oneOf,
  optional,
  optionalSeed,
  optionalSignal,
  rate,
  readArguments,
  readDeclared,
  type Values,
  wordOr,
} from '../../../src/runtime/core/arguments';

const declared = {
  groups: optional(integer({ from: 1 }), 3),
  features: multipleOf('groups'),
  kind: optional(oneOf('tanh', 'linear'), 'tanh'),
  size: derived(integer({ from: 1 }), ({ features }) => 2 * features),
  limit: optional(number('above 0', (x) => x > 0)),
};

const read = (given: unknown) => readArguments('make', given, declared);

describe('arguments that are declared', () => {
  it('have the types of given arguments and of values', () => {
    expectTypeOf<Given<typeof declared>>().toEqualTypeOf<
      { features: number } & { groups?: number; kind?: 'tanh' | 'linear'; size?: number; limit?: number }
    >();
    expectTypeOf<Values<typeof declared>>().toEqualTypeOf<{
      readonly groups: number;
      readonly features: number;
      readonly kind: 'tanh' | 'linear';
      readonly size: number;
      readonly limit: number | undefined;
    }>();
    // @ts-expect-error: features are missing
    ({}) satisfies Given<typeof declared>;
    // @ts-expect-error: no such kind
    ({ features: 3, kind: 'relu' }) satisfies Given<typeof declared>;
  });

  it('have their defaults where they are left out, undefined or null', () => {
    const filled = { groups: 3, features: 6, kind: 'tanh', size: 12, limit: undefined };
    expect(read({ features: 6 })).toEqual(filled);
    expect(read({ features: 6, groups: null, kind: undefined, size: null })).toEqual(filled);
    const all = { features: 4, groups: 2, kind: 'linear', size: 1, limit: 0.5 };
    expect(read(all)).toEqual(all);
  });

  it('are named where they are wrong, missing or unknown', () => {
    for (const none of [undefined, null, 3, 'x', []]) expect(() => read(none)).toThrow('make: wanted an object of arguments, got');
    expect(() => read({ features: 6, kinds: 'tanh' })).toThrow("make: unknown option 'kinds': did you mean kind?");
    expect(() => read({})).toThrow('make: features: wanted an integer of at least 1, got undefined');
    expect(() => read({ features: 4 })).toThrow('make: features: wanted a multiple of groups (3), got 4');
    expect(() => read({ features: 3, groups: 0 })).toThrow('make: groups: wanted an integer of at least 1, got 0');
    expect(() => read({ features: 3, kind: 'tan' })).toThrow("make: kind: wanted 'tanh' or 'linear', got 'tan': did you mean 'tanh'?");
    expect(() => read({ features: 3, size: 0 })).toThrow('make: size: wanted an integer of at least 1, got 0');
    expect(() => read({ features: 3, limit: -1 })).toThrow('make: limit: wanted a number above 0, got -1');
  });

  it('may lie beside others, which are not read', () => {
    expect(readDeclared('make', { on: true, other: 1 }, { on: flag(false) })).toEqual({ on: true });
  });

  it('keep the form that they have in a config, where they are made optional', () => {
    const size = { check: (_: string, given: unknown) => Number(given), toConfig: (value: number) => `${value}px` };
    expect(optional(size, 3).toConfig?.(4)).toBe('4px');
    expect(derived(size, () => 3).toConfig?.(4)).toBe('4px');
    expect(readDeclared('css', {}, { size: derived(size, () => 3) })).toEqual({ size: 3 });
  });
});

describe('kinds of arguments', () => {
  /** What an argument makes of what is given. */
  const of =
    <Value, G>(argument: { check(what: string, given: unknown, earlier: object): Value; given?: G }) =>
    (given: unknown) =>
      argument.check('it', given, {});

  // biome-ignore format: one row a line
  const rows: [name: string, read: (given: unknown) => unknown, good: [unknown, unknown][], bad: unknown[], wanted: string][] = [
    ['integer', of(integer({ from: 1, to: 3 })), [[1, 1], [3, 3]], [0, 4, 1.5, '1', null], 'it: wanted an integer from 1 to 3, got'],
    ['number', of(number()), [[0.5, 0.5], [-1, -1]], [Number.NaN, Infinity, '1'], 'it: wanted a number that is finite, got'],
    ['oneOf', of(oneOf('a', 2)), [['a', 'a'], [2, 2]], ['b', 3, '2'], "it: wanted 'a' or 2, got"],
    ['flag', of(flag(true)), [[true, true], [false, false]], [0, 'true', null], 'it: wanted true or false, got'],
    ['rate', of(rate()), [[0, 0], [0.5, 0.5]], [1, -0.1, '0'], 'it: wanted a number from 0, below 1, got'],
    ['categories', of(categories({ from: 2 })), [[2, 2], [2 ** 24, 2 ** 24]], [1, 2 ** 24 + 1, 2.5], 'it: wanted'],
    ['oddLengths', of(oddLengths()), [[3, [3, 3]], [[1, 5], [1, 5]]], [2, [3, 4], [3], '3'], 'it: wanted an odd integer or two of them, got'],
    ['lengths', of(lengths()), [[2, [2, 2]], [[1, 4], [1, 4]]], [0, [2, -1], 1.5], 'it: wanted a positive integer or two of them, got'],
    ['callback', of(callback()), [[String, String]], [3, {}, 'String'], 'it: wanted a function, got'],
    ['seed', of(optionalSeed()), [[-3, -3]], [0.5, '1'], 'it: wanted an integer, got'],
    ['signal', of(optionalSignal()), [], [{}, 3], 'it: wanted an AbortSignal, got'],
    ['group', of(group({ on: flag(false) })), [[{ on: true }, { on: true }], [{}, { on: false }]], [3, [], null], 'it: wanted an object of arguments, got'],
    ['wordOr', of(wordOr(['plain'], { units: integer() })), [['plain', 'plain'], [{ units: 2 }, { units: 2 }]], ['plane', 3], "it: wanted 'plain' or { units }, got"],
    ['checked', of(checked((what, given) => `${what} ${given}`)), [[1, 'it 1']], [], ''],
    ['anything', of(anything()), [[3, 3], [undefined, undefined]], [], ''],
  ];

  it.each(rows)('%s', (_, read, good, bad, wanted) => {
    for (const [given, value] of good) expect(read(given)).toEqual(value);
    for (const given of bad) expect(() => read(given)).toThrow(wanted);
  });

  it('of groups are named in errors', () => {
    const nested = { inner: group({ units: integer({ from: 1 }) }), input: wordOr(['plain'], { units: integer({ from: 1 }) }) };
    const read = (given: object) => () => readArguments('make', { inner: { units: 1 }, input: 'plain', ...given }, nested);
    expect(read({})()).toEqual({ inner: { units: 1 }, input: 'plain' });
    expect(read({ inner: { units: 0 } })).toThrow('make: inner: units: wanted an integer of at least 1, got 0');
    expect(read({ inner: { unit: 1 } })).toThrow("make: inner: unknown option 'unit': did you mean units?");
    expect(read({ input: { units: 0 } })).toThrow('make: input: units: wanted an integer of at least 1, got 0');
  });

  it('a signal that has aborted stops at once', () => {
    const read = of(optionalSignal());
    expect(read(new AbortController().signal)).toBeInstanceOf(AbortSignal);
    expect(() => read(AbortSignal.abort(new Error('enough')))).toThrow('enough');
  });
});
