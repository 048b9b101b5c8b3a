import { expect, it } from 'vitest';
import { logMeanExp, mean, standardError, sum, sumByImage } from '../../../kit/models/statistics.mjs';

it('sums and averages, and says how far a mean may be off', () => {
  const xs = Float64Array.of(1, 2, 6);
  expect([sum(xs), mean(xs)]).toEqual([9, 3]);
  expect(standardError(xs)).toBeCloseTo(Math.sqrt((4 + 1 + 9) / (3 * 2)), 12);
});

it('averages probabilities by their logarithms, however small they are', () => {
  expect(logMeanExp([Math.log(1), Math.log(3)])).toBeCloseTo(Math.log(2), 12);
  expect(logMeanExp([-2000, -2000, -Infinity, -Infinity])).toBeCloseTo(-2000 - Math.log(2), 12);
});

it('sums over the places of each image', () => {
  expect(sumByImage([1, 2, 3, 4, 5, 6], 3)).toEqual([6, 15]);
  expect(sumByImage(Float64Array.of(1, 2, 3, 4, 5, 6), 3, (place) => place > 0)).toEqual([5, 11]);
});
