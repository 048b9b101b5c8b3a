import { expect, it } from 'vitest';
import { Layout } from '../../../src/sampling/incremental/layout';

it('keeps features in order, in runs of one step, padded', () => {
  const layout = new Layout([0, 0, 0, 1, 1, 1, 0], 2, 4);
  expect(Array.from(layout.slotOf)).toEqual([0, 1, 2, 4, 5, 6, 8]);
  expect(layout.slots).toBe(12);
  expect(layout.ranges).toEqual([
    [
      [0, 4],
      [8, 12],
    ],
    [[4, 8]],
    [],
  ]);
});

it('pads nothing where it need not', () => {
  const layout = new Layout([1, 2, 3], 3, 1);
  expect(Array.from(layout.slotOf)).toEqual([0, 1, 2]);
  expect(layout.slots).toBe(3);
});
