import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type KernelWindow, type MaskType, maskOf, windowAround } from '../../src/core/window';
import { addConvolution } from '../../src/engine/convolution';
import { Layout } from '../../src/engine/layout';
import { Machine } from '../../src/engine/machine';
import { FeatureCache, ONE_PIXEL, Plan } from '../../src/engine/plan';
import { AFTER_ROW, ROW } from '../../src/program/readiness';
import { kernelMakers, read, readFeatures, writeKnown } from '../support/machine';
import { expectClose, noise } from '../support/tensors';

const HEIGHT = 4;
const WIDTH = 3;

/** Features in as many groups as the image has channels; `time` is that of the first group. */
const grouped = (channels: number, size: number, time: number) =>
  Array.from({ length: channels * size }, (_, i) => Math.floor(i / size) + time);

const cases = fc.record({
  channels: fc.integer({ min: 1, max: 3 }),
  groupIn: fc.integer({ min: 1, max: 5 }),
  groupOut: fc.integer({ min: 1, max: 5 }),
  kernelSize: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3 })),
  /** Rows above the present one, and columns to the left of it. */
  anchor: fc.tuple(fc.nat(), fc.nat()),
  maskType: fc.constantFrom<MaskType>('A', 'B'),
  isDense: fc.boolean(),
  /**
   * Whether all inputs come from earlier pixels, as behind a convolution of one group; the mask hides them
   * all the same.
   */
  isEarly: fc.boolean(),
  hasBias: fc.boolean(),
  isRelu: fc.boolean(),
  /** How much further than this convolution another looks. */
  further: fc.integer({ min: 0, max: 2 }),
  images: fc.integer({ min: 1, max: 5 }),
});

/**
 * A convolution of whole images by its definition: the output at each pixel, [row][column][feature], before
 * any ReLU.
 */
function slowly(
  x: (row: number, column: number, i: number) => number,
  [rows, columns, ins, outs]: readonly [number, number, number, number],
  anchor: readonly [number, number],
  weight: (index: number) => number,
  bias: (o: number) => number,
): number[][][] {
  const sum = (row: number, column: number, o: number) => {
    let y = bias(o);
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const [xr, xc] = [row + r - anchor[0], column + c - anchor[1]];
        if (xr < 0 || xr >= HEIGHT || xc < 0 || xc >= WIDTH) continue; // zeros around the image
        for (let i = 0; i < ins; i++) y += x(xr, xc, i) * weight(((r * columns + c) * ins + i) * outs + o);
      }
    }
    return y;
  };
  const each = <T>(length: number, of: (i: number) => T) => Array.from({ length }, (_, i) => of(i));
  return each(HEIGHT, (r) => each(WIDTH, (c) => each(outs, (o) => sum(r, c, o))));
}

/** The numbers of a convolution with masked weights, and what it makes of images by its definition. */
function convolution(window: KernelWindow, ins: number, outs: number, images: number, hasBias: boolean) {
  const shape = [...window.kernelSize, ins, outs] as const;
  const size = shape.reduce((a, b) => a * b, 1);
  const [kernel, bias] = [noise(size, 1), noise(outs, 2)];
  const mask = maskOf(window, ins, outs);
  const values = noise(images * HEIGHT * WIDTH * ins, 3);
  const at = (n: number, row: number, column: number, i: number) =>
    values[((n * HEIGHT + row) * WIDTH + column) * ins + i] as number;
  return {
    weights: { kernel, bias: hasBias ? bias : null },
    /** The inputs of a pixel, for each image. */
    pixel: (row: number, column: number) =>
      Array.from({ length: images }, (_, n) => Array.from({ length: ins }, (_, i) => at(n, row, column, i))),
    /** [image][row][column][feature] */
    expected: Array.from({ length: images }, (_, n) =>
      slowly(
        (row, column, i) => at(n, row, column, i),
        shape,
        window.anchor,
        (w) => (mask[w] as number) * (kernel[w] as number),
        (o) => (hasBias ? (bias[o] as number) : 0),
      ),
    ),
  };
}

describe.each(kernelMakers)('addConvolution with %s', (_, make) => {
  it('is a masked convolution, pixel by pixel, each feature as soon as what it sees is known', () => {
    fc.assert(
      fc.property(cases, ({ channels, groupIn, groupOut, kernelSize, maskType, images, ...options }) => {
        const anchor = options.anchor.map((place, i) => place % (kernelSize[i] as number)) as [
          number,
          number,
        ];
        const window: KernelWindow = { ...windowAround(kernelSize, maskType, channels), anchor };
        const [ins, outs] = [channels * groupIn, channels * groupOut];
        const plan = new Plan(Math.ceil(images / 2), WIDTH, channels);
        const margin = Math.max(anchor[1], kernelSize[1] - 1 - anchor[1]);
        const { further } = options;
        const extent = { rows: anchor[0] + 1 + further, margin: margin + further, isWholeRow: false };
        // With mask A a group of outputs sees the groups before it, with B itself too: known with group g
        // either way.
        const early = (times: number[]) => (options.isEarly ? times.map(() => 0) : times);
        const times = early(grouped(channels, groupIn, maskType === 'A' ? 1 : 0));
        const x = new FeatureCache(plan, options.isDense ? Layout.dense(times) : Layout.of(times), extent);
        const y = new FeatureCache(plan, Layout.of(early(grouped(channels, groupOut, 0))), ONE_PIXEL);
        const { weights, pixel, expected } = convolution(window, ins, outs, images, options.hasBias);
        addConvolution(plan, window, weights, x, y, options.isRelu);
        const [present, result] = [x.operand(), y.operand()];
        const machine = new Machine(plan, images, make);
        for (let row = 0; row < HEIGHT; row++) {
          machine.moveTo(row, 0);
          machine.runRow(ROW); // what rows above contribute
          for (let column = 0; column < WIDTH; column++) {
            machine.moveTo(row, column);
            for (let time = 0; time <= channels; time++) {
              writeKnown(machine, x, present, pixel(row, column), time, 1000); // what is not known yet must make no difference
              machine.run(time);
            }
            for (const [n, features] of readFeatures(machine, y, result).entries()) {
              const want = expected[n]?.[row]?.[column] as number[];
              expectClose(features, options.isRelu ? want.map((v) => Math.max(v, 0)) : want, 1e-4);
            }
          }
        }
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it.each([
    ['nothing', ROW],
    ['everything', AFTER_ROW],
  ] as const)('is computed for whole rows where it sees %s of its own', (sees, when) => {
    const rowCases = fc.record({
      ins: fc.integer({ min: 1, max: 5 }),
      outs: fc.integer({ min: 1, max: 5 }),
      kernelSize: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 })),
      anchor: fc.tuple(fc.nat(), fc.nat()),
      isRelu: fc.boolean(),
      images: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(rowCases, ({ ins, outs, kernelSize, isRelu, images, ...options }) => {
        const anchor = options.anchor.map((place, i) => place % (kernelSize[i] as number)) as [
          number,
          number,
        ];
        const window: KernelWindow = { ...windowAround(kernelSize, sees, 1), anchor };
        const plan = new Plan(Math.ceil(images / 2), WIDTH, 1);
        const margin = Math.max(anchor[1], kernelSize[1] - 1 - anchor[1]);
        const extent = { rows: anchor[0] + 1, margin, isWholeRow: true };
        const x = new FeatureCache(plan, Layout.of(new Array(ins).fill(0)), extent);
        const y = new FeatureCache(plan, Layout.of(new Array(outs).fill(when)), ONE_PIXEL);
        const { weights, pixel, expected } = convolution(window, ins, outs, images, true);
        addConvolution(plan, window, weights, x, y, isRelu);
        const [present, result] = [x.operand(), y.operand()];
        const machine = new Machine(plan, images, make);
        const expectRow = (row: number) => {
          for (let column = 0; column < WIDTH; column++) {
            machine.moveTo(row, column);
            for (const [n, features] of readFeatures(machine, y, result).entries()) {
              const want = expected[n]?.[row]?.[column] as number[];
              expectClose(features, isRelu ? want.map((v) => Math.max(v, 0)) : want, 1e-4);
            }
          }
        };
        for (let row = 0; row < HEIGHT; row++) {
          machine.moveTo(row, 0);
          machine.runRow(ROW);
          if (when === ROW) expectRow(row);
          for (let column = 0; column < WIDTH; column++) {
            machine.moveTo(row, column);
            writeKnown(machine, x, present, pixel(row, column), 0);
            machine.run(0);
          }
          machine.runRow(AFTER_ROW);
          expectRow(row);
        }
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  it('of one-hot vectors looks rows of its kernel up, by the numbers of levels', () => {
    const LEVELS = 3;
    fc.assert(
      fc.property(cases, ({ channels, groupIn, groupOut, kernelSize, maskType, images, ...options }) => {
        const anchor = options.anchor.map((place, i) => place % (kernelSize[i] as number)) as [
          number,
          number,
        ];
        const window: KernelWindow = { ...windowAround(kernelSize, maskType, channels), anchor };
        const [ins, outs] = [channels * groupIn, channels * groupOut];
        const shape = [...kernelSize, ins * LEVELS, outs] as const;
        const [kernel, bias] = [noise(shape.reduce((a, b) => a * b), 1), noise(outs, 2)]; // biome-ignore format: one line
        const mask = maskOf(window, ins * LEVELS, outs);
        const number = (n: number, row: number, column: number, i: number) =>
          (7 * n + 5 * row + 3 * column + i * i + row * column) % (LEVELS + 1); // 0 is none

        const plan = new Plan(Math.ceil(images / 2), WIDTH, channels);
        const margin = Math.max(anchor[1], kernelSize[1] - 1 - anchor[1]);
        const { further, isDense, isRelu } = options;
        const extent = { rows: anchor[0] + 1 + further, margin: margin + further, isWholeRow: false };
        const times = grouped(channels, groupIn, maskType === 'A' ? 1 : 0);
        const x = new FeatureCache(plan, isDense ? Layout.dense(times) : Layout.of(times), extent);
        const y = new FeatureCache(plan, Layout.of(grouped(channels, groupOut, 0)), ONE_PIXEL);
        const weights = { kernel, bias: options.hasBias ? bias : null };
        addConvolution(plan, window, weights, x, y, isRelu, LEVELS);
        const [present, result] = [x.operand(), y.operand()];
        const machine = new Machine(plan, images, make);
        for (let row = 0; row < HEIGHT; row++) {
          machine.moveTo(row, 0);
          machine.runRow(ROW);
          for (let column = 0; column < WIDTH; column++) {
            machine.moveTo(row, column);
            for (let time = 0; time <= channels; time++) {
              const numbers = Array.from({ length: images }, (_, n) =>
                Array.from({ length: ins }, (_, i) => number(n, row, column, i)),
              );
              writeKnown(machine, x, present, numbers, time, 1); // a level, which must make no difference
              machine.run(time);
            }
            for (const [n, features] of readFeatures(machine, y, result).entries()) {
              const want = slowly(
                (r, c, i) => (number(n, r, c, Math.floor(i / LEVELS)) === (i % LEVELS) + 1 ? 1 : 0),
                shape,
                anchor,
                (w) => (mask[w] as number) * (kernel[w] as number),
                (o) => (options.hasBias ? (bias[o] as number) : 0),
              )[row]?.[column] as number[];
              expectClose(features, isRelu ? want.map((v) => Math.max(v, 0)) : want, 1e-4);
            }
          }
        }
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  it('leaves zeros where runs are padded, which later products rely on', () => {
    const plan = new Plan(1, 1, 1);
    const x = new FeatureCache(plan, Layout.of([0, 0]), ONE_PIXEL);
    const y = new FeatureCache(plan, Layout.of([0, 0, 0]), ONE_PIXEL);
    const weights = { kernel: new Float32Array(6).fill(1), bias: new Float32Array(3).fill(5) };
    addConvolution(plan, windowAround([1, 1], 'B', 1), weights, x, y, false);
    const machine = new Machine(plan, 1, make);
    writeKnown(machine, x, x.operand(), [[1, 2]], 0);
    machine.run(0);
    expect(read(machine, y.operand(), 4)).toEqual([[8, 8, 8, 0]]); // 5 + 1 + 2
  });
});
