import fc from 'fast-check';
import { expect, it } from 'vitest';
import { exp } from '../../src/kernels/exp';

it('is e^x to 11 digits', () => {
  fc.assert(
    fc.property(fc.double({ min: -700, max: 700, noNaN: true }), (x) => {
      expect(Math.abs(exp(x) / Math.exp(x) - 1)).toBeLessThan(1e-11);
    }),
    { numRuns: 2000 },
  );
});

it('is exact where it must be, and has limits', () => {
  expect([0, -1e-44, -800, Number.NEGATIVE_INFINITY, 800, Number.POSITIVE_INFINITY].map(exp)).toEqual([
    1,
    1,
    0,
    0,
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  ]);
  expect(exp(Number.NaN)).toBeNaN();
});

it('gives the same bits everywhere: a digest of many values', () => {
  let digest = 0;
  const bits = new Uint32Array(2);
  for (let i = -6000; i < 6000; i++) {
    new Float64Array(bits.buffer)[0] = exp(i / 9.7);
    digest = (Math.imul(digest, 31) + (bits[0] as number) + (bits[1] as number)) | 0;
  }
  expect(digest).toMatchInlineSnapshot(`-1742991997`);
});
