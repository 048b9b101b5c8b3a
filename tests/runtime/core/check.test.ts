import { describe, expect, it, vi } from 'vitest';
import { anything, optional, readArguments } from '../../../src/runtime/core/arguments';
import {
  checkBoolean,
  checkCategories,
  checkFeatures,
  checkFields,
  checkFunction,
  checkInteger,
  checkKernelSize,
  checkLevel,
  checkList,
  checkMaxValues,
  checkMemory,
  checkNumber,
  checkOneOf,
  checkRecord,
  show,
  throwTypeError,
} from '../../../src/runtime/core/check';
import { readPortable, sample, writePortable } from '../../../src/runtime/index';
import { errorOf } from '../../support/errors';
import { portableModel } from '../../support/models/portable-model.mjs';

/** Reads arguments of these names, of any values. */
const checkArgs = (what: string, args: unknown, names: object) =>
  readArguments(what, args, Object.fromEntries(Object.keys(names).map((name) => [name, optional(anything())])));

/** The message of the error that something throws. */
function messageOf(act: () => void): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as Error).message;
  }
  return expect.unreachable();
}

describe('checks name the option, what was wanted and what came', () => {
  it('shows values of every kind', () => {
    const message = (got: unknown) => messageOf(() => throwTypeError('option', 'more', got));
    const endless: unknown[] = [];
    endless.push(endless);
    expect(message(endless)).toBe('option: wanted more, got [[[[[…]]]]]');
    expect(message('text')).toBe("option: wanted more, got 'text'");
    expect(message(1.5)).toBe('option: wanted more, got 1.5');
    expect(message(0n)).toBe('option: wanted more, got 0n');
    expect(message([1, 2, 3, 4, 5, 6, 7, 8])).toBe('option: wanted more, got [1, 2, 3, 4, 5, 6, 7, 8]');
    expect(message([1, null, 'x'])).toBe("option: wanted more, got [1, null, 'x']");
    expect(message(new Array(60000).fill(1))).toBe('option: wanted more, got [1, 1, 1, 1, 1, 1, 1, 1, … (60000)]');
    expect(message(undefined)).toBe('option: wanted more, got undefined');
    expect(message(new Date())).toBe('option: wanted more, got Date');
    expect(message(Object.create(null))).toBe('option: wanted more, got an object');
    expect(message(Promise.resolve())).toBe('option: wanted more, got a Promise (is an await missing?)');
    expect(message(Math.max)).toBe('option: wanted more, got a function');
  });

  it('keeps messages short, however long names and values are', () => {
    const long = `begin${'-'.repeat(1e6)}end`;
    for (const value of [long, [long], 10n ** 5000n, { [long]: () => {} }[long]]) expect(show(value).length).toBeLessThan(500);
    expect(show(long)).toMatch(/^'begin-+ … \(1000008 letters\)'$/);
    const nested = (...shape: number[]): unknown =>
      shape.length === 0 ? 1 / 3 : Array.from({ length: shape[0] as number }, () => nested(...shape.slice(1)));
    expect(show(nested(9, 8, 8, 8)).length).toBeLessThan(200);
    expect(show(nested(2, 2, 2, 1))).toBe(
      '[[[[0.3333333333333333], [0.3333333333333333]], [[0.3333333333333333], [0.3333333333333333]]], … (2)]',
    );
    expect(show([long, long, long]).length).toBeLessThan(500);
    expect(show('-'.repeat(400))).toBe(`'${'-'.repeat(400)}'`);
    expect(messageOf(() => checkInteger(long, long)).length).toBeLessThan(1500);
    expect(messageOf(() => checkFields(long, {}, [long])).length).toBeLessThan(1500);
  });

  it('unknown options, with the nearest name', () => {
    const names = { temperature: true, levels: true, numImages: true, topK: true } as const;
    const message = (args: object) => () => checkArgs('sample: options', args, names);
    expect(message({ temperature: 1, topK: undefined })()).toEqual({ temperature: 1, topK: undefined });
    expect(message({ levels: 4, temprature: 0.1 })).toThrow("sample: options: unknown option 'temprature': did you mean temperature?");
    // part of a longer name, or a longer name of which it is part; case does not matter
    expect(message({ numLevels: 4 })).toThrow("unknown option 'numLevels': did you mean levels?");
    expect(message({ images: 4 })).toThrow("unknown option 'images': did you mean numImages?");
    expect(message({ topk: 4 })).toThrow("unknown option 'topk': did you mean topK?");
    expect(message({ otpK: 4 })).toThrow("unknown option 'otpK': did you mean topK?"); // letters in another order
    expect(message({ xtyK: 4 })).toThrow("unknown option 'xtyK': wanted one of"); // two of four letters
    expect(message({ n: 4 })).toThrow("unknown option 'n': wanted one of"); // in most names
    expect(message({ ['x'.repeat(3e6)]: 1 })).toThrow(/unknown option 'x{64}': wanted one of/); // at once
    expect(message([])).toThrow('sample: options: wanted an object of arguments, got []');
    expect(message({ strides: 2 })).toThrow("unknown option 'strides': wanted one of temperature, levels, numImages, topK");
  });

  const taken: [what: string, value: unknown, check: () => unknown][] = [
    ['an integer', 3, () => checkInteger('n', 3, 1)],
    ['one below 0', -3, () => checkInteger('n', -3)],
    ['the greatest of a range', 4, () => checkInteger('n', 4, 2, 4)],
    ['the least of a range', 1, () => checkInteger('n', 1, 1)],
    ['the greatest there is', 2 ** 53 - 1, () => checkInteger('n', 2 ** 53 - 1)],
    ['the greatest there is, of a range', 2 ** 53 - 1, () => checkInteger('n', 2 ** 53 - 1, 1)],
    ['a number', 0.5, () => checkNumber('x', 0.5, 'above 0', (x) => x > 0)],
    ['false', false, () => checkBoolean('b', false)],
    ['a choice', 'A', () => checkOneOf('t', 'A', ['A', 'B'])],
    ...[0, 16].map((level): (typeof taken)[number] => [`level ${level}`, level, () => checkLevel('x', level, 17)]),
    ['one number for a square', [3, 3], () => checkKernelSize('k', 3)],
    ['rows and columns', [5, 3], () => checkKernelSize('k', [5, 3])],
    ['as much as memory has', undefined, () => checkMemory('m', [2 ** 14, 2 ** 14])],
    ['as many categories as float32 has', 2 ** 24, () => checkCategories('c', 2 ** 24, 2)],
    ['features that channels split', 12, () => checkFeatures('f', 12, 3)],
    ['arguments', { a: 1 }, () => checkArgs('options', { a: 1 }, { a: true })],
    ['a function', Math.max, () => checkFunction('f', Math.max)],
  ];

  it.each(taken)('take %s', (_, value, check) => {
    expect(check()).toEqual(value);
  });

  const positive = (x: unknown) => () => checkNumber('x', x as number, 'above 0', (x) => x > 0);
  const refused: [message: string, check: () => unknown][] = [
    ['n: wanted an integer of at least 1, got 0', () => checkInteger('n', 0, 1)],
    ['n: wanted an integer, got 1.5', () => checkInteger('n', 1.5)],
    ["n: wanted an integer of at least 1, got '3'", () => checkInteger('n', '3', 1)],
    ['n: wanted an integer, got NaN', () => checkInteger('n', Number.NaN)],
    ['n: wanted an integer, got Infinity', () => checkInteger('n', Number.POSITIVE_INFINITY)],
    ['n: wanted an integer from 2 to 4, got 5', () => checkInteger('n', 5, 2, 4)],
    ['n: wanted a safe integer, got 9007199254740992', () => checkInteger('n', 2 ** 53)],
    ['n: wanted a safe integer, got -9', () => checkInteger('n', -(2 ** 53))],
    ['n: wanted a safe integer of at least 1', () => checkInteger('n', 2 ** 53, 1)],
    ['n: wanted a safe integer from 1 to 4, got 9', () => checkInteger('n', 2 ** 53, 1, 4)],
    ['n: wanted a safe integer of at least 1, got -9', () => checkInteger('n', -(2 ** 53), 1)],
    ['x: wanted a number above 0, got 0', positive(0)],
    ['x: wanted a number above 0, got NaN', positive(Number.NaN)],
    ['x: wanted a number above 0, got Infinity', positive(Number.POSITIVE_INFINITY)],
    ["x: wanted a number above 0, got '1'", positive('1')],
    ['b: wanted true or false, got 0', () => checkBoolean('b', 0)],
    ["f: wanted a function, got 'max'", () => checkFunction('f', 'max')],
    ['f: wanted a function, got null', () => checkFunction('f', null)],
    ['options: wanted an object of arguments, got null', () => checkArgs('options', null as unknown as object, {})],
    ['options: wanted an object of arguments, got 3', () => checkArgs('options', 3 as unknown as object, {})],
    ["t: wanted 'A' or 'B', got 'a': did you mean 'A'?", () => checkOneOf('t', 'a', ['A', 'B'])],
    ["t: wanted 'A' or 'B', got 'C'", () => checkOneOf('t', 'C', ['A', 'B'])], // nothing is left of either
    ["t: wanted 'A' or 'B', got ''", () => checkOneOf('t', '', ['A', 'B'])],
    ["t: wanted 'auto' or 'full', got 'ful': did you mean 'full'?", () => checkOneOf('t', 'ful', ['auto', 'full'])],
    ["t: wanted 1 or 11, got '1'", () => checkOneOf('t', '1', [1, 11])],
    ['k: wanted 0 or 1, got 2', () => checkOneOf('k', 2, [0, 1])],
    ...[17, -1, Number.NaN, Infinity].map((bad): (typeof refused)[number] =>
      [`x: wanted integer levels 0 to 16, got ${bad}`, () => checkLevel('x', bad, 17, ', not normalized')]),
    ['x: wanted integer levels 0 to 16, got 0.5', () => checkLevel('x', 0.5, 17)],
    ...[0.5, -0.25].map((bad): (typeof refused)[number] =>
      [`x: wanted integer levels 0 to 16, not normalized, got ${bad}`, () => checkLevel('x', bad, 17, ', not normalized')]),
    ...[2, [3, 2], [3], [3, 3, 3], -1, 0, '3', null, [3, Number.NaN]].map((bad): (typeof refused)[number] =>
      [`k: wanted an odd integer or two of them, got ${show(bad)}`, () => checkKernelSize('k', bad)]),
    ['m: wanted sizes whose product is at most 268435456, got [16384, 16385]', () => checkMemory('m', [2 ** 14, 2 ** 14 + 1])],
    ['m: wanted sizes', () => checkMemory('m', [1e200, 1e200])],
    ['c: wanted at most 2^24, the most that float32', () => checkCategories('c', 2 ** 24 + 1, 2)],
    ['c: wanted an integer of at least 2, got 1', () => checkCategories('c', 1, 2)],
    ['f: wanted a multiple of imageChannels (3), got 10; set imageChannels to 1 for grey images or ungrouped features', () => checkFeatures('f', 10, 3)],
    ['f: wanted a multiple of 2 * imageChannels (6), got 10; set imageChannels to 1', () => checkFeatures('f', 10, 6, '2 * imageChannels')],
    ['f: wanted a multiple of 2 * groups (6), got 10', () => checkFeatures('f', 10, 6, '2 * groups')],
    ['f: wanted an integer of at least 1, got 0', () => checkFeatures('f', 0, 3)],
  ]; // biome-ignore format: a case a line

  it.each(refused)('say: %s', (message, check) => {
    expect(check).toThrow(errorOf(TypeError, message));
  });
});

describe('checks of values from files and callers', () => {
  it('records, and their fields', () => {
    const record = { a: 1, b: 2 };
    expect(checkRecord('r', record)).toBe(record);
    for (const bad of [3, null, [1], undefined]) expect(() => checkRecord('r', bad)).toThrow('r: wanted an object, got ');
    expect(checkFields('r', record, ['a', 'b'])).toBe(record);
    expect(checkFields('r', record, ['a'], ['b', 'c'])).toBe(record);
    expect(() => checkFields('r', record, ['a', 'c'], ['b'])).toThrow("r: wanted a field 'c', got ['a', 'b']");
    expect(() => checkFields('r', record, ['a'], ['c'])).toThrow("r: wanted no fields but a, c, got 'b'");
    expect(() => checkFields('r', Object.create(record), ['a'])).toThrow("wanted a field 'a'"); // not inherited
  });

  it('lists', () => {
    const list = [1, 2];
    expect([checkList('l', list), checkList('l', list, 2)]).toEqual([list, list]);
    expect(() => checkList('l', { length: 2 }, 2)).toThrow('l: wanted a list, got Object');
    expect(() => checkList('l', list, 3)).toThrow('l: wanted 3 items, got [1, 2]');
  });

  it('numbers of values', () => {
    expect(() => checkMaxValues('v', 5, 5)).not.toThrow();
    expect(() => checkMaxValues('v', 6, 5)).toThrow(new RangeError('v: wanted at most 5 values (maxValues), got 6'));
  });

  it('kernels of any size', () => {
    expect(checkKernelSize('k', [2, 1], true)).toEqual([2, 1]);
    for (const bad of [0, [2, -1], 0.5])
      expect(() => checkKernelSize('k', bad, true)).toThrow('k: wanted a positive integer or two of them, got ');
  });
});

it('checks suggest a name with a quarter of its letters wrong, and of its parts the longest', () => {
  const named =
    (name: string, ...known: string[]) =>
    () =>
      checkArgs('o', { [name]: 1 }, Object.fromEntries(known.map((one) => [one, true])) as never);
  expect(named('wxcdefgh', 'abcdefgh')).toThrow('did you mean abcdefgh?');
  expect(named('wxydefgh', 'abcdefgh')).toThrow('wanted one of abcdefgh');
  expect(named('abcdefgh', 'abc', 'abcde')).toThrow('did you mean abcde?');
});

it('refuses big-endian processors wherever numbers in memory are read as bytes', async () => {
  const model = portableModel();
  const file = writePortable(model);
  const of = vi.spyOn(Uint16Array, 'of').mockReturnValue(Uint16Array.from([0x100])); // the bytes of 1 there
  const message = 'pixelcnn-layers needs a little-endian processor';
  expect(() => writePortable(model)).toThrow(message);
  expect(() => readPortable(file)).toThrow(message);
  await expect(sample(model)).rejects.toThrow(message);
  of.mockRestore();
});
