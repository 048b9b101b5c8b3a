import { describe, expect, it } from 'vitest';
import { Op } from '../../../src/kernels/instruction';
import { javascriptKernels } from '../../../src/kernels/javascript';
import { ROW } from '../../../src/program/steps';
import { FeatureCache, ONE_PIXEL } from '../../../src/sampling/incremental/feature-cache';
import { Layout } from '../../../src/sampling/incremental/layout';
import { Machine } from '../../../src/sampling/incremental/machine';
import { CHUNK, Plan } from '../../../src/sampling/incremental/plan';
import { read, write } from '../../support/machine';

const HEIGHT = 6;
const WIDTH = 3;
const IMAGES = 5; // in chunks of 2, 2 and 1

/** A number of its own for each image, pixel and slot; 0 outside the image. */
function value(n: number, row: number, column: number, slot: number): number {
  if (row < 0 || column < 0 || column >= WIDTH) return 0;
  return 1000 * (n + 1) + 100 * row + 10 * column + slot;
}

const valuesAt = (row: number, column: number, slots: number[]) =>
  Array.from({ length: IMAGES }, (_, n) => slots.map((slot) => value(n, row, column, slot)));

describe('FeatureCache', () => {
  it.each([
    { rows: 1, margin: 1 },
    { rows: 2, margin: 0 },
    { rows: 3, margin: 2 },
  ])('keeps $rows rows in turn, with margins of $margin zeros', (reach) => {
    const plan = new Plan(2, WIDTH, 1, new Map());
    const before = plan.reserveForImages(1, 16);
    const cache = new FeatureCache(plan, Layout.of([0, 0, 1]), reach); // 8 slots a pixel
    const after = plan.reserveForImages(1, 16);
    const present = cache.operand();
    const views = [];
    for (let above = 0; above < reach.rows; above++) {
      for (let left = -reach.margin; left <= reach.margin; left++) {
        // of the present row, what is to come holds the row that was there before
        if (above > 0 || left >= 0) views.push({ above, left, operand: cache.operand(5, above, left) });
      }
    }
    const machine = new Machine(plan, IMAGES, javascriptKernels);
    const ofOthers = Array.from({ length: IMAGES }, () => new Array<number>(16).fill(-7));
    for (const other of [before, after]) write(machine, other, ofOthers);
    for (let row = 0; row < HEIGHT; row++) {
      for (let column = 0; column < WIDTH; column++) {
        machine.moveTo(row, column);
        write(machine, present, valuesAt(row, column, [0, 1, 2, 3, 4, 5, 6, 7]));
        for (const { above, left, operand } of views) {
          expect(read(machine, operand, 2)).toEqual(valuesAt(row - above, column - left, [5, 6]));
        }
      }
    }
    for (const other of [before, after]) expect(read(machine, other, 16)).toEqual(ofOthers);
  });

  it('has the pixels of a row side by side, so that a kernel row is one stretch of numbers', () => {
    const plan = new Plan(1, WIDTH, 1, new Map());
    const cache = new FeatureCache(plan, Layout.of([0]), { rows: 1, margin: 1 });
    const [present, left] = [cache.operand(), cache.operand(0, 0, 1)];
    const machine = new Machine(plan, 1, javascriptKernels);
    for (let column = 0; column < WIDTH; column++) {
      machine.moveTo(0, column);
      write(machine, present, [[column + 1, 0, 0, 0]]);
    }
    expect(read(machine, left, 12)).toEqual([[2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]]); // column 1, column 2, margin
  });

  it('keeps the row of what is known for all of it, which instructions go along column by column', () => {
    const plan = new Plan(2, WIDTH, 1, new Map());
    const cache = new FeatureCache(plan, Layout.of([ROW]), ONE_PIXEL);
    const operand = cache.operand();
    plan.emit(ROW, { op: Op.add, y: operand, a: operand, b: operand, length: 4 });
    const machine = new Machine(plan, IMAGES, javascriptKernels);
    const put = (column: number) => {
      machine.moveTo(2, column);
      write(machine, operand, valuesAt(2, column, [0, 1, 2, 3]));
    };
    for (let column = 0; column < WIDTH; column++) put(column);
    machine.runRow();
    for (let column = 0; column < WIDTH; column++) {
      machine.moveTo(2, column);
      expect(read(machine, operand, 4)).toEqual(
        valuesAt(2, column, [0, 1, 2, 3]).map((v) => v.map((x) => 2 * x)),
      );
    }
  });

  it('is one pixel, in one place, where no convolution looks around', () => {
    const plan = new Plan(3, WIDTH, 1, new Map());
    const cache = new FeatureCache(plan, Layout.of([0, 1]), ONE_PIXEL);
    expect(cache.operand(4)).toEqual({ base: CHUNK, offset: 4, stride: 8 });
    expect(plan.chunkFloats).toBe(3 * 8);
    expect(plan.movingBases).toEqual([]);
  });
});
