import { describe, expect, it } from 'vitest';
import { copyMemory, Machine } from '../../src/engine/machine';
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

  it('runs instructions that follow each other at once, and functions of the user between them, in order', () => {
    const log: (string | number)[][] = [];
    const plan = new Plan(2, 1, 1);
    const x = plan.reserveForImages(1, 4);
    const double = { op: Op.add, y: x, a: x, b: x, length: 4 };
    const fn = (value: number) => {
      log.push(['fn', value]);
      return 7;
    };
    const closure = { fn, y: x, a: x, slots: [[0, 3]] as [number, number][] }; // slot 0 of slot 3
    for (const code of [double, double, closure, double, closure, closure]) plan.emit(0, code);
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
    const ones = [1, 1, 1, 1];
    write(machine, x, [ones, ones, ones]);
    machine.run(0);
    // of each image in turn
    const calls = (images: number, value: number) => new Array(images).fill(['fn', value]);
    const chunk = (images: number) => [
      [2, images],
      ...calls(images, 4), // 1 doubled twice
      [1, images],
      ...calls(images, 8),
      ...calls(images, 8),
    ];
    expect(log).toEqual([...chunk(2), ...chunk(1)]);
    expect(read(machine, x, 4)).toEqual(new Array(3).fill([7, 8, 8, 8])); // 1 doubled three times is 8
    machine.run(1);
    expect(read(machine, x, 4)).toEqual(new Array(3).fill([14, 16, 16, 16]));
  });

  it.each([
    ['before', ROW],
    ['after', AFTER_ROW],
  ] as const)(
    'runs what is done %s a row on all its columns, and functions of the user at each',
    (_, time) => {
      const [width, numImages] = [3, 3]; // images in chunks of 2 and 1
      const plan = new Plan(2, width, 1);
      const { offset, stride } = plan.reserveForImages(1, 4 * width);
      const base = plan.movingBase({ start: offset, rowStride: 0, rows: 1, scale: 1, above: 0, slots: 4 });
      const x = { base, offset: 0, stride, columnStride: 4 };
      const seen: number[] = [];
      const fn = (value: number) => {
        seen.push(value);
        return value + 100;
      };
      plan.emit(time, { op: Op.add, y: x, a: x, b: x, length: 4 });
      plan.emit(time, { fn, y: x, a: x, slots: [[0, 0]] });
      plan.emit(time, { op: Op.add, y: x, a: x, b: x, length: 4 });
      const machine = new Machine(plan, numImages, javascriptKernels);
      for (let column = 0; column < width; column++) {
        machine.moveTo(5, column);
        write(machine, x, [1, 2, 3].map((n) => [10 * column + n, 1, 2, 3])); // biome-ignore format: one line
      }
      machine.run(0);
      machine.runRow(time === ROW ? AFTER_ROW : ROW); // at no other time
      expect(seen).toEqual([]);
      machine.runRow(time);
      // column by column, of both images of the first chunk and then of the second's
      expect(seen).toEqual([1, 2, 11, 12, 21, 22, 3, 13, 23].map((value) => 2 * value));
      for (let column = 0; column < width; column++) {
        machine.moveTo(5, column);
        // doubled, 100 more in the first, doubled again
        expect(read(machine, x, 4)).toEqual([1, 2, 3].map((n) => [4 * (10 * column + n) + 200, 4, 8, 12]));
      }
    },
  );

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
    const plan = new Plan(1, 4, 1);
    const x = plan.reserveForImages(1, 4);
    const log: string[] = [];
    const noted = (name: string) => ({
      fn: (value: number) => {
        log.push(name);
        return value;
      },
      y: x,
      a: x,
      slots: [[0, 0]] as [number, number][],
    });
    const half = { every: 2, row: 0, column: 0 };
    const between = { every: 4, row: 2, column: 0 };
    for (const time of [ROW, 0, AFTER_ROW]) {
      plan.emit(time, noted('half'), half);
      plan.emit(time, noted('all'));
      plan.emit(time, noted('quarter'), { every: 4, row: 0, column: 2 });
      plan.emit(time, noted('between'), between);
    }
    const machine = new Machine(plan, 1, javascriptKernels);
    const done = (act: () => void) => {
      log.length = 0;
      act();
      return log.join(' ');
    };
    const at = (row: number, column: number) => {
      machine.moveTo(row, column);
      return done(() => machine.run(0));
    };
    const all = 'all all all all'; // of four columns
    for (const row of [0, 4]) {
      expect([0, 1, 2, 3].map((column) => at(row, column))).toEqual(['half all', 'all', 'half all quarter', 'all']); // biome-ignore format: one line
      for (const time of [ROW, AFTER_ROW] as const)
        expect(done(() => machine.runRow(time))).toBe(`half half ${all} quarter`);
    }
    for (const row of [1, 3]) {
      expect([0, 1, 2, 3].map((column) => at(row, column))).toEqual(['all', 'all', 'all', 'all']);
      expect(done(() => machine.runRow(ROW))).toBe(all);
    }
    expect([0, 1, 2, 3].map((column) => at(2, column))).toEqual(['half all between', 'all', 'half all', 'all']); // biome-ignore format: one line
    expect(done(() => machine.runRow(AFTER_ROW))).toBe(`half half ${all} between`);
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
