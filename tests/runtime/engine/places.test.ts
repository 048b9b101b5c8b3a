import { expect, it } from 'vitest';
import { firstAlike, hasRow } from '../../../src/runtime/engine/places';

it('places hold a row where they hold one that is alike, and few rows are not', () => {
  for (const most of [1, 2, 4, 8]) {
    const all = [1, 2, 4, 8].flatMap((every) => (every > most ? [] : [0, every >> 1].map((row) => ({ every, row, column: 0 }))));
    const kinds = new Set<number>();
    for (let row = 0; row < 40; row++) {
      const like = firstAlike(row, most);
      kinds.add(like);
      for (const places of all) expect(hasRow(places, like)).toBe(hasRow(places, row));
    }
    expect(kinds.size).toBe(1 + Math.log2(most));
  }
});
