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
  it('is the hyperbolic tangent, within 1e-11, and odd', () => {
    const inputs = fc.oneof(numbers, fc.double({ min: -3, max: 3, noNaN: true }));
    fc.assert(
      fc.property(inputs, (x) => {
        expect(Math.abs(tanh(x) - Math.tanh(x))).toBeLessThan(1e-11);
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
    fc.float({ min: -100, max: 100, noNaN: true }),
    fc.float({ min: -3, max: 3, noNaN: true }),
  );

  it('is what it says, within 2e-7, and float32', () => {
    fc.assert(
      fc.property(float32, float32, (a, b) => {
        const y = tanhTimesSigmoid(a, b);
        expect(Math.abs(y - Math.tanh(a) / (1 + Math.exp(-b)))).toBeLessThan(2e-7);
        expect(Math.fround(y)).toBe(y);
      }),
      { numRuns: 2000 },
    );
  });

  it('has its limits, and keeps NaN', () => {
    const { NEGATIVE_INFINITY, POSITIVE_INFINITY } = Number;
    expect(tanhTimesSigmoid(POSITIVE_INFINITY, POSITIVE_INFINITY)).toBe(1);
    expect(tanhTimesSigmoid(NEGATIVE_INFINITY, 0)).toBe(-0.5);
    expect(tanhTimesSigmoid(3, NEGATIVE_INFINITY)).toBe(0);
    expect(tanhTimesSigmoid(0, 5)).toBe(0);
    expect(tanhTimesSigmoid(Number.NaN, 1)).toBeNaN();
    expect(tanhTimesSigmoid(1, Number.NaN)).toBeNaN();
  });
});
