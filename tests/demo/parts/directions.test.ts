import { expect, it } from 'vitest';
import { directionsFor } from '../../../demo/parts/directions.mjs';

/** Of rows of four. */
const known = (pixels: string) => Uint8Array.from(pixels.replaceAll(' ', ''), Number);

it.each([
  ['0000 0000 1111 1111', ['from bottom to top']],
  ['1100 1100 1100 1100', ['from left to right']],
  ['0001 0001 0001 0001', ['from right to left']],
  ['0000 0000 0000 0001', ['from bottom to top', 'from right to left']],
  ['0000 0000 1000 1111', ['from bottom to top']],
  ['1111 1111 0000 0000', []], // as ever, from top to bottom
  ['1111 1001 1001 1111', []], // a hole
  ['0000 0000 0000 0000', []],
  ['1111 1111 1111 1111', []],
])('%s comes first %j', (pixels, wanted) => {
  expect(directionsFor(known(pixels), 4, [0, 1, 2, 3, 4, 5, 6, 7])).toEqual(wanted);
});

it('names only the orders that the model draws in', () => {
  const transposed = [4];
  expect(directionsFor(known('1100 1100 1100 1100'), 4, transposed)).toEqual(['from left to right']);
  expect(directionsFor(known('0001 0001 0001 0001'), 4, transposed)).toEqual([]);
});
