import { expect, it } from 'vitest';
import { auroc, aurocError } from '../../../kit/models/auroc.mjs';

it('is the share of pairs in which the first score is higher, where equal ones count half', () => {
  const [first, second] = [[3, 1, 4, 1, 5], [2, 1, 3]]; // biome-ignore format: two lists
  const pairs = first.flatMap((a) => second.map((b) => (a > b ? 1 : a === b ? 0.5 : 0)));
  expect(pairs.reduce<number>((sum, one) => sum + one, 0)).toBe(2.5 + 0.5 + 3 + 0.5 + 3);
  expect(auroc(first, second)).toBeCloseTo(9.5 / 15, 12);
  expect(auroc([2, 3], [0, 1])).toBe(1);
  expect(auroc([0, 1], [2, 3])).toBe(0);
  expect(auroc([7, 7], [7])).toBe(0.5);
});

it('has the standard error of Hanley and McNeil, who find 0.032 for 58 normal and 51 abnormal images', () => {
  // A = 0.893: Q1 = A / (2 - A) = 0.806685, Q2 = 2 A^2 / (1 + A) = 0.842524, A^2 = 0.797449.
  const variance = (0.893 * 0.107 + 50 * (0.806685 - 0.797449) + 57 * (0.842524 - 0.797449)) / (51 * 58);
  expect(aurocError(0.893, 51, 58)).toBeCloseTo(Math.sqrt(variance), 6);
  expect(aurocError(0.893, 51, 58)).toBeCloseTo(0.0325, 4);
  expect(aurocError(0.107, 58, 51)).toBeCloseTo(0.0325, 4); // the kinds exchanged
  expect(aurocError(1, 10, 10)).toBe(0);
});
