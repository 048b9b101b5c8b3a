import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expFloat32, oneMinusExpFloat32 } from '../../src/kernels/exp-f32';

const { NaN: nan, NEGATIVE_INFINITY } = Number;

describe('expFloat32', () => {
  it('is e^x to seven digits, of float32 numbers of at most 0', () => {
    fc.assert(
      fc.property(fc.float({ min: -87, max: 0, noNaN: true }), (x) => {
        expect(Math.abs(expFloat32(x) / Math.exp(x) - 1)).toBeLessThan(1.2e-7);
      }),
      { numRuns: 2000 },
    );
  });

  it('is exact at 0, 0 far below, and keeps NaN', () => {
    expect([0, -0, -88, NEGATIVE_INFINITY, nan].map(expFloat32)).toEqual([1, 1, 0, 0, nan]);
  });
});

describe('oneMinusExpFloat32', () => {
  it('is 1 - e^x to seven digits, also next to 0', () => {
    const inputs = fc.oneof(
      fc.float({ min: -20, max: 0, noNaN: true }), // of any magnitude
      fc.double({ min: -2, max: 0, noNaN: true }).map(Math.fround),
    );
    fc.assert(
      fc.property(inputs, (x) => {
        const right = -Math.expm1(x);
        expect(Math.abs(oneMinusExpFloat32(x) - right)).toBeLessThanOrEqual(1.2e-7 * right);
      }),
      { numRuns: 4000 },
    );
  });

  it('is exact at 0, 1 far below, and keeps NaN', () => {
    expect([0, -0, -88, NEGATIVE_INFINITY, nan].map(oneMinusExpFloat32)).toEqual([0, 0, 1, 1, nan]);
  });
});
