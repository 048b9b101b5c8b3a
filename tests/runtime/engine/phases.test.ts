import { describe, expect, it } from 'vitest';
import { type KernelWindow, windowAround } from '../../../src/runtime/core/window';
import { phasesOf, reachOf } from '../../../src/runtime/engine/phases';

const window = (
  kernelSize: [number, number],
  anchor: [number, number],
  present: KernelWindow['present'],
  more: Partial<KernelWindow> = {},
): KernelWindow => ({ ...windowAround(kernelSize, present, 1), anchor, ...more });

const windows = [
  window([1, 1], [0, 0], 'everything'),
  window([3, 4], [1, 3], 'everything'),
  window([3, 4], [2, 0], 'everything'),
  window([4, 3], [0, 2], 'everything'),
].flatMap((plain) => [plain, { ...plain, stride: 2 }, { ...plain, transposed: true }, { ...plain, transposed: true, stride: 2 }]);

describe('reachOf', () => {
  it('is how far the phases reach, where the mask hides nothing', () => {
    for (const one of windows) {
      const rows = phasesOf(one).flatMap(({ above, present }) => [...above, present]);
      expect(reachOf(one)).toEqual({
        above: Math.max(...rows.map(({ above }) => above)),
        columns: Math.max(...rows.map(({ left, taps }) => Math.max(left, taps.length - 1 - left))),
      });
    }
  });

  it('is the reach in the coarser map if a convolution enlarges', () => {
    expect(reachOf(window([3, 5], [2, 1], 'A'))).toEqual({ above: 2, columns: 3 });
    const up = { stride: 2, transposed: true };
    // rows 0..2 above the output's own, of which the last falls on the row above the current one
    expect(reachOf(window([3, 5], [0, 2], 'everything', up))).toEqual({ above: 1, columns: 1 });
    expect(reachOf(window([4, 1], [0, 0], 'nothing', up))).toEqual({ above: 1, columns: 0 });
    expect(reachOf(window([2, 2], [0, 1], 'everything', up))).toEqual({ above: 0, columns: 1 });
  });
});
