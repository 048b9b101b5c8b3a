import { describe, expect, it } from 'vitest';
import {
  checkImages,
  checkLevels,
  indexOfPlace,
  levelsArray,
  normalizedLevel,
  placeOf,
  positions,
  resolveImageShape,
  valuesOf,
} from '../../../src/runtime/core/images';
import { sampled } from '../../support/runs';

it('counts places in the order rows, columns, channels', () => {
  const shape = [2, 3, 4] as const;
  expect(valuesOf(shape)).toBe(24);
  expect(placeOf(0, shape)).toEqual([0, 0, 0]);
  expect(placeOf(23, shape)).toEqual([1, 2, 3]);
  expect(placeOf(17, shape)).toEqual([1, 1, 1]); // 12 in row 0, 4 in the pixel before, 1
  for (let index = 0; index < 24; index++) expect(indexOfPlace(placeOf(index, shape), shape)).toBe(index);
});

it('completes the shape of an image, and refuses another', () => {
  const any = [null, null, 2] as const;
  const fixed = [4, 5, 2] as const;
  expect(resolveImageShape('option', fixed, undefined)).toEqual([4, 5, 2]);
  expect(resolveImageShape('option', fixed, [4, 5, 2])).toEqual([4, 5, 2]);
  expect(resolveImageShape('option', any, [7, 8, 2])).toEqual([7, 8, 2]);
  expect(resolveImageShape('option', any, { length: 3, 0: 7, 1: 8, 2: 2 } as never)).toEqual([7, 8, 2]);
  type Shape = readonly (number | null)[];
  const wrong: [of: Shape, given: readonly number[] | undefined, message: string][] = [
    [any, undefined, 'wanted [H, W, 2], since'],
    [[null, 5, 2], undefined, 'wanted [H, W, 2], since'],
    [[4, null, 2], undefined, 'wanted [H, W, 2], since'],
    [fixed, [4, 4, 2], 'wanted [4, 5, 2], got [4, 4, 2]'],
    [fixed, [3, 5, 2], 'wanted [4, 5, 2], got [3, 5, 2]'],
    [fixed, [4, 5, 2, 1], 'wanted [4, 5, 2], got [4, 5, 2, 1]'],
    [any, [4, 4, 3], 'wanted [H, W, 2]'],
    [any, [4, 4], 'wanted [H, W, 2]'],
    [any, [0, 4, 2], 'wanted an integer of at least 1'],
    [any, [2 ** 14, 2 ** 14, 2], 'wanted sizes whose product is at most 268435456'],
  ];
  for (const [of, given, message] of wrong)
    expect(() => resolveImageShape('option', of as typeof any, given)).toThrow(`option: ${message}`);
});

it('brings levels to [0, 1], and keeps them in the smallest array', () => {
  expect([0, 4, 16].map((level) => normalizedLevel(level, 17))).toEqual([0, 0.25, 1]);
  const arrayOf = (levels: number) => levelsArray(3, levels).constructor.name;
  expect([2, 256, 257, 65536, 65537].map(arrayOf)).toEqual(['Uint8Array', 'Uint8Array', 'Uint16Array', 'Uint16Array', 'Int32Array']);
  expect(levelsArray(3, 2)).toHaveLength(3);
});

it('brings levels to [0, 1] so that float32 leads back to every level, of any number of levels up to 65536', () => {
  // The greater half of each will do: the others are these halved, again and again, which float32 does exactly.
  const normalized = normalizedLevel; // a billion calls: not looked up in its module each time
  let worst = 0;
  for (const fewer of sampled(65535, 200)) {
    const levels = 65536 - fewer;
    const most = levels - 1;
    for (let level = most >> 1; level <= most; level++) {
      const x = Math.fround(normalized(level, levels));
      const error = Math.fround(x * most) - level;
      if (!(error * error <= worst)) worst = error * error;
    }
  }
  expect(Math.sqrt(worst)).toBe(2 ** -9); // the last bit of 65535 in float32 is 2^-8: half of it, far below 0.5
});

describe('checkImages', () => {
  it('takes levels of every kind of array, with their shape', () => {
    for (const data of [Uint8Array.of(0, 1), Uint16Array.of(0, 1), Int32Array.of(0, 1), [0, 1]]) {
      const images = { data, shape: [1, 1, 2, 1] };
      expect(checkImages('option', images)).toEqual(images);
    }
  });

  it.each([
    [undefined, 'option: wanted images of levels [N,H,W,C], got undefined'],
    [null, 'option: wanted images of levels [N,H,W,C], got null'],
    [[1], 'option: wanted images of levels [N,H,W,C], got [1]'],
    [{ data: [1], shape: [1, 1, 1] }, 'option: wanted images of levels [N,H,W,C], got [1, 1, 1]'],
    [{ data: [], shape: [0, 1, 1, 1] }, 'option: shape: wanted an integer of at least 1, got 0'],
    [{ data: [], shape: [0.5, 1, 1, 1] }, 'option: shape: wanted an integer of at least 1, got 0.5'],
    [{ data: [1], shape: [1, 1, 1, 2] }, 'option: data: wanted 2 levels, got 1'],
    [{ shape: [1, 1, 1, 1] }, 'option: data: wanted 1 levels, got undefined'],
    [{ shape: [1, 1, 1, 1], data() {} }, 'option: wanted images of levels { data, shape }, got Object'],
  ])('names an invalid shape: %o', (images, message) => {
    expect(() => checkImages('option', images)).toThrow(new TypeError(message));
  });

  it('leaves their numbers to another', () => {
    expect(() => checkLevels('option', [0, 1, 2], 3)).not.toThrow();
    expect(() => checkLevels('option', [0.5], 3)).toThrow('option: wanted integer levels 0 to 2, not normalized, got 0.5');
    for (const bad of [-1, 3, Number.NaN])
      expect(() => checkLevels('option', [0, bad], 3)).toThrow(`option: wanted integer levels 0 to 2, got ${bad}`);
  });
});

it('measures places from the middle of a map, in heights and widths', () => {
  const rows = [-0.5, 0];
  const columns = [-0.5, -0.25, 0, 0.25];
  const wanted = rows.flatMap((row) => columns.flatMap((column) => [row, column]));
  expect(Array.from(positions(2, 4))).toEqual(wanted);
});
