import { expect, it } from 'vitest';
import { auroc } from '../../../examples/lib/auroc.mjs';

it('is the share of pairs in which the first score is higher, where equal ones count half', () => {
  const [first, second] = [[3, 1, 4, 1, 5], [2, 1, 3]]; // biome-ignore format: two lists
  const pairs = first.flatMap((a) => second.map((b) => (a > b ? 1 : a === b ? 0.5 : 0)));
  expect(pairs.reduce<number>((sum, one) => sum + one, 0)).toBe(2.5 + 0.5 + 3 + 0.5 + 3);
  expect(auroc(first, second)).toBeCloseTo(9.5 / 15, 12);
  expect(auroc([2, 3], [0, 1])).toBe(1);
  expect(auroc([0, 1], [2, 3])).toBe(0);
  expect(auroc([7, 7], [7])).toBe(0.5);
});
