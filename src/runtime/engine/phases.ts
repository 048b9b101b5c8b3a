import { dilationOf, type KernelWindow, offsetOfTap, visibilityAt } from '../core/window';

export type Tap = readonly [row: number, column: number];

/** Taps that read places of a row of a map, from left to right, at the distance that {@link Phase} states. */
export interface TapRow {
  /** Rows of the map above the current one. */
  readonly above: number;
  /** Columns of the map from the first tap's to the current one. */
  readonly left: number;
  readonly taps: readonly Tap[];
}

/**
 * A convolution restricted to the places at which it sums over certain taps. A plain or strided convolution
 * is a single phase. A transposed one has stride x stride phases, since different taps fall between the
 * places of the coarser map, so no phase multiplies the zeros that the definition inserts there.
 */
export interface Phase {
  /** The places, of the map that is written: every `every` rows and columns, from this row and column on. */
  readonly every: number;
  readonly row: number;
  readonly column: number;
  /** The distance from one place to the next, in columns of the map that is read. */
  readonly step: number;
  /** The distance from one tap to the next, likewise. */
  readonly tapDistance: number;
  /** Rows that are completely known before the current one, from the top. Includes the current row of a coarser map. */
  readonly above: readonly TapRow[];
  /** The taps in the output's own row. */
  readonly present: TapRow;
  /** How many of its taps lie to the left of the output's own place. The next tap, if any, lies on that place. */
  readonly tapsBefore: number;
}

export function phasesOf(window: KernelWindow): Phase[] {
  const { stride, transposed } = window;
  const every = transposed ? stride : 1;
  const places = Array.from({ length: every * every }, (_, i) => [Math.floor(i / every), i % every] as const);
  const isBefore = (tap: Tap, axis: 0 | 1) => offsetOfTap(window, ...tap)[axis] < 0;
  return places.map(([row, column]) => {
    const rows = tapRows(window, every, row, column);
    const above = rows.filter(({ taps }) => taps.some((tap) => isBefore(tap, 0)));
    const [present = { above: 0, left: 0, taps: [] }] = rows.slice(above.length);
    const tapsBefore = present.taps.filter((tap) => isBefore(tap, 1)).length;
    const step = transposed ? 1 : stride;
    return { every, row, column, step, tapDistance: dilationOf(window)[1], above, present, tapsBefore };
  });
}

/** The visible taps at one place of the map that is written, for an input map with `every` times fewer rows. */
function tapRows(window: KernelWindow, every: number, row: number, column: number): TapRow[] {
  const [rows, columns] = window.kernelSize;
  const inOrder = (length: number) => {
    const indices = Array.from({ length }, (_, i) => i);
    return window.transposed ? indices.reverse() : indices; // in order from the top and from the left
  };
  return inOrder(rows).flatMap((r) => {
    const taps = inOrder(columns)
      .map((c): Tap => [r, c])
      .filter((tap) => {
        const [down, right] = offsetOfTap(window, ...tap);
        const isAtPlace = (row + down) % every === 0 && (column + right) % every === 0;
        return isAtPlace && visibilityAt(window, ...tap) !== 'nothing';
      });
    const [first] = taps;
    if (first === undefined) return [];
    const [down, right] = offsetOfTap(window, ...first);
    return [{ above: (0 - down - row) / every, left: (0 - right - column) / every, taps }];
  });
}

/** The greatest reach of a window in the map that it reads: rows above the current one, and columns to either side. */
export function reachOf(window: KernelWindow): { readonly above: number; readonly columns: number } {
  const { kernelSize, anchor, stride, transposed } = window;
  const after = kernelSize.map((length, axis) => length - 1 - (anchor[axis] as number)) as [number, number];
  const [rows, columns] = dilationOf(window);
  if (!transposed) return { above: rows * anchor[0], columns: columns * Math.max(anchor[1], after[1]) };
  // The taps are reversed, and spaced on the rows and columns of the finer map.
  const [left, right] = [Math.floor(after[1] / stride), Math.ceil(anchor[1] / stride)];
  return { above: Math.floor(after[0] / stride), columns: Math.max(left, right) };
}
