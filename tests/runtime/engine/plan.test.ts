import { describe, expect, it } from 'vitest';
import { FIRST_MOVING, Plan } from '../../../src/runtime/engine/plan';

// That memory is found again where it was written is what random programs try, and tests/runtime/engine/fences.test.ts that all of
// it was reserved; here is how little there is.

describe('Plan', () => {
  it('has one moving base for all who ask for the same', () => {
    const a = new Plan(3, 5, 2);
    const base = { start: 8, rowStride: 60, rows: 3, scale: 1, above: 1, slots: 4 };
    const others = [{ ...base, above: 2 }, { ...base, start: 188 }]; // biome-ignore format: one line
    expect([base, ...others, { ...base }, ...others].map((each) => a.movingBase(each))).toEqual(
      [0, 1, 2, 0, 1, 2].map((index) => FIRST_MOVING + index),
    );
    expect(a.movingBases).toEqual([base, ...others]);
  });

  it('lends memory that was given back to who wants as much', () => {
    const plan = new Plan(2, 4, 1);
    const first = plan.allocateTemporary(6); // 8 floats of each image
    const second = plan.allocateTemporary(8);
    expect(second.offset).not.toBe(first.offset);
    plan.free(first);
    expect(plan.allocateTemporary(12).offset).toBe(32); // of another size
    expect(plan.allocateTemporary(7)).toEqual(first);
    expect(plan.allocateTemporary(7).offset).toBe(56);
    expect(plan.chunkFloats).toBe(72);
  });
});
