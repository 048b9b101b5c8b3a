import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sigmoid, tanh } from '../../src/kernels/functions';

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
