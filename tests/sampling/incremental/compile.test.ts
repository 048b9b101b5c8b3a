import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { Op } from '../../../src/kernels/instruction';
import { javascriptKernels } from '../../../src/kernels/javascript';
import { type Features, Program } from '../../../src/program/program';
import { stepsOf } from '../../../src/program/steps';
import { compile } from '../../../src/sampling/incremental/compile';
import { Machine } from '../../../src/sampling/incremental/machine';
import { Plan } from '../../../src/sampling/incremental/plan';
import { useBackend } from '../../support/backends';
import { read, write } from '../../support/machine';

beforeAll(() => useBackend('cpu'));

/** Programs for an image of `channels`, with numbers for their weights; `build` returns the logits. */
function compiled(
  channels: number,
  levels: number,
  build: (
    program: Program,
    image: Features,
    tensor: (shape: number[], numbers: number[]) => tf.Tensor,
  ) => Features,
) {
  const weights = new Map<tf.Tensor, number[]>();
  const program = new Program();
  const logits = build(program, program.image(channels), (shape, numbers) => {
    const tensor = tf.zeros(shape);
    weights.set(tensor, numbers);
    return tensor;
  });
  const plan = new Plan(1, 4, channels, weights);
  const ends = compile(plan, { program, logits, steps: stepsOf(program.nodes) }, levels);
  const machine = new Machine(plan, 1, javascriptKernels);
  tf.dispose([...weights.keys()]);
  const steps = plan.steps.map((codes) =>
    codes.map((code) => (typeof code === 'function' ? 'action' : code)),
  );
  return {
    /** The operations of what is done once, in a row, and of each step, by name. */
    ops: steps.map((codes) => codes.map((code) => (code === 'action' ? code : Object.keys(Op)[code.op]))),
    /** Puts the present pixel's channels one by one, and gives the logits of each before it. */
    pixel(row: number, column: number, values: readonly number[]): number[][] {
      machine.moveTo(row, column);
      if (column === 0) machine.runRow();
      const all = values.map((_, channel) => {
        machine.run(channel);
        const [logits] = read(machine, ends.logits, levels);
        const here = { ...ends.image, offset: ends.image.offset + channel };
        write(machine, here, [values.slice(channel, channel + 1)]);
        return logits as number[];
      });
      machine.run(channels);
      return all;
    },
  };
}

const BIAS = [-1, 2, 3, -4];

describe('compile', () => {
  it('gives the logits of each channel in its step, from the channels before it', () => {
    const { pixel, ops } = compiled(2, 3, (program, image, tensor) =>
      program.conv(image, {
        kernel: tensor([1, 1, 2, 6], [9, 9, 9, 10, 20, 30, 9, 9, 9, 9, 9, 9]), // red feeds green; the rest is masked
        bias: tensor([6], [1, 2, 3, 4, 5, 6]),
        maskType: 'A',
        imageChannels: 2,
      }),
    );
    expect(pixel(0, 0, [0.5, 1])).toEqual([[1, 2, 3], [4 + 5, 5 + 10, 6 + 15]]); // biome-ignore format: one line
    expect(pixel(0, 1, [0, 1])).toEqual([[1, 2, 3], [4, 5, 6]]); // biome-ignore format: one line
    // red sees nothing, so its logits are known for the whole row
    expect(ops).toEqual([[], ['product'], ['copy'], ['product', 'copy'], []]);
  });

  it('keeps what later pixels look at, and zeros around the image', () => {
    const kernel = [1000, 100, 1, 10, 7, 7, 7, 7, 7]; // from the middle on it is masked
    const { pixel } = compiled(1, 2, (program, image, tensor) => {
      const weights = tensor([3, 3, 1, 2], kernel.flatMap((w) => [w, 2 * w])); // biome-ignore format: one line
      return program.conv(image, { kernel: weights, bias: undefined, maskType: 'A', imageChannels: 1 });
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
  const biases = (of: (program: Program, conv: Features) => Features) =>
    compiled(1, 4, (program, image, tensor) => {
      const kernel = tensor([1, 1, 1, 4], [9, 9, 9, 9]);
      const args = { kernel, bias: tensor([4], BIAS), maskType: 'A' as const, imageChannels: 1 };
      return of(program, program.conv(image, args));
    });

  it('makes a ReLU part of the convolution that it alone reads', () => {
    const { ops, pixel } = biases((program, conv) => program.relu(conv));
    expect(ops.flat()).toEqual(['product', 'copy']);
    expect(pixel(0, 0, [1])).toEqual([[0, 2, 3, 0]]);
  });

  it('keeps a convolution that others read too, or that is itself the logits', () => {
    const skip = biases((program, conv) => program.add(program.relu(conv), conv));
    expect(skip.ops.flat()).toEqual(['product', 'relu', 'add', 'copy']);
    expect(skip.pixel(0, 0, [1])).toEqual([[-1, 4, 6, -4]]);

    const twice = biases((program, conv) => program.add(program.relu(conv), program.relu(conv)));
    expect(twice.pixel(0, 0, [1])).toEqual([[0, 4, 6, 0]]);

    const logits = biases((program, conv) => {
      program.relu(conv); // which nobody reads
      return conv;
    });
    expect(logits.pixel(0, 0, [1])).toEqual([BIAS]);
  });

  it('does what kernels have no instruction for in JavaScript', () => {
    const { ops, pixel } = biases((program, conv) => program.map(conv, (x) => x * x));
    expect(ops.flat()).toEqual(['product', 'action', 'copy']);
    expect(pixel(0, 0, [1])).toEqual([[1, 4, 9, 16]]);
  });
});
