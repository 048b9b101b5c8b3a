import { describe, expect, it } from 'vitest';
import { copyMemory, Machine } from '../../src/engine/machine';
import type { Places } from '../../src/engine/places';
import { Plan } from '../../src/engine/plan';
import { INSTRUCTION_WORDS, Op } from '../../src/kernels/instruction';
import { javascriptKernels } from '../../src/kernels/javascript';
import { AFTER_ROW, ROW } from '../../src/program/readiness';
import { kernelMakers, read, write } from '../support/machine';

describe('Machine', () => {
  it.each(kernelMakers)('runs a time for every chunk of images, each in its own memory: %s', (_, make) => {
    const plan = new Plan(2, 1, 1);
    const [x, y] = [plan.reserveForImages(1, 4), plan.reserveForImages(1, 4)];
    const weights = plan.constant(Float32Array.of(1, 2, 3, 4));
    plan.emit(0, { op: Op.add, y, a: x, b: weights, length: 4 });
    const machine = new Machine(plan, 5, make);
    expect(machine.chunks.map(({ first, images }) => [first, images])).toEqual([
      [0, 2],
      [2, 2],
      [4, 1],
    ]);
    const values = [10, 20, 30, 40, 50].map((n) => [n, n, n, n]);
    write(machine, x, values);
    machine.run(1);
    expect(read(machine, y, 4).flat()).toEqual(new Array(20).fill(0)); // nothing is done at that time
    machine.run(0);
    expect(read(machine, y, 4)).toEqual(values.map(([n = 0]) => [n + 1, n + 2, n + 3, n + 4]));
    expect(read(machine, x, 4)).toEqual(values);
  });

  it('runs the instructions of a time at once, in order, for each chunk of images', () => {
    const log: number[][] = [];
    const plan = new Plan(2, 1, 1);
    const x = plan.reserveForImages(1, 4);
    const double = { op: Op.add, y: x, a: x, b: x, length: 4 };
    const seven = { op: Op.add, y: x, a: x, b: plan.constant(Float32Array.of(7, 7, 7, 7)), length: 4 };
    for (const code of [double, seven, double]) plan.emit(0, code);
    plan.emit(1, double);
    const machine = new Machine(plan, 3, (floats) => {
      const kernels = javascriptKernels(floats);
      return {
        ...kernels,
        run(start, end, bases, images) {
          log.push([(end - start) / INSTRUCTION_WORDS, images]);
          kernels.run(start, end, bases, images);
        },
      };
    });
    write(machine, x, [1, 2, 3].map((n) => [n, n, n, n])); // biome-ignore format: one line
    machine.run(0);
    expect(log).toEqual([[3, 2], [3, 1]]); // biome-ignore format: one line
    expect(read(machine, x, 4)).toEqual([18, 22, 26].map((value) => new Array(4).fill(value))); // 2 (2 n + 7)
    machine.run(1);
    expect(log.slice(2)).toEqual([[1, 2], [1, 1]]); // biome-ignore format: one line
    expect(read(machine, x, 4)).toEqual([36, 44, 52].map((value) => new Array(4).fill(value)));
  });

  it.each([
    ['before', ROW],
    ['after', AFTER_ROW],
  ] as const)('runs what is done %s a row on all its columns, and sweeps column by column', (_, time) => {
    const [width, numImages] = [3, 3]; // images in chunks of 2 and 1
    const plan = new Plan(2, width, 1);
    const { offset, stride } = plan.reserveForImages(1, 4 * (width + 2));
    const start = offset + 4; // a column of zeros on either side
    const base = plan.movingBase({ start, rowStride: 0, rows: 1, scale: 1, above: 0, slots: 4 });
    const at = (column: number) => ({ base, offset: 4 * column, stride, columnStride: 4 });
    const x = at(0);
    const double = { op: Op.add, y: x, a: x, b: x, length: 4 };
    plan.emit(time, double);
    plan.emit(time, { op: Op.add, y: x, a: x, b: at(-1), length: 4 }, undefined, 'fromLeft'); // plus what was swept before
    plan.emit(time, { op: Op.add, y: x, a: x, b: at(1), length: 4 }, undefined, 'fromRight');
    plan.emit(time, double);
    const machine = new Machine(plan, numImages, javascriptKernels);
    for (let column = 0; column < width; column++) {
      machine.moveTo(5, column);
      write(machine, x, [1, 2, 3].map((n) => [10 * column + n, 1, 2, 3])); // biome-ignore format: one line
    }
    const all = () =>
      Array.from({ length: width }, (_, column) => {
        machine.moveTo(5, column);
        return read(machine, x, 4);
      });
    const before = all();
    machine.run(0);
    machine.runRow(time === ROW ? AFTER_ROW : ROW); // at no other time
    expect(all()).toEqual(before);
    machine.runRow(time);
    // Columns a, b, c are doubled, then summed from the left, then from the right, then doubled.
    const swept = (a: number, b: number, c: number) => {
      const left = [2 * a, 2 * (a + b), 2 * (a + b + c)] as const;
      return [2 * (left[0] + left[1] + left[2]), 2 * (left[1] + left[2]), 2 * left[2]];
    };
    const wanted = [1, 2, 3].map((n) => [
      swept(n, 10 + n, 20 + n),
      ...[1, 2, 3].map((value) => swept(value, value, value)),
    ]); // [image][slot][column]
    expect(all()).toEqual(
      [0, 1, 2].map((column) => wanted.map((slots) => slots.map((columns) => columns[column]))),
    );
  });

  it('runs much work on a row in parts, which come out as the whole', () => {
    const [width, columns, inputs] = [128, 64, 2 ** 14]; // at every second column
    const plan = new Plan(2, width, 1);
    const floats = 4 * width + inputs;
    const from = plan.reserveForImages(1, floats);
    const to = plan.reserveForImages(1, 4 * columns);
    const ofRow = { rowStride: 0, rows: 1, above: 0, slots: 4 };
    const x = {
      base: plan.movingBase({ ...ofRow, start: from.offset, scale: 1 }),
      offset: 0,
      stride: from.stride,
    };
    const y = {
      base: plan.movingBase({ ...ofRow, start: to.offset, scale: 2 }),
      offset: 0,
      stride: to.stride,
    };
    const weights = plan.constant(new Float32Array(4 * inputs).fill(1)).offset;
    const bias = plan.constant(Float32Array.of(0, 1, 2, 3));
    const sums = { op: Op.product, y: { ...y, columnStride: 4 }, a: { ...x, columnStride: 8 }, b: bias };
    const numbers = {
      length: 4,
      inputs,
      weights,
      weightStride: 4 * inputs,
      parameter: Number.NEGATIVE_INFINITY,
    };
    plan.emit(ROW, { ...sums, ...numbers }, { every: 2, row: 0, column: 0 });
    const machine = new Machine(plan, 2, javascriptKernels);
    machine.moveTo(0, 0);
    const [chunk] = machine.chunks;
    /** Counts parts, and gives the first output of each column of an image. */
    const run = (numActive: number, one: number) => {
      machine.numActive = numActive;
      for (const image of [0, 1]) {
        const start = (chunk?.at(x) as number) + image * x.stride;
        for (let i = 0; i < floats; i++) machine.heap[start + i] = i % 8 === 0 ? one : 0;
      }
      const parts = [...machine.rowInParts(ROW)].length;
      const start = (chunk?.at(y) as number) + (numActive - 1) * y.stride;
      return [parts, Array.from({ length: columns }, (_, c) => machine.heap[start + 4 * c])];
    };
    const eighth = inputs / 8; // inputs that are not 0
    // 2 images, 64 columns, 4 outputs, 2^14 inputs: 2^23, and half of that is a part.
    expect(run(2, 1)).toEqual([2, new Array(columns).fill(eighth)]);
    expect(run(2, 2)).toEqual([2, new Array(columns).fill(2 * eighth)]);
    expect(run(1, 3)).toEqual([0, new Array(columns).fill(3 * eighth)]); // at once
  });

  it('moves bases with the pixel, through rows used in turn', () => {
    const plan = new Plan(1, 4, 1);
    plan.reserve(8);
    const { offset } = plan.reserveForImages(3, 16);
    const above = [0, 1, 2].map((rows) =>
      plan.movingBase({ start: offset, rowStride: 16, rows: 3, scale: 1, above: rows, slots: 4 }),
    );
    const machine = new Machine(plan, 2, javascriptKernels);
    for (const row of [0, 1, 2, 3, 4]) {
      for (const column of [0, 3]) {
        machine.moveTo(row, column);
        for (const [k, { at }] of machine.chunks.entries()) {
          const got = above.map((base) => at({ base, offset: 2, stride: 0 }));
          const chunk = 8 + 48 * k; // after what is shared; each chunk has 3 rows of 16
          expect(got).toEqual([0, 1, 2].map((r) => chunk + 16 * ((row - r + 3) % 3) + 4 * column + 2));
        }
      }
    }
  });

  it('does at each place what is due there, in order', () => {
    const width = 4;
    const plan = new Plan(1, width, 1);
    const { offset, stride } = plan.reserveForImages(1, 4 * width);
    const base = plan.movingBase({ start: offset, rowStride: 0, rows: 1, scale: 1, above: 0, slots: 4 });
    const x = { base, offset: 0, stride };
    const ten = plan.constant(Float32Array.of(10, 10, 10, 10));
    /** Appends a digit to the numbers of some places. */
    const note = (time: number, digit: number, places: Places) => {
      const column = time === 0 ? 0 : places.column; // what is done for a row begins at its first column
      const here = { ...x, offset: 4 * column, columnStride: 4 * places.every };
      const to = { y: here, a: here, length: 4 };
      plan.emit(time, { op: Op.multiply, ...to, b: ten }, places);
      plan.emit(time, { op: Op.add, ...to, b: plan.constant(new Float32Array(4).fill(digit)) }, places);
    };
    for (const time of [ROW, 0, AFTER_ROW]) {
      note(time, 1, { every: 2, row: 0, column: 0 });
      note(time, 2, { every: 1, row: 0, column: 0 });
      note(time, 3, { every: 4, row: 0, column: 2 });
      note(time, 4, { every: 4, row: 2, column: 0 });
    }
    const machine = new Machine(plan, 1, javascriptKernels);
    /** The digits of each column of a row, after something was done there. */
    const digits = (row: number, act: () => void) => {
      machine.moveTo(row, 0);
      const first = machine.chunks[0]?.at(x) as number;
      machine.heap.fill(0, first, first + 4 * width);
      act();
      return Array.from({ length: width }, (_, column) => {
        machine.moveTo(row, column);
        return read(machine, x, 1)[0]?.[0];
      });
    };
    const wanted = new Map([
      [0, [12, 2, 123, 2]],
      [1, [2, 2, 2, 2]],
      [2, [124, 2, 12, 2]],
      [3, [2, 2, 2, 2]],
      [4, [12, 2, 123, 2]],
    ]);
    for (const [row, ofRow] of wanted) {
      const pixels = () => {
        for (let column = 0; column < width; column++) {
          machine.moveTo(row, column);
          machine.run(0);
        }
      };
      expect(digits(row, pixels), `row ${row}`).toEqual(ofRow);
      for (const time of [ROW, AFTER_ROW] as const) {
        expect(digits(row, () => machine.runRow(time)), `row ${row}`).toEqual(ofRow); // biome-ignore format: one line
      }
    }
  });

  it('runs instructions at once that follow each other among those that are due', () => {
    const plan = new Plan(1, 2, 1);
    const x = plan.reserveForImages(1, 4);
    const double = { op: Op.add, y: x, a: x, b: x, length: 4 };
    const half = { every: 2, row: 0, column: 0 };
    for (const places of [undefined, half, half, undefined, undefined]) plan.emit(0, double, places);
    const runs: number[] = [];
    const machine = new Machine(plan, 1, (floats) => {
      const kernels = javascriptKernels(floats);
      return { ...kernels, run: (start, end) => runs.push((end - start) / INSTRUCTION_WORDS) };
    });
    machine.moveTo(0, 0);
    machine.run(0);
    expect(runs).toEqual([5]);
    machine.moveTo(0, 1);
    machine.run(0);
    expect(runs).toEqual([5, 1, 2]);
  });

  it('copies all that an image has, also to another chunk', () => {
    const plan = new Plan(2, 1, 1);
    const shared = plan.constant(Float32Array.of(9));
    const [x, rows] = [plan.reserveForImages(1, 4), plan.reserveForImages(3, 8)];
    const machine = new Machine(plan, 5, javascriptKernels); // in chunks of 2, 2 and 1
    const ofRow = (row: number) => ({ ...rows, offset: rows.offset + 2 * row * rows.stride });
    const number = (n: number, row: number) => 10 * n + row;
    write(machine, x, [0, 1, 2, 3, 4].map((n) => [n, n, n, n])); // biome-ignore format: one line
    for (const row of [0, 1, 2]) {
      write(machine, ofRow(row), [0, 1, 2, 3, 4].map((n) => new Array(8).fill(number(n, row)))); // biome-ignore format: one line
    }
    const from = [4, 0, 0, 3, 1];
    copyMemory(machine, Int32Array.from(from));
    expect(read(machine, x, 4)).toEqual(from.map((n) => [n, n, n, n]));
    for (const row of [0, 1, 2]) {
      expect(read(machine, ofRow(row), 8)).toEqual(from.map((n) => new Array(8).fill(number(n, row))));
    }
    expect(machine.heap[shared.offset]).toBe(9);
  });
});
