import { describe, expect, it } from 'vitest';
import { Layout } from '../../src/engine/layout';
import { Machine } from '../../src/engine/machine';
import { EVERYWHERE, placesOfScale } from '../../src/engine/places';
import { CHUNK, FeatureCache, FIRST_MOVING, HEAP, indexOfTime, ONE_PIXEL, Plan } from '../../src/engine/plan';
import { Op } from '../../src/kernels/instruction';
import { javascriptKernels } from '../../src/kernels/javascript';
import { AFTER_ROW, ONCE, ROW } from '../../src/program/readiness';
import { read, write } from '../support/machine';

/** For chunks of 3 images, 5 wide, of 2 channels. */
const plan = () => new Plan(3, 5, 2);

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
    const base = { start: 8, rowStride: 60, rows: 3, scale: 1, above: 1, slots: 4 };
    const others = [
      { ...base, above: 2 },
      { ...base, start: 188 },
    ];
    expect([base, ...others, { ...base }, ...others].map((each) => a.movingBase(each))).toEqual(
      [0, 1, 2, 0, 1, 2].map((index) => FIRST_MOVING + index),
    );
    expect(a.movingBases).toEqual([base, ...others]);
  });

  it('writes numbers into what all chunks share', () => {
    const a = plan();
    a.reserve(4);
    const values = Float32Array.of(1, 2, 3);
    expect(a.constant(values)).toEqual({ base: HEAP, offset: 4, stride: 0 });
    expect(a.sharedFloats).toBe(8);
    const three = a.written(3, (to) => {
      to[1] = 7;
    });
    expect(three).toEqual({ base: HEAP, offset: 8, stride: 0 });
    const { heap } = new Machine(a, 1, javascriptKernels);
    expect(Array.from(heap.subarray(4, 12))).toEqual([1, 2, 3, 0, 0, 7, 0, 0]);
  });

  it('keeps what is done at a time in order: once, before a row, for each number of known channels, after a row', () => {
    const a = plan();
    const operand = a.reserve(4);
    const copy = { op: Op.copy, y: operand, a: operand, length: 4 };
    const double = { op: Op.add, y: operand, a: operand, length: 4 };
    a.emit(1, copy);
    a.emit(2, double);
    a.emit(1, double);
    a.emit(ROW, copy);
    a.emit(ROW, double, EVERYWHERE, 'fromLeft');
    a.emit(ONCE, copy);
    a.emit(AFTER_ROW, double);
    a.emit(AFTER_ROW, copy, EVERYWHERE, 'fromRight');
    // what is done in a row is done on all its columns at once, or column by column in a sweep
    const places = EVERYWHERE;
    const [one, two] = [copy, double].map((code) => ({ code, places }));
    const [wide, wideTwo] = [copy, double].map((code) => ({ code: { ...code, columns: 5 }, places }));
    const swept = { ...two, sweep: 'fromLeft' };
    const back = { ...one, sweep: 'fromRight' };
    expect(a.steps).toEqual([[one], [wide, swept], [], [one, two], [two], [wideTwo, back]]);
    const [half, phase] = [placesOfScale(5), { every: 5, row: 0, column: 2 }];
    a.emit(0, copy, half);
    a.emit(ROW, copy, phase);
    expect(a.steps[indexOfTime(0, 2)]).toEqual([{ code: copy, places: half }]);
    expect(a.steps[indexOfTime(ROW, 2)]?.at(-1)).toEqual({ code: { ...copy, columns: 1 }, places: phase }); // one in the row
    const times = [ONCE, ROW, 0, 1, 2, AFTER_ROW];
    expect(times.map((time) => indexOfTime(time, 2))).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

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
    { rows: 1, margin: 1, isWholeRow: false },
    { rows: 2, margin: 0, isWholeRow: false },
    { rows: 3, margin: 2, isWholeRow: true },
    { rows: 1, margin: 0, isWholeRow: true },
  ])('keeps $rows rows in turn, with margins of $margin zeros', (extent) => {
    const plan = new Plan(2, WIDTH, 1);
    const before = plan.reserveForImages(1, 16);
    const cache = new FeatureCache(plan, Layout.of([0, 0, 1]), extent); // 8 slots a pixel
    const after = plan.reserveForImages(1, 16);
    const present = cache.operand();
    const views = [];
    for (let above = 0; above < extent.rows; above++) {
      for (let left = -extent.margin; left <= extent.margin; left++) {
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

  it('has the pixels of a row side by side, so that a kernel row is one run of numbers', () => {
    const plan = new Plan(1, WIDTH, 1);
    const cache = new FeatureCache(plan, Layout.of([0]), { rows: 1, margin: 1, isWholeRow: false });
    const [present, left] = [cache.operand(), cache.operand(0, 0, 1)];
    const machine = new Machine(plan, 1, javascriptKernels);
    for (let column = 0; column < WIDTH; column++) {
      machine.moveTo(0, column);
      write(machine, present, [[column + 1, 0, 0, 0]]);
    }
    expect(read(machine, left, 12)).toEqual([[2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]]); // column 1, column 2, margin
  });

  it.each([
    ['before', ROW],
    ['after', AFTER_ROW],
  ] as const)(
    'keeps the row of what is ready %s all of it, which instructions go along column by column',
    (_, time) => {
      const plan = new Plan(2, WIDTH, 1);
      const cache = new FeatureCache(plan, Layout.of([time]), ONE_PIXEL);
      const operand = cache.operand();
      plan.emit(time, { op: Op.add, y: operand, a: operand, b: operand, length: 4 });
      const machine = new Machine(plan, IMAGES, javascriptKernels);
      const put = (column: number) => {
        machine.moveTo(2, column);
        write(machine, operand, valuesAt(2, column, [0, 1, 2, 3]));
      };
      for (let column = 0; column < WIDTH; column++) put(column);
      machine.runRow(time);
      for (let column = 0; column < WIDTH; column++) {
        machine.moveTo(2, column);
        expect(read(machine, operand, 4)).toEqual(
          valuesAt(2, column, [0, 1, 2, 3]).map((v) => v.map((x) => 2 * x)),
        );
      }
    },
  );

  it('keeps every other row and column where that is its scale', () => {
    const plan = new Plan(2, 4, 1);
    const cache = new FeatureCache(plan, Layout.of([0]), { rows: 2, margin: 1, isWholeRow: false }, 2);
    expect(plan.chunkFloats).toBe(2 * 2 * 4 * 4); // rows, images, two columns and their margins, slots
    expect(cache.places).toEqual({ every: 2, row: 0, column: 0 });
    const [present, above, left] = [cache.operand(), cache.operand(0, 1), cache.operand(0, 0, 1)];
    const machine = new Machine(plan, 2, javascriptKernels);
    const number = (row: number, column: number) => (row < 0 || column < 0 ? 0 : 100 * row + column + 1);
    const all = (row: number, column: number) => [[number(row, column)], [number(row, column)]];
    for (let row = 0; row < 6; row++) {
      for (let column = 0; column < 4; column++) {
        machine.moveTo(row, column);
        const [i, j] = [row >> 1, column >> 1];
        if (row % 2 === 0 && column % 2 === 0) write(machine, present, all(i, j));
        expect(read(machine, present, 1)).toEqual(all(i, j)); // also from the places between
        expect(read(machine, above, 1)).toEqual(all(i - 1, j));
        expect(read(machine, left, 1)).toEqual(all(i, j - 1));
      }
    }
  });

  it('is one pixel, in one place, where no convolution looks around', () => {
    const plan = new Plan(3, WIDTH, 1);
    const cache = new FeatureCache(plan, Layout.of([0, 1]), ONE_PIXEL);
    expect(cache.operand(4)).toEqual({ base: CHUNK, offset: 4, stride: 8 });
    expect(plan.chunkFloats).toBe(3 * 8);
    expect(plan.movingBases).toEqual([]);
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
