import { describe, expect, it } from 'vitest';
import { Machine } from '../../../src/runtime/engine/machine';
import { Plan } from '../../../src/runtime/engine/plan';
import { INSTRUCTION_WORDS } from '../../../src/runtime/kernels/instruction';
import { javascriptKernels } from '../../../src/runtime/kernels/javascript';
import { ROW } from '../../../src/runtime/program/times';

// That a machine does the right thing in the right order is what random programs try; here is how much it does at once.

describe('Machine', () => {
  it('runs at once, for each chunk of images, the instructions of a time that follow each other among those that are due', () => {
    const plan = new Plan(2, 2, 1);
    const x = plan.reserveForImages(1, 4);
    const double = { op: 'add' as const, y: x, a: x, b: x, length: 4 };
    const half = { every: 2, row: 0, column: 0 };
    for (const places of [undefined, half, half, undefined, undefined]) plan.emit(0, double, places);
    plan.emit(1, double);
    const log: [instructions: number, images: number][] = []; // in turn
    const machine = new Machine(plan, 3, (floats) => {
      const kernels = javascriptKernels(floats);
      const run: typeof kernels.run = (start, end, _, images) => log.push([(end - start) / INSTRUCTION_WORDS, images]);
      return { ...kernels, run };
    });
    const runsAt = (column: number, time: number) => {
      machine.moveTo(0, column);
      machine.run(time);
      return log.splice(0);
    };
    expect(runsAt(0, 0).join(' ')).toBe('5,2 5,1');
    expect(runsAt(1, 0).join(' ')).toBe('1,2 2,2 1,1 2,1');
    expect(runsAt(1, 1).join(' ')).toBe('1,2 1,1');
  });

  it('runs much work on a row in parts, with the result of the whole', () => {
    const [width, columns, inputs] = [126, 63, 2 ** 14]; // at every second column
    const plan = new Plan(2, width, 1);
    const floats = 4 * width + inputs;
    const from = plan.reserveForImages(1, floats);
    const to = plan.reserveForImages(1, 4 * columns);
    const ofRow = { rowStride: 0, rows: 1, above: 0, slots: 4 };
    const x = { base: plan.movingBase({ ...ofRow, start: from.offset, scale: 1 }), offset: 0, stride: from.stride };
    const y = { base: plan.movingBase({ ...ofRow, start: to.offset, scale: 2 }), offset: 0, stride: to.stride };
    const weights = plan.constant(new Float32Array(4 * inputs).fill(1)).offset;
    const bias = plan.constant(Float32Array.of(0, 1, 2, 3));
    const sums = { op: 'product' as const, y: { ...y, columnStride: 4 }, a: { ...x, columnStride: 8 }, b: bias };
    const numbers = { length: 4, inputs, weights, weightStride: 4 * inputs, parameter: Number.NEGATIVE_INFINITY };
    plan.emit(ROW, { ...sums, ...numbers }, { every: 2, row: 0, column: 0 });
    const machine = new Machine(plan, 2, javascriptKernels);
    expect(plan.fills).toEqual([]); // which held the weights
    machine.moveTo(0, 0);
    const [chunk] = machine.chunks;
    /** Counts parts, and gives the first output of each column of an image. */
    const run = (numActive: number, one: number) => {
      machine.computeFirst(numActive);
      for (const image of [0, 1]) {
        const start = (chunk?.at(x) as number) + image * x.stride;
        for (let i = 0; i < floats; i++) machine.heap[start + i] = i % 8 === 0 ? one : 0;
      }
      const parts = [...machine.rowInParts(ROW)].length;
      const start = (chunk?.at(y) as number) + (numActive - 1) * y.stride;
      return [parts, Array.from({ length: columns }, (_, c) => machine.heap[start + 4 * c])];
    };
    const eighth = inputs / 8; // inputs that are not 0
    // 2 images, 63 columns, 4 outputs, 2^14 inputs: almost 2^23, and 2^22 is a part, so the last one is smaller.
    expect(run(2, 1)).toEqual([2, new Array(columns).fill(eighth)]);
    expect(run(2, 2)).toEqual([2, new Array(columns).fill(2 * eighth)]);
    expect(run(1, 3)).toEqual([0, new Array(columns).fill(3 * eighth)]); // at once
  });
});
