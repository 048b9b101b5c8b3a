import { describe, expect, it } from 'vitest';
import { INSTRUCTION_WORDS, Op } from '../../../src/kernels/instruction';
import { javascriptKernels } from '../../../src/kernels/javascript';
import { ROW } from '../../../src/program/steps';
import { Machine } from '../../../src/sampling/incremental/machine';
import { CHUNK, Plan } from '../../../src/sampling/incremental/plan';
import { kernelMakers, read, write } from '../../support/machine';

describe('Machine', () => {
  it.each(kernelMakers)('runs a step for every chunk of images, each in its own memory: %s', (_, make) => {
    const plan = new Plan(2, 1, 1, new Map());
    const [x, y] = [plan.reserveForImages(1, 4), plan.reserveForImages(1, 4)];
    const weights = plan.reserve(4);
    plan.fills.push((heap) => heap.set([1, 2, 3, 4], weights.offset));
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
    expect(read(machine, y, 4).flat()).toEqual(new Array(20).fill(0)); // nothing is done in that step
    machine.run(0);
    expect(read(machine, y, 4)).toEqual(values.map(([n = 0]) => [n + 1, n + 2, n + 3, n + 4]));
    expect(read(machine, x, 4)).toEqual(values);
  });

  it('runs instructions that follow each other at once, and actions between them, in order', () => {
    const log: (string | number)[][] = [];
    const plan = new Plan(2, 1, 1, new Map());
    const x = plan.reserveForImages(1, 4);
    const double = { op: Op.add, y: x, a: x, b: x, length: 4 };
    const action = (heap: Float32Array, at: (operand: typeof x) => number, images: number) => {
      log.push(['action', images]);
      for (let n = 0; n < images; n++) heap[at(x) + n * x.stride] = 7;
    };
    for (const code of [double, double, action, double, action, action]) plan.emit(0, code);
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
    const chunk = (images: number) => [
      [2, images],
      ['action', images],
      [1, images],
      ['action', images],
      ['action', images],
    ];
    expect(log).toEqual([...chunk(2), ...chunk(1)]);
    expect(read(machine, x, 4)).toEqual(new Array(3).fill([7, 8, 8, 8])); // 1 doubled three times is 8
    machine.run(1);
    expect(read(machine, x, 4)).toEqual(new Array(3).fill([14, 16, 16, 16]));
  });

  it('runs what is done in a row on all its columns, and actions at each', () => {
    const [width, numImages] = [3, 3]; // images in chunks of 2 and 1
    const plan = new Plan(2, width, 1, new Map());
    const { offset, stride } = plan.reserveForImages(1, 4 * width);
    const base = plan.movingBase({ start: offset, rowStride: 0, rows: 1, above: 0, slots: 4 });
    const x = { base, offset: 0, stride, columnStride: 4 };
    const columns: number[] = [];
    plan.emit(ROW, { op: Op.add, y: x, a: x, b: x, length: 4 });
    plan.emit(ROW, (heap, at, images) => {
      columns.push((at(x) - (at({ ...x, base: CHUNK }) + offset)) / 4);
      for (let n = 0; n < images; n++) heap[at(x) + n * stride] = (heap[at(x) + n * stride] as number) + 100;
    });
    plan.emit(ROW, { op: Op.add, y: x, a: x, b: x, length: 4 });
    const machine = new Machine(plan, numImages, javascriptKernels);
    for (let column = 0; column < width; column++) {
      machine.moveTo(5, column);
      write(machine, x, [1, 2, 3].map((n) => [10 * column + n, 1, 2, 3])); // biome-ignore format: one line
    }
    machine.runRow();
    expect(columns).toEqual([0, 1, 2, 0, 1, 2]);
    for (let column = 0; column < width; column++) {
      machine.moveTo(5, column);
      // doubled, 100 more in the first, doubled again
      expect(read(machine, x, 4)).toEqual([1, 2, 3].map((n) => [4 * (10 * column + n) + 200, 4, 8, 12]));
    }
  });

  it('moves bases with the pixel, through rows used in turn', () => {
    const plan = new Plan(1, 4, 1, new Map());
    plan.reserve(8);
    const { offset } = plan.reserveForImages(3, 16);
    const above = [0, 1, 2].map((rows) =>
      plan.movingBase({ start: offset, rowStride: 16, rows: 3, above: rows, slots: 4 }),
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
});
