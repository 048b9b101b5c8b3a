import { describe, expect, it } from 'vitest';
import { Layout } from '../../src/engine/layout';

describe('Layout', () => {
  it('keeps features in order, in runs of one time, each padded to whole vectors', () => {
    const layout = Layout.of([0, 0, 0, 1, 1, 1, 1, 1, 0]);
    expect(layout.slotOf).toEqual([0, 1, 2, 4, 5, 6, 7, 8, 12]);
    expect(layout.slots).toBe(16);
    expect(layout.runs).toEqual([
      { range: [0, 4], time: 0 },
      { range: [4, 12], time: 1 },
      { range: [12, 16], time: 0 },
    ]);
    expect(layout.isAligned).toBe(true);
  });

  it('pads nothing where it is dense', () => {
    const layout = Layout.dense([1, 2, 2]);
    expect(layout.slotOf).toEqual([0, 1, 2]);
    expect(layout.slots).toBe(3);
    expect(layout.runs.map(({ range }) => range)).toEqual([
      [0, 1],
      [1, 3],
    ]);
    expect(layout.isAligned).toBe(false);
  });

  it('puts layouts one after the other, each with its padding', () => {
    const layout = Layout.concat([Layout.of([0, 1]), Layout.of([1])]);
    expect(layout.times).toEqual([0, 1, 1]);
    expect(layout.slotOf).toEqual([0, 4, 8]);
    expect(layout.slots).toBe(12);
    expect(layout.runs).toEqual([
      { range: [0, 4], time: 0 },
      { range: [4, 8], time: 1 },
      { range: [8, 12], time: 1 },
    ]);
    expect(layout.isAligned).toBe(true);
    expect(Layout.concat([Layout.of([0]), Layout.dense([1])]).isAligned).toBe(false);
  });

  it('knows how many slots hold all that is ready by a time', () => {
    const layout = Layout.of([1, 1, 2, 1]); // slots 0, 1, 4, 8
    expect([0, 1, 2].map((time) => layout.slotsReady(time))).toEqual([0, 9, 9]);
    const image = Layout.dense([1, 2, 3]);
    expect([0, 1, 2, 3].map((time) => image.slotsReady(time))).toEqual([0, 1, 2, 3]);
  });

  it('is like another where every feature has the same slot', () => {
    const layout = Layout.of([0, 0, 0]);
    expect(layout.isLike(Layout.of([1, 1, 1]))).toBe(true); // whatever the times
    expect(layout.isLike(Layout.of([0, 0, 0, 0]))).toBe(false); // one feature more
    expect(layout.isLike(Layout.dense([0, 0, 0]))).toBe(false); // 3 slots, not 4
    expect(layout.isLike(Layout.of([0, 0, 1]))).toBe(false); // the last in slot 4
  });

  it('may be that of features ready at other times', () => {
    const layout = Layout.of([0, 0, 1]);
    const other = layout.withTimes([2, 1, 2]);
    expect(other.times).toEqual([2, 1, 2]);
    expect(other.isLike(layout)).toBe(true);
    expect([other.hasTimes([2, 1, 2]), other.hasTimes([0, 0, 1]), other.hasTimes([2, 1])]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
