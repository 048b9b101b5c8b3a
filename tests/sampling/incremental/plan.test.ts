import { describe, expect, it } from 'vitest';
import { Op } from '../../../src/kernels/instruction';
import { ONCE, ROW } from '../../../src/program/steps';
import { CHUNK, FIRST_MOVING, HEAP, Plan } from '../../../src/sampling/incremental/plan';

/** For chunks of 3 images, 5 wide, of 2 channels. */
const plan = () => new Plan(3, 5, 2, new Map());

describe('Plan', () => {
  it('reserves memory for all chunks in whole vectors, none twice', () => {
    const a = plan();
    expect([1, 4, 5, 2].map((count) => a.reserve(count))).toEqual(
      [0, 4, 8, 16].map((offset) => ({ base: HEAP, offset, stride: 0 })),
    );
    expect(a.sharedFloats).toBe(20); // 4 + 4 + 8 + 4
    expect(a.chunkFloats).toBe(0);
  });

  it('reserves memory for each image of a chunk, as many times as asked', () => {
    const a = plan();
    expect(a.reserveForImages(2, 5)).toEqual({ base: CHUNK, offset: 0, stride: 8 });
    expect(a.chunkFloats).toBe(48); // 2 times 3 images of 8
    expect(a.reserveForImages(1, 4)).toEqual({ base: CHUNK, offset: 48, stride: 4 });
    expect(a.chunkFloats).toBe(60);
    expect(a.sharedFloats).toBe(0);
  });

  it('has one moving base for all who ask for the same', () => {
    const a = plan();
    const base = { start: 8, rowStride: 60, rows: 3, above: 1, slots: 4 };
    const others = [
      { ...base, above: 2 },
      { ...base, start: 188 },
    ];
    expect([base, ...others, { ...base }, ...others].map((each) => a.movingBase(each))).toEqual(
      [0, 1, 2, 0, 1, 2].map((index) => FIRST_MOVING + index),
    );
    expect(a.movingBases).toEqual([base, ...others]);
  });

  it('keeps what is done in a step in order: once, in a row, and for each number of known channels', () => {
    const a = plan();
    const operand = a.reserve(4);
    const copy = { op: Op.copy, y: operand, a: operand, length: 4 };
    const action = () => {};
    a.emit(1, copy);
    a.emit(2, action);
    a.emit(1, action);
    a.emit(3, copy); // of two channels there are never three known
    a.emit(ROW, copy);
    a.emit(ROW, action);
    a.emit(ONCE, copy);
    // what is done in a row is done on all its columns at once, where an instruction says how
    expect(a.steps).toEqual([[copy], [{ ...copy, columns: 5 }, action], [], [copy, action], [action]]);
  });
});
