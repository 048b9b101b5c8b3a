import { expect, it } from 'vitest';
import { EVERYWHERE, firstAlike, hasColumn, hasRow, type Places, placesOfScale } from '../../../src/runtime/engine/places';

/** The rows, or columns, of 0..11 that are some of the places. */
const rowsOf = (places: Places) => [...Array(12).keys()].filter((row) => hasRow(places, row));
const columnsOf = (places: Places) => [...Array(12).keys()].filter((column) => hasColumn(places, column));

it('are every so many rows and columns, from one place on', () => {
  expect(rowsOf(EVERYWHERE)).toEqual([...Array(12).keys()]);
  expect(rowsOf(placesOfScale(4))).toEqual([0, 4, 8]);
  const places = { every: 4, row: 2, column: 0 };
  expect(rowsOf(places)).toEqual([2, 6, 10]);
  expect(columnsOf(places)).toEqual([0, 4, 8]);
});

it('hold a row where they hold one that is alike, and few rows are not', () => {
  for (const most of [1, 2, 4, 8]) {
    const all: Places[] = [];
    for (let every = 1; every <= most; every *= 2) {
      all.push({ every, row: 0, column: 0 });
      if (every > 1) all.push({ every, row: every / 2, column: 0 });
    }
    const kinds = new Set<number>();
    for (let row = 0; row < 40; row++) {
      const like = firstAlike(row, most);
      kinds.add(like);
      for (const places of all) expect(hasRow(places, like)).toBe(hasRow(places, row));
    }
    expect(kinds.size).toBe(1 + Math.log2(most));
  }
});
