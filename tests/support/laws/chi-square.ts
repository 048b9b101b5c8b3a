import { expect } from 'vitest';

/**
 * Expects that cells were drawn as often as is expected of each. Cells of fewer than five expected are joined;
 * chi-square with k degrees of freedom exceeds k + 4 sqrt(2k) about once in ten thousand seeds.
 */
export function expectToFollow(counts: readonly number[], expected: readonly number[]): void {
  let [statistic, cells, restExpected, restCount] = [0, 0, 0, 0];
  for (const [index, count] of counts.entries()) {
    const mean = expected[index] as number;
    if (mean < 5) {
      restExpected += mean;
      restCount += count;
    } else {
      statistic += (count - mean) ** 2 / mean;
      cells++;
    }
  }
  if (restExpected > 0) {
    statistic += (restCount - restExpected) ** 2 / restExpected;
    cells++;
  }
  expect(cells).toBeGreaterThan(5);
  expect(statistic).toBeLessThan(cells - 1 + 4 * Math.sqrt(2 * (cells - 1)));
}
