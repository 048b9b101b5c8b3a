import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { getMask, type MaskType } from '../../../src/mask';
import { addConvolution } from '../../../src/sampling/incremental/convolution';
import { FeatureCache, ONE_PIXEL } from '../../../src/sampling/incremental/feature-cache';
import { Layout } from '../../../src/sampling/incremental/layout';
import { Machine } from '../../../src/sampling/incremental/machine';
import { Plan } from '../../../src/sampling/incremental/plan';
import { useBackend } from '../../support/backends';
import { kernelMakers, read, readFeatures, writeKnown } from '../../support/machine';
import { expectClose, noise } from '../../support/tensors';

beforeAll(() => useBackend('cpu'));

const HEIGHT = 4;
const WIDTH = 3;

/** Features in as many groups as the image has channels; `step` is that of the first group. */
const grouped = (channels: number, size: number, step: number) =>
  Array.from({ length: channels * size }, (_, i) => Math.floor(i / size) + step);

const cases = fc.record({
  channels: fc.integer({ min: 1, max: 3 }),
  groupIn: fc.integer({ min: 1, max: 5 }),
  groupOut: fc.integer({ min: 1, max: 5 }),
  kernelSize: fc.tuple(fc.constantFrom(1, 3, 5), fc.constantFrom(1, 3)),
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
  weight: (index: number) => number,
  bias: (o: number) => number,
): number[][][] {
  const sum = (row: number, column: number, o: number) => {
    let y = bias(o);
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const [xr, xc] = [row + r - (rows - 1) / 2, column + c - (columns - 1) / 2];
        if (xr < 0 || xr >= HEIGHT || xc < 0 || xc >= WIDTH) continue; // zeros around the image
        for (let i = 0; i < ins; i++) y += x(xr, xc, i) * weight(((r * columns + c) * ins + i) * outs + o);
      }
    }
    return y;
  };
  const each = <T>(length: number, of: (i: number) => T) => Array.from({ length }, (_, i) => of(i));
  return each(HEIGHT, (r) => each(WIDTH, (c) => each(outs, (o) => sum(r, c, o))));
}

describe.each(kernelMakers)('addConvolution with %s', (_, make) => {
  it('is a masked convolution, pixel by pixel, each feature as soon as what it sees is known', () => {
    fc.assert(
      fc.property(cases, ({ channels, groupIn, groupOut, kernelSize, maskType, images, ...options }) => {
        const [ins, outs] = [channels * groupIn, channels * groupOut];
        const shape = [...kernelSize, ins, outs] as const;
        const size = shape.reduce((a, b) => a * b, 1);
        const [kernel, bias] = [tf.tensor(noise(size, 1), [...shape]), tf.tensor(noise(outs, 2))];
        const weights = new Map([[kernel, noise(size, 1)], [bias, noise(outs, 2)]]); // biome-ignore format: one line
        const chunkImages = Math.ceil(images / 2);
        const plan = new Plan(chunkImages, WIDTH, channels, weights);
        const [rows, margin] = [(kernelSize[0] + 1) / 2, (kernelSize[1] - 1) / 2];
        const reach = { rows: rows + options.further, margin: margin + options.further };
        // With mask A a group of outputs sees the groups before it, with B itself too: known with group g
        // either way.
        const early = (steps: number[]) => (options.isEarly ? steps.map(() => 0) : steps);
        const steps = early(grouped(channels, groupIn, maskType === 'A' ? 1 : 0));
        const x = new FeatureCache(plan, options.isDense ? Layout.dense(steps) : Layout.of(steps), reach);
        const y = new FeatureCache(plan, Layout.of(early(grouped(channels, groupOut, 0))), ONE_PIXEL);
        const args = { kernel, maskType, imageChannels: channels, bias: options.hasBias ? bias : undefined };
        addConvolution(plan, args, x, y, options.isRelu);
        const [present, result] = [x.operand(), y.operand()];
        const machine = new Machine(plan, images, make);

        const features = { featuresIn: ins, featuresOut: outs, imageChannels: channels };
        const mask = getMask({ kernelSize, maskType, ...features });
        const values = noise(images * HEIGHT * WIDTH * ins, 3);
        const at = (n: number, row: number, column: number, i: number) =>
          values[((n * HEIGHT + row) * WIDTH + column) * ins + i] as number;
        const kernelValues = noise(size, 1);
        const biasValues = noise(outs, 2);
        const expected = Array.from({ length: images }, (_, n) =>
          slowly(
            (row, column, i) => at(n, row, column, i),
            shape,
            (w) => (mask.values[w] as number) * (kernelValues[w] as number),
            (o) => (options.hasBias ? (biasValues[o] as number) : 0),
          ),
        );
        for (let row = 0; row < HEIGHT; row++) {
          for (let column = 0; column < WIDTH; column++) {
            machine.moveTo(row, column);
            const pixel = Array.from({ length: images }, (_, n) =>
              Array.from({ length: ins }, (_, i) => at(n, row, column, i)),
            );
            for (let step = 0; step <= channels; step++) {
              writeKnown(machine, x, present, pixel, step, 1000); // what is not known yet must make no difference
              machine.run(step);
            }
            for (const [n, features] of readFeatures(machine, y, result).entries()) {
              const want = expected[n]?.[row]?.[column] as number[];
              expectClose(features, options.isRelu ? want.map((v) => Math.max(v, 0)) : want, 1e-4);
            }
          }
        }
        tf.dispose([kernel, bias]);
      }),
      { numRuns: 60 },
    );
  });

  it('leaves zeros where stretches are padded, which later products rely on', () => {
    const [kernel, bias] = [tf.ones([1, 1, 2, 3]), tf.ones([3])];
    const weights = new Map([[kernel, new Array(6).fill(1)], [bias, [5, 5, 5]]]); // biome-ignore format: one line
    const plan = new Plan(1, 1, 1, weights);
    const x = new FeatureCache(plan, Layout.of([0, 0]), ONE_PIXEL);
    const y = new FeatureCache(plan, Layout.of([0, 0, 0]), ONE_PIXEL);
    addConvolution(plan, { kernel, bias, maskType: 'B', imageChannels: 1 }, x, y, false);
    const machine = new Machine(plan, 1, make);
    writeKnown(machine, x, x.operand(), [[1, 2]], 0);
    machine.run(0);
    expect(read(machine, y.operand(), 4)).toEqual([[8, 8, 8, 0]]); // 5 + 1 + 2
    tf.dispose([kernel, bias]);
  });
});
