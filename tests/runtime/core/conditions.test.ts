import { describe, expect, it } from 'vitest';
import { sizeFromShape } from '../../../src/runtime/core/check';
import {
  type ConditionShape,
  checkKinds,
  conditionFeatures,
  conditionLabels,
  conditionShapeOf,
  isOfPlaces,
  numCategories,
  numConditions,
  randomConditions,
  readConditions,
  repeatedCondition,
  slicedCondition,
} from '../../../src/runtime/core/conditions';
import { errorOf } from '../../support/errors';

const classes: ConditionShape = { kind: 'class', numClasses: 4 };
const vectors: ConditionShape = { kind: 'vector', size: 2 };
const maps: ConditionShape = { kind: 'map', size: 2 };
const codes: ConditionShape = { kind: 'codes', levels: 5, shape: [1, 2] };
const IMAGE = [1, 3, 1] as const;

/** Reads conditions of two images. */
const readAll = (conditions: readonly ConditionShape[], given?: unknown) =>
  readConditions('caller: condition', conditions, given as never, 2, IMAGE);

/** Reads the condition of two images. */
const read = (condition: ConditionShape | null, given?: unknown) => {
  const [values = null, ...others] = readAll(condition === null ? [] : [condition], given);
  expect(others).toEqual([]);
  return values;
};

/** So many zeros, with a shape. */
const zeros = (...shape: number[]) => ({ data: new Float32Array(sizeFromShape(shape)), shape });

it('knows the shape of the condition of one image', () => {
  expect([classes, vectors, maps].map((condition) => conditionShapeOf(condition, IMAGE))).toEqual([[1], [2], [1, 3, 2]]);
  expect(conditionShapeOf({ ...maps, shape: [2, 4] }, IMAGE)).toEqual([2, 4, 2]);
  expect(sizeFromShape([1, 3, 2])).toBe(6);
});

describe('readConditions', () => {
  it('reads classes, as a number, as numbers, or with a shape', () => {
    expect(read(classes, 2)).toEqual({ shape: [1], values: Float32Array.of(2, 2) });
    for (const list of [[3, 0], Int32Array.of(3, 0), Uint8Array.of(3, 0)]) {
      const wanted = { shape: [1], values: Float32Array.of(3, 0) };
      expect(read(classes, list)).toEqual(wanted);
      expect(read(classes, { data: list, shape: [2] })).toEqual(wanted);
      expect(read(classes, { data: list, shape: [2, 1] })).toEqual(wanted);
    }
  });

  it('reads vectors and maps', () => {
    const vector = { data: [1, 2, 3, 4], shape: [2, 2] };
    expect(read(vectors, vector)).toEqual({ shape: [2], values: Float32Array.of(1, 2, 3, 4) });
    const map = { data: new Int32Array(12).fill(1), shape: [2, 1, 3, 2] };
    expect(read(maps, map)).toEqual({ shape: [1, 3, 2], values: new Float32Array(12).fill(1) });
  });

  it('copies the numbers, so that later changes have no effect', () => {
    const data = Float32Array.of(1, 2, 3, 4);
    const values = read(vectors, { data, shape: [2, 2] });
    data.fill(9);
    expect(values?.values).toEqual(Float32Array.of(1, 2, 3, 4));
  });

  it('is empty if the model takes none and none is given', () => {
    expect(read(null)).toBeNull();
  });

  it.each([
    [null, 1, 'wanted none, since the model takes no condition, got 1'],
    [classes, undefined, 'wanted a class from 0 to 3, or 2 of them, got undefined'],
    [classes, null, 'wanted a class from 0 to 3, or 2 of them, got null'],
    [classes, [0], 'wanted a class from 0 to 3, or 2 of them, got [0]'],
    [classes, [0, 1, 2], 'or 2 of them, got [0, 1, 2]'],
    [classes, zeros(), 'or 2 of them, got []'],
    [classes, zeros(1, 2), 'or 2 of them, got [1, 2]'],
    [classes, [0, 4], 'wanted an integer from 0 to 3, got 4'],
    [classes, -1, 'wanted an integer from 0 to 3, got -1'],
    [classes, { data: [0, Number.NaN], shape: [2] }, 'wanted an integer from 0 to 3, got NaN'],
    [{ kind: 'class', numClasses: 1 }, 1, 'wanted an integer from 0 to 0, got 1'],
    [vectors, { data: [1, 2] }, 'wanted numbers of shape [2,2], as { data, shape }, got Object'],
    [vectors, { shape: [2, 2] }, 'wanted numbers, got Object'],
    [vectors, [1, 2], 'wanted numbers of shape [2,2], as { data, shape }, got [1, 2]'],
    [vectors, zeros(2), 'wanted numbers of shape [2,2], got [2]'],
    [vectors, zeros(3, 2), 'wanted numbers of shape [2,2], got [3, 2]'],
    [vectors, { data: [1, 2, 3], shape: [2, 2] }, 'wanted 4 numbers for its shape, got 3'],
    [vectors, { data: [1, 2, 3, Number.NaN], shape: [2, 2] }, 'wanted finite numbers, got NaN'],
    [vectors, { data: BigInt64Array.of(1n, 2n, 3n, 4n), shape: [2, 2] }, 'wanted finite numbers, got 1n'],
    [vectors, { data: [1, 2, 3, 1e39], shape: [2, 2] }, 'wanted finite numbers, got 1e+39'], // infinite in float32
    [maps, undefined, 'wanted numbers of shape [2,1,3,2], as { data, shape }, got undefined'],
    [maps, zeros(2, 3, 1, 2), 'wanted numbers of shape [2,1,3,2], got [2, 3, 1, 2]'],
    [codes, undefined, 'wanted codes of shape [2,1,2], as { data, shape }, got undefined'],
    [codes, [0, 1, 1, 0], 'wanted codes of shape [2,1,2], as { data, shape }, got [0, 1, 1, 0]'],
    [codes, zeros(2, 2, 1), 'wanted codes of shape [2,1,2], got [2, 2, 1]'],
    [codes, { data: [0, 1, 5, 0], shape: [2, 1, 2] }, 'wanted an integer from 0 to 4, got 5'],
    [codes, { data: new BigInt64Array(4), shape: [2, 1, 2] }, 'wanted an integer from 0 to 4, got 0n'],
  ] as [ConditionShape | null, unknown, string][])('names what does not fit %o: %o', (condition, given, message) => {
    expect(() => read(condition, given)).toThrow(errorOf(TypeError, 'caller: condition: '));
    expect(() => read(condition, given)).toThrow(message);
  });
});

describe('several conditions', () => {
  const several = [maps, classes]; // in any order
  const map = zeros(2, 1, 3, 2);

  it('are read by name, in the order of the model', () => {
    const numbers = { data: Float32Array.from({ length: 12 }, (_, i) => i), shape: [2, 1, 3, 2] };
    expect(readAll(several, { class: [3, 0], map: numbers })).toEqual([
      { shape: [1, 3, 2], values: numbers.data },
      { shape: [1], values: Float32Array.of(3, 0) },
    ]);
  });

  it('may be given by name even if there is only one', () => {
    expect(read(classes, { class: 2 })).toEqual(read(classes, 2));
    expect(() => read(classes, { class: 4 })).toThrow('caller: condition.class: wanted an integer from 0 to 3, got 4');
    expect(() => read(classes, {})).toThrow('caller: condition.class: wanted a class from 0 to 3');
    expect(() => read(null, {})).toThrow('caller: condition: wanted none, since the model takes no condition');
  });

  it.each([
    [undefined, 'caller: condition: wanted { map, class }, since the model takes them, got undefined'],
    [[3, 0], 'caller: condition: wanted { map, class }, since the model takes them, got [3, 0]'],
    [map, 'caller: condition: wanted { map, class }'],
    [Promise.resolve(), 'got a Promise (is an await missing?)'],
    [{ class: 1 }, 'caller: condition.map: wanted numbers of shape [2,1,3,2], as { data, shape }, got undefined'],
    [{ map }, 'caller: condition.class: wanted a class from 0 to 3, or 2 of them, got undefined'],
    [{ map, class: { class: 1 } }, 'caller: condition.class: wanted a class from 0 to 3, or 2 of them, got Object'],
    [{ map, klass: 1 }, "caller: condition: unknown option 'klass': did you mean class?"],
    [{ map, class: 1, vector: 1 }, "caller: condition: unknown option 'vector': wanted one of map, class"],
  ] as [unknown, string][])('names what does not fit: %o', (given, message) => {
    expect(() => readAll(several, given)).toThrow(errorOf(TypeError, message));
  });

  it('may be one of a kind', () => {
    expect(() => checkKinds('caller', [classes, maps, vectors])).not.toThrow();
    expect(() => checkKinds('caller', [maps, classes, maps])).toThrow(
      "caller: wanted at most one condition of each kind, got ['map', 'class', 'map']",
    );
  });
});

describe('a null class', () => {
  const dropped: ConditionShape = { kind: 'class', numClasses: 4, nullClass: true };

  it('is one class more', () => {
    expect([numCategories({ kind: 'class', numClasses: 4 }), numCategories(dropped)]).toEqual([4, 5]);
    expect(read(dropped, [4, 0])?.values).toEqual(Float32Array.of(4, 0));
    expect(() => read(dropped, 5)).toThrow('wanted an integer from 0 to 4, got 5');
    expect(() => read(dropped, 'cat')).toThrow("wanted a class from 0 to 4, or 2 of them, got 'cat'");
  });

  it('comes too where classes are drawn at random', () => {
    const numbers = [0, 0.19, 0.2, 0.79, 0.8, 0.999];
    const drawn = randomConditions(dropped, 6, IMAGE, () => numbers.shift() as number);
    expect(Array.from(drawn.values)).toEqual([0, 0, 1, 3, 4, 4]);
  });
});

it('counts the images that conditions are for', () => {
  expect([{ class: [1, 2] }, { class: 3, map: zeros(5, 1) }, { map: zeros(0) }].map(numConditions)).toEqual([2, 5, 0]);
  expect([{}, { class: 1 }, { class: {} }].map(numConditions)).toEqual([undefined, undefined, undefined]);
  expect([[1, 2], Int32Array.of(1, 2, 3), zeros(4, 2)].map(numConditions)).toEqual([2, 3, 4]);
  expect([1, undefined, null].map(numConditions)).toEqual([undefined, undefined, undefined]);
});

it('slices the conditions of a batch, and repeats the conditions of one image', () => {
  const given = { shape: [2], values: Float32Array.of(1, 2, 3, 4, 5, 6) };
  expect(slicedCondition(given, 1, 2)).toEqual({ shape: [2], values: Float32Array.of(3, 4, 5, 6) });
  const one = { shape: [1, 1, 2], values: Float32Array.of(1, 2) };
  expect(repeatedCondition(one, 3)).toEqual({ shape: [1, 1, 2], values: Float32Array.of(1, 2, 1, 2, 1, 2) });
});

it('makes conditions at random', () => {
  const numbers = Array.from({ length: 400 }, (_, i) => (0.618 * i) % 1); // spread over [0, 1)
  const random = () => numbers.pop() as number;
  const drawn = randomConditions(classes, 100, IMAGE, random);
  expect(drawn.shape).toEqual([1]);
  expect(drawn.values).toHaveLength(100);
  expect(Array.from(new Set(drawn.values)).sort()).toEqual([0, 1, 2, 3]);
  const vector = randomConditions(vectors, 3, IMAGE, random);
  expect([vector.shape, vector.values.length]).toEqual([[2], 6]);
  const map = randomConditions(maps, 3, IMAGE, random);
  expect([map.shape, map.values.length]).toEqual([[1, 3, 2], 18]);
  expect(new Set(map.values).size).toBe(18);
  for (const value of [...vector.values, ...map.values]) expect(Math.abs(value)).toBeLessThanOrEqual(1);
});

it('reads conditions of no more images than memory has room for', () => {
  const one = () => readConditions('caller: condition', [classes], undefined, 1, IMAGE);
  expect(one).toThrow(new TypeError('caller: condition: wanted a class from 0 to 3, got undefined')); // without "or 1 of them"
  const of = (numImages: number) => () => readConditions('caller: condition', [vectors], zeros(1, 2), numImages, IMAGE);
  expect(of(2 ** 28)).toThrow('caller: condition: wanted numbers of shape [268435456,2], got [1, 2]');
  expect(of(2 ** 28 + 1)).toThrow(new RangeError('not enough memory for 268435457 images'));
});

it('describes the numbers of a place, whether places differ, and labels for messages', () => {
  const all = [classes, vectors, { kind: 'map', size: 3 }, codes] as const;
  expect(all.map(conditionFeatures)).toEqual([1, 2, 3, 1]);
  expect(all.map(isOfPlaces)).toEqual([false, false, true, true]);
  expect(conditionLabels('what', [maps])).toEqual(['what']);
  expect(conditionLabels('what', [maps, codes])).toEqual(['what.map', 'what.codes']);
});
