import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConditionValues } from '../../src/core/conditions';
import { channelsOf } from '../../src/distributions/pixel-distribution';
import { distributionOf } from '../../src/distributions/readers';
import { addOutputs, compile } from '../../src/engine/compile';
import { Evaluator } from '../../src/engine/evaluator';
import { Machine } from '../../src/engine/machine';
import { Plan } from '../../src/engine/plan';
import type { SamplingKernels } from '../../src/kernels/instruction';
import { javascriptKernels } from '../../src/kernels/javascript';
import { makeKernels } from '../../src/kernels/webassembly';
import { type Features, nodeOf, ProgramBuilder } from '../../src/program/builder';
import { imageProgram } from '../../src/program/maps';
import type { ImageNode, PortableModel } from '../../src/program/program';
import { type Readiness, readinessOf } from '../../src/program/readiness';
import { modelOf, weightOf } from '../support/program';
import { LEVELS, randomProgram, recipes } from '../support/random-program';
import { runs } from '../support/runs';
import { type SlowMap, slowly, slowMap, valueAt } from '../support/slow-program';
import { noise } from '../support/tensors';

/** Images, and what they are conditioned on. */
function inputs({ imageShape }: PortableModel, numImages: number, seed: number) {
  const [height, width, channels] = imageShape as [number, number, number];
  const values = height * width * channels;
  const levels = noise(numImages * values, seed).map((x) => Math.floor(((x + 1) / 2) * LEVELS));
  const vectors = noise(numImages * 2, seed + 1);
  const maps = noise(numImages * height * width, seed + 2);
  const conditions: ConditionValues[] = [
    { shape: [2], values: vectors },
    { shape: [height, width, 1], values: maps },
  ];
  const levelAt = (n: number, row: number, column: number, channel: number) =>
    levels[n * values + (row * width + column) * channels + channel] as number;
  const slow = (n: number) => ({
    image: slowMap([height, width, channels], (r, c, f) => levelAt(n, r, c, f) / (LEVELS - 1)),
    conditions: [
      slowMap([1, 1, 2], (_, __, f) => vectors[2 * n + f] as number, true),
      slowMap([height, width, 1], (r, c) => maps[(n * height + r) * width + c] as number),
    ],
  });
  return { levelAt, conditions, slow };
}

/** An evaluator whose chunks are of so many images. */
function evaluatorInChunks(
  model: PortableModel,
  numImages: number,
  chunkImages: number,
  conditions: readonly ConditionValues[],
  make: (floats: number) => SamplingKernels,
): Evaluator {
  const imageShape = model.imageShape as [number, number, number];
  const [height, width, channels] = imageShape;
  const plan = new Plan(chunkImages, width, channels);
  const { nodes, conditions: shapes } = imageProgram(model);
  const distribution = distributionOf(model);
  const ready = readinessOf(nodes, shapes);
  const io = compile(plan, height, { ...model, nodes }, ready, channelsOf(distribution));
  const outputs = addOutputs(plan, io.output, distribution);
  const machine = new Machine(plan, numImages, make);
  const conditionOf = Int32Array.from({ length: numImages }, (_, n) => n);
  return new Evaluator(machine, { ...io, outputs }, imageShape, model.levels, conditions, conditionOf);
}

/** Value by value, a model gives what it gives of whole images by its definition, the same bits with all kernels. */
function expectSlow(model: PortableModel, numImages: number, chunkImages: number, seed: number): void {
  const [height, width, channels] = model.imageShape as [number, number, number];
  const { levelAt, conditions, slow } = inputs(model, numImages, seed);
  const expected = Array.from(
    { length: numImages },
    (_, n) => slowly(model, slow(n))[model.output] as SlowMap,
  );
  const [fast, plain] = [makeKernels, javascriptKernels].map((make) =>
    evaluatorInChunks(model, numImages, chunkImages, conditions, make),
  ) as [Evaluator, Evaluator];
  const images = Array.from({ length: numImages }, (_, n) => n);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let channel = 0; channel < channels; channel++) {
        const got = fast.outputs(row, column, channel);
        expect(Array.from(plain.outputs(row, column, channel))).toEqual(Array.from(got));
        const stride = got.length / numImages;
        for (const [n, map] of expected.entries()) {
          for (let level = 0; level < LEVELS; level++) {
            const want = valueAt(map, row, column, channel * LEVELS + level);
            const error = Math.abs((got[n * stride + level] as number) - want);
            if (!(error < 1e-4 * Math.max(1, Math.abs(want))))
              expect([row, column, channel, got[n * stride + level]]).toEqual([row, column, channel, want]);
          }
        }
        for (const evaluator of [fast, plain])
          evaluator.put(row, column, channel, images.map((n) => levelAt(n, row, column, channel))); // biome-ignore format: one line
      }
    }
  }
}

describe('a program of several resolutions', () => {
  it('gives value by value what it gives of whole images by its definition, the same bits with all kernels', () => {
    const batches = fc.record({
      recipe: recipes,
      numImages: fc.integer({ min: 1, max: 3 }),
      chunkImages: fc.integer({ min: 1, max: 3 }),
      seed: fc.nat({ max: 1000 }),
    });
    fc.assert(
      fc.property(batches, ({ recipe, numImages, chunkImages, seed }) => {
        expectSlow(randomProgram(recipe), numImages, chunkImages, seed);
      }),
      runs({ numRuns: 300, seed: 1 }),
    );
  });
});

/** A weight of random numbers. */
const random = (shape: readonly number[], name: string) => {
  const size = shape.reduce((product, length) => product * length);
  return weightOf(shape, noise(size, name.length), name);
};

const plainWindow = { imageChannels: 1, stride: 1, transposed: false } as const;
const point = { ...plainWindow, kernelSize: [1, 1], anchor: [0, 0], present: 'everything' } as const;

/** Maps of each time, of four features, of images with two channels. */
function maps(program: ProgramBuilder) {
  const image = program.image(2);
  const pixel = program.conv(image, random([1, 1, 2, 4], 'pixel'), null, point);
  const rows = program.shift(pixel, 1, 0);
  const left = program.shift(pixel, 0, 1);
  const row = { ...plainWindow, kernelSize: [1, 3], anchor: [0, 1], present: 'everything' } as const;
  const after = program.conv(image, random([1, 3, 2, 4], 'all of a row'), null, row);
  const mixed = program.concat(program.slice(left, 0, 1), image, program.slice(rows, 0, 1));
  return { pixel, rows, left, after, mixed };
}
type Name = keyof ReturnType<typeof maps>;
const names: Name[] = ['pixel', 'rows', 'left', 'after', 'mixed'];

/** Expects logits, of what is known before a pixel of these features and others that are, to be those of whole images. */
function expectSeenRight(program: ProgramBuilder, features: Features, known: Features): void {
  const seen = program.shift(features, 1, 0); // in the row below, whatever it has seen
  const { times } = readinessOf(program.nodes as ImageNode[], [])[nodeOf(features)] as Readiness;
  const also = times.every((time) => time <= 0) ? [features] : [];
  const all = program.concat(seen, known, ...also);
  const output = program.conv(all, random([1, 1, all.size, 2 * LEVELS], 'outputs'), null, point);
  expectSlow(modelOf(program, output, { imageShape: [3, 4, 2], levels: LEVELS }), 3, 2, 1);
}

describe('attention', () => {
  it.each(
    names.flatMap((queries) =>
      names.flatMap((keys) => names.map((values) => [queries, keys, values] as const)),
    ),
  )('of queries, keys and values that are ready at any time: %s, %s, %s', (queries, keys, values) => {
    for (const heads of [1, 2, 4]) {
      const program = new ProgramBuilder();
      const of = maps(program);
      expectSeenRight(program, program.attend(of[queries], of[keys], of[values], heads), of.left);
    }
  });
});

describe('an LSTM', () => {
  const pairs = names.flatMap((first) => names.map((second) => [first, second] as const));
  it.each(pairs)('of gates that are ready at any time: %s, %s', (first, second) => {
    for (const [path, kernelSize] of [['rows', [1, 1]], ['rows', [1, 5]], ['fromLeft', [2, 1]], ['fromRight', [2, 1]]] as const) {
      for (const groups of [1, 2]) {
        const program = new ProgramBuilder();
        const of = maps(program);
        const half = (name: Name) => program.concat(of[name], of[name], program.slice(of[name], 0, 4));
        const gates = program.concat(half(first), half(second)); // [24]: of one group, or each of a group of its own
        const size = gates.size / 4;
        const kernel = random([...kernelSize, size, 4 * size], 'states');
        expectSeenRight(program, program.lstm(gates, kernel, path, groups), of.left);
      }
    }
  }); // biome-ignore format: the paths in one line

  it.each(['rows', 'fromLeft'] as const)(
    'keeps states that only their own row reads, before it begins: %s',
    (path) => {
      const program = new ProgramBuilder();
      const { rows, left } = maps(program);
      const kernel = random([...(path === 'rows' ? [1, 1] : [2, 1]), 1, 4], 'states');
      const bent = program.pointwise('tanh', program.lstm(rows, kernel, path, 1));
      const others = program.pointwise('tanh', program.pointwise('tanh', program.pointwise('elu', bent)));
      const all = program.concat(others, left);
      const output = program.conv(all, random([1, 1, all.size, 2 * LEVELS], 'outputs'), null, point);
      expectSlow(modelOf(program, output, { imageShape: [3, 4, 2], levels: LEVELS }), 3, 2, 1);
    },
  );
});
