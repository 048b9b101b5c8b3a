import { describe, expect, it } from 'vitest';
import { type KernelWindow, windowAround } from '../../src/core/window';
import { channelsOf } from '../../src/distributions/pixel-distribution';
import { distributionOf } from '../../src/distributions/readers';
import { addOutputs, compile } from '../../src/engine/compile';
import { Machine } from '../../src/engine/machine';
import { Plan } from '../../src/engine/plan';
import { Op } from '../../src/kernels/instruction';
import { javascriptKernels } from '../../src/kernels/javascript';
import { type Features, ProgramBuilder } from '../../src/program/builder';
import { imageProgram } from '../../src/program/maps';
import { AFTER_ROW, ROW, readinessOf } from '../../src/program/readiness';
import { read, write } from '../support/machine';
import { modelOf, weightOf } from '../support/program';

/** A program for images of `channels`, four columns wide; `build` returns the logits. */
function compiled(
  channels: number,
  levels: number,
  build: (program: ProgramBuilder, image: Features) => Features,
) {
  const program = new ProgramBuilder();
  const output = build(program, program.image(channels));
  const model = modelOf(program, output, { imageShape: [null, 4, channels], levels });
  const plan = new Plan(1, 4, channels);
  const { nodes, conditions } = imageProgram(model);
  const distribution = distributionOf(model);
  const ready = readinessOf(nodes, conditions);
  const io = compile(plan, 4, { ...model, nodes }, ready, channelsOf(distribution));
  const outputs = addOutputs(plan, io.output, distribution);
  const machine = new Machine(plan, 1, javascriptKernels);
  return {
    plan,
    /** The operations of what is done once, before a row, at each time, and after a row, by name. */
    ops: plan.steps.map((steps) => steps.map(({ code }) => Object.keys(Op)[code.op])),
    /** Puts the present pixel's channels one by one, and gives the logits of each before it. */
    pixel(row: number, column: number, values: readonly number[]): number[][] {
      machine.moveTo(row, column);
      if (column === 0) machine.runRow(ROW);
      const all = values.map((_, channel) => {
        machine.run(channel);
        const [logits] = read(machine, outputs, levels);
        const here = { ...io.image, offset: io.image.offset + channel };
        write(machine, here, [values.slice(channel, channel + 1)]);
        return logits as number[];
      });
      machine.run(channels);
      if (column === 3) machine.runRow(AFTER_ROW);
      return all;
    },
  };
}

const BIAS = [-1, 2, 3, -4];

describe('compile', () => {
  it('gives the logits of each channel in its time, from the channels before it', () => {
    const { pixel, ops } = compiled(2, 3, (program, image) => {
      const kernel = weightOf([1, 1, 2, 6], [9, 9, 9, 10, 20, 30, 9, 9, 9, 9, 9, 9]); // red feeds green; the rest is masked
      return program.conv(image, kernel, weightOf([6], [1, 2, 3, 4, 5, 6]), windowAround([1, 1], 'A', 2));
    });
    expect(pixel(0, 0, [0.5, 1])).toEqual([[1, 2, 3], [4 + 5, 5 + 10, 6 + 15]]); // biome-ignore format: one line
    expect(pixel(0, 1, [0, 1])).toEqual([[1, 2, 3], [4, 5, 6]]); // biome-ignore format: one line
    // red sees nothing, so its logits are known for the whole row
    expect(ops).toEqual([[], ['product'], ['copy'], ['product', 'copy'], [], []]);
  });

  it('keeps what later pixels look at, and zeros around the image', () => {
    const kernel = [1000, 100, 1, 10, 7, 7, 7, 7, 7]; // from the middle on it is masked
    const { pixel } = compiled(1, 2, (program, image) => {
      const weights = weightOf([3, 3, 1, 2], kernel.flatMap((w) => [w, 2 * w])); // biome-ignore format: one line
      return program.conv(image, weights, null, windowAround([3, 3], 'A', 1));
    });
    const image = [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]; // biome-ignore format: one line
    const at = (row: number, column: number) => image[row]?.[column] ?? 0;
    for (const [r, values] of image.entries()) {
      for (const [c, value] of values.entries()) {
        const above = 1000 * at(r - 1, c - 1) + 100 * at(r - 1, c) + at(r - 1, c + 1);
        const sum = above + 10 * at(r, c - 1);
        expect(pixel(r, c, [value])).toEqual([[sum, 2 * sum]]);
      }
    }
  });

  /** A convolution that gives its biases, and ReLUs of it; `of` says which is the logits. */
  const biases = (of: (program: ProgramBuilder, conv: Features) => Features) =>
    compiled(1, 4, (program, image) => {
      const kernel = weightOf([1, 1, 1, 4], [9, 9, 9, 9]);
      return of(program, program.conv(image, kernel, weightOf([4], BIAS), windowAround([1, 1], 'A', 1)));
    });

  it('makes a ReLU part of the convolution that it alone reads', () => {
    const { ops, pixel } = biases((program, conv) => program.pointwise('relu', conv));
    expect(ops.flat()).toEqual(['product', 'copy']);
    expect(pixel(0, 0, [1])).toEqual([[0, 2, 3, 0]]);
  });

  it('keeps a convolution that others read too, or that is itself the logits', () => {
    const skip = biases((program, conv) => program.combine('add', program.pointwise('relu', conv), conv));
    expect(skip.ops.flat()).toEqual(['product', 'relu', 'add', 'copy']);
    expect(skip.pixel(0, 0, [1])).toEqual([[-1, 4, 6, -4]]);

    const twice = biases((program, conv) =>
      program.combine('add', program.pointwise('relu', conv), program.pointwise('relu', conv)),
    );
    expect(twice.pixel(0, 0, [1])).toEqual([[0, 4, 6, 0]]);

    const logits = biases((program, conv) => {
      program.pointwise('relu', conv); // which nobody reads
      return conv;
    });
    expect(logits.pixel(0, 0, [1])).toEqual([BIAS]);
  });

  it('looks rows of a kernel up where one-hot vectors are all that it reads, and makes none', () => {
    const { ops, pixel } = compiled(1, 2, (program, image) => {
      const hot = program.oneHotLevels(image, 3);
      const kernel = weightOf(
        [1, 3, 3, 2],
        Array.from({ length: 18 }, (_, i) => i + 1),
      );
      return program.conv(hot, kernel, weightOf([2], [100, 200]), windowAround([1, 3], 'A', 1));
    });
    expect(ops.flat()).toEqual(['lookup', 'levelNumber']);
    expect(pixel(0, 0, [0])).toEqual([[100, 200]]); // nothing around the image, though its zeros could be a level
    expect(pixel(0, 1, [1])).toEqual([[101, 202]]); // after level 0
    expect(pixel(0, 2, [0.5])).toEqual([[105, 206]]); // after level 2
    expect(pixel(0, 3, [9])).toEqual([[103, 204]]); // after level 1
    expect(pixel(1, 0, [9])).toEqual([[100, 200]]);
    expect(pixel(1, 1, [0])).toEqual([[100, 200]]); // after none
  });

  it('makes one-hot vectors where something else reads them too, or they are the logits', () => {
    const both = compiled(1, 3, (program, image) => {
      const first = program.conv(
        image,
        weightOf([1, 3, 1, 1], [0.5, 9, 9]),
        null,
        windowAround([1, 3], 'A', 1),
      );
      const hot = program.oneHotLevels(first, 3); // of half of the pixel to the left
      const read = program.conv(hot, weightOf([1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]), null, windowAround([1, 1], 'B', 1)); // biome-ignore format: one line
      return program.combine('add', program.pointwise('scale', hot, 10), read);
    });
    expect(both.ops.flat().filter((op) => op === 'oneHot' || op === 'lookup')).toEqual(['oneHot', 'lookup']);
    expect(both.pixel(0, 0, [1])).toEqual([[11, 2, 3]]);
    expect(both.pixel(0, 1, [2])).toEqual([[4, 15, 6]]);
    expect(both.pixel(0, 2, [0])).toEqual([[7, 8, 19]]);

    const logits = compiled(1, 3, (program, image) => {
      const first = program.conv(
        image,
        weightOf([1, 3, 1, 1], [1, 9, 9]),
        null,
        windowAround([1, 3], 'A', 1),
      );
      const hot = program.oneHotLevels(first, 3);
      program.conv(hot, weightOf([1, 1, 3, 1]), null, windowAround([1, 1], 'B', 1)); // which nobody reads
      return hot;
    });
    expect(logits.ops.flat()).not.toContain('lookup');
    expect(logits.pixel(0, 0, [0.5])).toEqual([[1, 0, 0]]);
    expect(logits.pixel(0, 1, [1])).toEqual([[0, 1, 0]]);
    expect(logits.pixel(0, 2, [5])).toEqual([[0, 0, 1]]);
    expect(logits.pixel(0, 3, [0])).toEqual([[0, 0, 0]]); // 5 is no level
  });

  it('copies rows of a table for embedded levels', () => {
    const { ops, pixel } = compiled(1, 2, (program, image) => {
      const y = program.embedLevels(image, weightOf([3, 2], [1, 10, 2, 20, 3, 30]));
      return program.conv(y, weightOf([1, 3, 2, 2], [1, 0, 0, 2, 9, 9, 9, 9, 9, 9, 9, 9]), null, windowAround([1, 3], 'A', 1)); // biome-ignore format: one line
    });
    expect(ops.flat()).toEqual(['product', 'levelNumber', 'lookup']);
    expect(pixel(0, 0, [0.5])).toEqual([[0, 0]]);
    expect(pixel(0, 1, [1])).toEqual([[2, 40]]);
    expect(pixel(0, 2, [7])).toEqual([[3, 60]]);
    expect(pixel(0, 3, [0])).toEqual([[0, 0]]);
  });

  it('does nothing for what no logit is made of', () => {
    const { ops } = biases((program, conv) => {
      program.pointwise('tanh', conv);
      return conv;
    });
    expect(ops.flat()).toEqual(['product', 'copy']);
  });

  it('normalizes features that are joined of parts as one', () => {
    const part = (biases: number[]) => (program: ProgramBuilder, image: Features) =>
      program.conv(image, weightOf([1, 1, 1, 3]), weightOf([3], biases), windowAround([1, 1], 'A', 1));
    const { pixel } = compiled(1, 6, (program, image) => {
      const joined = program.concat(part([1, 2, 3])(program, image), part([4, 5, 6])(program, image));
      return program.normalize(joined, { epsilon: 0 });
    });
    const deviation = Math.sqrt(35 / 12); // of 1 to 6, whose mean is 3.5
    const wanted = [1, 2, 3, 4, 5, 6].map((x) => Math.fround((x - 3.5) / deviation));
    expect(pixel(0, 0, [1])).toEqual([wanted]);
  });

  it('takes the softmax of features that are joined of parts as one', () => {
    const part = (biases: number[]) => (program: ProgramBuilder, image: Features) =>
      program.conv(image, weightOf([1, 1, 1, 3]), weightOf([3], biases), windowAround([1, 1], 'A', 1));
    const { pixel } = compiled(1, 6, (program, image) => {
      const joined = program.concat(part([0, 1, 2])(program, image), part([3, 4, 5])(program, image));
      return program.softmax('softmax', joined, 1);
    });
    const powers = [0, 1, 2, 3, 4, 5].map(Math.exp);
    const sum = powers.reduce((total, power) => total + power, 0);
    expect(pixel(0, 0, [1])).toEqual([powers.map((power) => Math.fround(power / sum))]);
  });

  it('computes a map that sees its row whole after the row, for the rows below', () => {
    const everything: KernelWindow = windowAround([1, 3], 'everything', 1);
    const { pixel, ops } = compiled(1, 2, (program, image) => {
      const whole = program.conv(image, weightOf([1, 3, 1, 1], [100, 10, 1]), null, everything);
      const positive = program.pointwise('relu', whole);
      return program.conv(positive, weightOf([3, 1, 1, 2], [1, 3, 2, 5, 9, 9]), null, windowAround([3, 1], 'nothing', 1)); // biome-ignore format: one line
    });
    // before the row a product for the kernel row that is seen, after it one with its ReLU
    expect(ops).toEqual([[], ['product'], ['copy'], [], ['product']]);
    const image = [[1, 2, 3, 4], [5, 6, 7, 8], [9, 1, 2, 3]]; // biome-ignore format: one line
    const at = (row: number, column: number) => {
      const of = (c: number) => image[row]?.[c] ?? 0;
      return 100 * of(column - 1) + 10 * of(column) + of(column + 1);
    };
    for (const [r, values] of image.entries()) {
      for (const [c, value] of values.entries()) {
        // the kernel's middle row is the present one: only its first row reaches above
        expect(pixel(r, c, [value])).toEqual([[at(r - 1, c), 3 * at(r - 1, c)]]);
      }
    }
  });

  /** Features [8] that see the rows above, four columns wide: ready before a row. */
  const above = (program: ProgramBuilder, image: Features) =>
    program.conv(image, weightOf([2, 1, 1, 8]), null, { ...windowAround([1, 1], 'nothing', 1), kernelSize: [2, 1], anchor: [1, 0] }); // biome-ignore format: one line

  it('keeps one row for features that are made and read before the row, however many follow each other', () => {
    const chain = (length: number) =>
      compiled(1, 8, (program, image) => {
        let x = above(program, image);
        for (let i = 0; i < length; i++) x = program.pointwise('tanh', x);
        const point = weightOf([1, 3, 1, 8]);
        return program.combine('add', x, program.conv(image, point, null, windowAround([1, 3], 'A', 1)));
      }).plan.chunkFloats;
    expect(chain(9)).toBe(chain(3)); // two rows by turns
    expect(chain(3)).toBeGreaterThan(chain(0));
  });

  it('makes in one go, pixel by pixel, what joins features of rows above and of the pixel', () => {
    const { ops, plan } = compiled(1, 8, (program, image) => {
      const left = program.conv(image, weightOf([1, 3, 1, 8]), null, windowAround([1, 3], 'A', 1));
      const active = program.pointwise('tanh', program.concat(above(program, image), left));
      return program.conv(active, weightOf([1, 1, 16, 8]), null, windowAround([1, 1], 'B', 1));
    });
    expect(ops[1]?.includes('tanh')).toBe(false); // before the row
    expect(ops[2]?.filter((op) => op === 'tanh')).toEqual(['tanh']);
    expect(plan.movingBases.some(({ slots }) => slots === 16)).toBe(false); // one pixel of what is joined
  });
});
