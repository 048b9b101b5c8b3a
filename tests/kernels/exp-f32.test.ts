import fc from 'fast-check';
import { expect, it } from 'vitest';
import { expFloat32 } from '../../src/kernels/exp-f32';

it('is e^x to seven digits, of float32 numbers of at most 0', () => {
  fc.assert(
    fc.property(fc.float({ min: -87, max: 0, noNaN: true }), (x) => {
      expect(Math.abs(expFloat32(x) / Math.exp(x) - 1)).toBeLessThan(3e-7);
    }),
    { numRuns: 2000 },
  );
});

it('is exact at 0, 0 far below, and keeps NaN', () => {
  expect([0, -0, -88, Number.NEGATIVE_INFINITY].map(expFloat32)).toEqual([1, 1, 0, 0]);
  expect(expFloat32(Number.NaN)).toBeNaN();
});
