import { expect, it } from 'vitest';
import { indexOfPlace, placeOf, sizeOf } from '../../src/image-model/place';

it('counts places in the order rows, columns, channels', () => {
  const shape = [2, 3, 4] as const;
  expect(sizeOf(shape)).toBe(24);
  expect(placeOf(0, shape)).toEqual([0, 0, 0]);
  expect(placeOf(23, shape)).toEqual([1, 2, 3]);
  expect(placeOf(17, shape)).toEqual([1, 1, 1]); // 12 in row 0, 4 in the pixel before, 1
  for (let index = 0; index < 24; index++) expect(indexOfPlace(placeOf(index, shape), shape)).toBe(index);
});
