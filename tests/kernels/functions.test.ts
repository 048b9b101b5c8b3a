import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sigmoid, tanh, tanhTimesSigmoid } from '../../src/kernels/functions';

const numbers = fc.double({ min: -600, max: 600, noNaN: true });

describe('sigmoid', () => {
  it('is 1 / (1 + e^-x) to 10 digits', () => {
    fc.assert(
      fc.property(numbers, (x) => {
        expect(Math.abs(sigmoid(x) * (1 + Math.exp(-x)) - 1)).toBeLessThan(1e-10);
      }),
    );
    for (const x of [-1, -0.1, 0.1, 1]) expect(sigmoid(x) + sigmoid(-x)).toBeCloseTo(1, 10);
  });

  it('has its limits, and keeps NaN', () => {
    const inputs = [Number.NEGATIVE_INFINITY, -1000, 0, 1000, Number.POSITIVE_INFINITY];
    expect(inputs.map(sigmoid)).toEqual([0, 0, 0.5, 1, 1]);
    expect(sigmoid(Number.NaN)).toBeNaN();
  });
});

describe('tanh', () => {
  it('is the hyperbolic tangent to 11 digits, however small, and odd', () => {
    const small = fc.double({ min: -12, max: 1, noNaN: true }).map((exponent) => 10 ** exponent);
    fc.assert(
      fc.property(fc.oneof(numbers, small), (x) => {
        expect(Math.abs(tanh(x) - Math.tanh(x))).toBeLessThanOrEqual(1e-11 * Math.abs(Math.tanh(x)));
        expect(tanh(-x)).toBe(-tanh(x));
      }),
    );
  });

  it('has its limits, and keeps NaN', () => {
    const inputs = [Number.NEGATIVE_INFINITY, -1000, 0, 1000, Number.POSITIVE_INFINITY];
    expect(inputs.map(tanh)).toEqual([-1, -1, 0, 1, 1]);
    expect(tanh(Number.NaN)).toBeNaN();
  });
});

describe('tanhTimesSigmoid', () => {
  const float32 = fc.oneof(
    fc.float({ min: -80, max: 80, noNaN: true }), // of any magnitude
    fc.double({ min: -3, max: 3, noNaN: true }).map(Math.fround),
  );

  it('is what it says to seven digits, however small, and float32', () => {
    fc.assert(
      fc.property(float32, float32, (a, b) => {
        const y = tanhTimesSigmoid(a, b);
        const right = Math.tanh(a) / (1 + Math.exp(-b));
        // beside seven digits, numbers below 1e-38 have fewer
        expect(Math.abs(y - right)).toBeLessThanOrEqual(4e-7 * Math.abs(right) + 1e-44);
        expect(Math.fround(y)).toBe(y);
      }),
      { numRuns: 4000 },
    );
  });

  it('has its limits, keeps the sign of 0, and keeps NaN', () => {
    expect([0, -0].map((a) => tanhTimesSigmoid(a, 1))).toEqual([0, -0]);
    const { NEGATIVE_INFINITY, POSITIVE_INFINITY } = Number;
    expect(tanhTimesSigmoid(POSITIVE_INFINITY, POSITIVE_INFINITY)).toBe(1);
    expect(tanhTimesSigmoid(NEGATIVE_INFINITY, 0)).toBe(-0.5);
    expect(tanhTimesSigmoid(3, NEGATIVE_INFINITY)).toBe(0);
    expect(tanhTimesSigmoid(0, 5)).toBe(0);
    expect(tanhTimesSigmoid(Number.NaN, 1)).toBeNaN();
    expect(tanhTimesSigmoid(1, Number.NaN)).toBeNaN();
  });
});
