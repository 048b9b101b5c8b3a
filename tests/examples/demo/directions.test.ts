import { expect, it } from 'vitest';
import { directionsFor } from '../../../examples/demo/parts/directions.mjs';

it.each([
  ['0000 0000 1111 1111', ['from bottom to top']],
  ['1100 1100 1100 1100', ['from left to right']],
  ['0001 0001 0001 0001', ['from right to left']],
  ['0000 0000 0000 0001', ['from bottom to top', 'from right to left']],
  ['0000 0000 1000 1111', ['from bottom to top']],
  ['1111 1111 0000 0000', []], // as ever, from top to bottom
  ['1111 1000 0000 0000', []],
  ['1111 1001 1001 1111', []], // a hole
  ['0000 0000 0000 0000', []],
  ['1111 1111 1111 1111', []],
])('%s comes first %j', (pixels, wanted) => {
  expect(directionsFor(Uint8Array.from(pixels.replaceAll(' ', ''), Number), 4)).toEqual(wanted);
});
