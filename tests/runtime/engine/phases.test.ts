import { describe, expect, it } from 'vitest';
import { type KernelWindow, visibilityAt, windowAround } from '../../../src/runtime/core/window';
import { phasesOf, reachOf } from '../../../src/runtime/engine/phases';

const window = (
  kernelSize: [number, number],
  anchor: [number, number],
  present: KernelWindow['present'],
  more: Partial<KernelWindow> = {},
): KernelWindow => ({ ...windowAround(kernelSize, present, 1), anchor, ...more });

const windows = (['nothing', 'A', 'B', 'everything'] as const).flatMap((present) =>
  [
    window([1, 1], [0, 0], present),
    window([2, 3], [1, 1], present),
    window([3, 4], [1, 3], present),
    window([3, 4], [2, 0], present),
    window([4, 3], [0, 2], present),
  ].flatMap((plain) => [plain, { ...plain, stride: 2 }, { ...plain, transposed: true }, { ...plain, transposed: true, stride: 2 }]),
);

/** What an output reads, by the definition: for each tap that sees something, the place on the map that is read, if it has one. */
function definition(window: KernelWindow, row: number, column: number): string[] {
  const { kernelSize, anchor, stride, transposed } = window;
  const all: string[] = [];
  for (let r = 0; r < kernelSize[0]; r++)
    for (let c = 0; c < kernelSize[1]; c++) {
      if (visibilityAt(window, r, c) === 'nothing') continue;
      // A transposed one scatters: input i goes to output stride i + tap - anchor.
      const y = transposed ? (row - (r - anchor[0])) / stride : row * stride + r - anchor[0];
      const x = transposed ? (column - (c - anchor[1])) / stride : column * stride + c - anchor[1];
      if (Number.isInteger(y) && Number.isInteger(x)) all.push(`tap ${r},${c} at ${y},${x}`);
    }
  return all.sort();
}

describe('phasesOf', () => {
  it('reads with each tap the place of the definition, at every place of exactly one phase', () => {
    for (const one of windows)
      for (let row = 4; row < 8; row++)
        for (let column = 4; column < 8; column++) {
          const [phase, ...others] = phasesOf(one).filter(({ every, ...of }) => row % every === of.row && column % every === of.column);
          if (phase === undefined) throw new Error('no phase');
          expect(others).toEqual([]);
          const [y, x] = one.transposed
            ? [Math.floor(row / one.stride), Math.floor(column / one.stride)] // of the present place of what is read
            : [row * one.stride, column * one.stride];
          const read = [...phase.above, phase.present].flatMap(({ above, left, taps }) =>
            taps.map(([r, c], i) => `tap ${r},${c} at ${y - above},${x - left + i}`),
          );
          expect(read.sort()).toEqual(definition(one, row, column));
        }
  });
});

describe('reachOf', () => {
  it('is how far the phases reach, where the mask hides nothing', () => {
    for (const one of windows.filter(({ present }) => present === 'everything')) {
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
