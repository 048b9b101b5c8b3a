import { describe, expect, it } from 'vitest';
import { Layout } from '../../../src/runtime/engine/layout';
import { CHUNK, FeatureCache, FIRST_MOVING, ONE_PIXEL, Plan } from '../../../src/runtime/engine/plan';

// That memory is found again where it was written is what random programs try, and tests/runtime/engine/fences.test.ts that all of
// it was reserved; here is how little there is.

const WIDTH = 4;

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

describe('FeatureCache', () => {
  it('keeps every other row and column where that is its scale', () => {
    const plan = new Plan(2, WIDTH, 1);
    new FeatureCache(plan, Layout.of([0]), { rows: 2, margin: 1, isWholeRow: false }, 2);
    expect(plan.chunkFloats).toBe(2 * 2 * 4 * 4); // rows, images, two columns and their margins, slots
  });

  it('is one pixel, in one place, where no convolution looks around', () => {
    const plan = new Plan(3, WIDTH, 1);
    const cache = new FeatureCache(plan, Layout.of([0, 1]), ONE_PIXEL);
    expect(cache.operand(4)).toEqual({ base: CHUNK, offset: 4, stride: 8 });
    expect(plan.chunkFloats).toBe(3 * 8);
    expect(plan.movingBases).toEqual([]);
  });
});
