import fc from 'fast-check';
import { describe, it } from 'vitest';
import { FACTOR, pack } from '../../../src/runtime/kernels/packed';
import { type Features, nodeOf, type ProgramBuilder } from '../../../src/runtime/program/builder';
import { toFloat16 } from '../../../src/runtime/program/float16';
import type { LSTMPath } from '../../../src/runtime/program/operations/lstm';
import { type ImageNode, PackedWeight, type PortableModel, type Weight } from '../../../src/runtime/program/program';
import { type Readiness, readinessOf } from '../../../src/runtime/program/readiness';
import { modelOf, programOf, weightOf } from '../../support/models/program';
import { LEVELS, randomProgram, recipes } from '../../support/models/random-program';
import { forAll } from '../../support/runs';
import { expectAsDefined } from '../../support/slow/value-by-value';
import { noise } from '../../support/tensors';

const batches = { numImages: fc.integer({ min: 1, max: 3 }), chunkImages: fc.integer({ min: 1, max: 3 }), seed: fc.nat({ max: 1000 }) };

it('a program computes value by value what its definition computes for whole images, bit for bit with all kernels', () =>
  forAll([fc.record({ recipe: recipes, ...batches })], { numRuns: 150, seed: 1 }, ({ recipe, ...batch }) => {
    expectAsDefined(randomProgram(recipe), batch);
  }));

/** The model with weights in float16, or integers with a scale for each output feature, packed. */
const withPacked = (model: PortableModel, isHalf: boolean): PortableModel => {
  const packed = ({ shape, data }: Weight) => {
    const factors = noise(shape.at(-1) as number, 3).map((scale) => (isHalf ? FACTOR : (scale / 64) * FACTOR));
    const values = isHalf ? toFloat16(data) : Int8Array.from(noise(data.length, 5), (x) => 100 * x);
    return new PackedWeight(shape, pack(values) as Uint16Array, factors);
  };
  return { ...model, weights: new Map([...model.weights].map(([name, weight]) => [name, packed(weight)])) };
};

it('so does one of packed weights', () =>
  forAll([fc.record({ recipe: recipes, isHalf: fc.boolean(), ...batches })], { numRuns: 60, seed: 2 }, ({ recipe, isHalf, ...batch }) => {
    expectAsDefined(withPacked(randomProgram(recipe), isHalf), batch);
  }));

it.each([true, false])('so does one of more packed weights than are unpacked at once; float16: %s', (isHalf) => {
  const { program, image } = programOf(1);
  const many = program.ops.conv(image, random([1, 1, 1, 600], 'many'), null, point);
  const before = { ...plainWindow, kernelSize: [1, 3], anchor: [0, 2], present: 'everything', dilation: [1, 2] } as const;
  const known = program.ops.shift(program.ops.conv(many, random([1, 3, 600, 24], 'kernel'), null, before), 0, 1);
  const next = program.ops.conv(program.ops.shift(many, 1, 0), random([1, 1, 600, 24], 'next'), null, point);
  const output = program.ops.conv(program.ops.concat(known, next), random([1, 1, 48, LEVELS], 'outputs'), null, point);
  const model = modelOf(program, output, { imageShape: [2, 7, 1], levels: LEVELS });
  expectAsDefined(withPacked(model, isHalf), { numImages: 5, chunkImages: 5, seed: 1 });
});

/** A weight of random numbers. */
const random = (shape: readonly number[], name: string) => {
  const size = shape.reduce((product, length) => product * length);
  return weightOf(shape, noise(size, name.length), name);
};

const plainWindow = { imageChannels: 1, stride: 1, transposed: false } as const;
const point = { ...plainWindow, kernelSize: [1, 1], anchor: [0, 0], present: 'everything' } as const;

/** Maps of each time, of four features, of images with two channels. */
function maps() {
  const { program, image } = programOf(2);
  const pixel = program.ops.conv(image, random([1, 1, 2, 4], 'pixel'), null, point);
  const rows = program.ops.shift(pixel, 1, 0);
  const left = program.ops.shift(pixel, 0, 1);
  const row = { ...plainWindow, kernelSize: [1, 3], anchor: [0, 1], present: 'everything' } as const;
  const after = program.ops.conv(image, random([1, 3, 2, 4], 'all of a row'), null, row);
  const mixed = program.ops.concat(program.ops.slice(left, 0, 1), image, program.ops.slice(rows, 0, 1));
  return { program, pixel, rows, left, after, mixed };
}
const time = fc.constantFrom<(keyof Omit<ReturnType<typeof maps>, 'program'>)[]>('pixel', 'rows', 'left', 'after', 'mixed');

/** Expects logits, of what is known before a pixel of these features and others that are, to be those of whole images. */
function expectSeenRight(program: ProgramBuilder, features: Features, known: Features): void {
  const seen = program.ops.shift(features, 1, 0); // in the row below, whatever it has seen
  const { times } = readinessOf(program.nodes as ImageNode[], [])[nodeOf(features)] as Readiness;
  const also = times.every((time) => time <= 0) ? [features] : [];
  const all = program.ops.concat(seen, known, ...also);
  const output = program.ops.conv(all, random([1, 1, all.size, 2 * LEVELS], 'outputs'), null, point);
  const model = modelOf(program, output, { imageShape: [3, 4, 2], levels: LEVELS });
  expectAsDefined(model, { numImages: 3, chunkImages: 2, seed: 1 });
}

describe('attention', () => {
  it('may be of queries, keys and values that are ready at any time', () =>
    forAll([time, time, time, fc.constantFrom(1, 2, 4), fc.boolean()], { numRuns: 40, seed: 1 }, (queries, keys, values, heads, own) => {
      const { program, ...of } = maps();
      expectSeenRight(program, program.ops.attend(of[queries], of[keys], of[values], heads, { own }), of.left);
    }));

  it.each([false, true])('may be of values that are ready at several times in one head; own: %s', (own) => {
    const { program, rows, mixed, left } = maps();
    expectSeenRight(program, program.ops.attend(rows, rows, mixed, 1, { own }), left);
  });
});

describe('an LSTM', () => {
  const paths = fc.constantFrom<[LSTMPath, [number, number]]>(
    ['rows', [1, 1]], ['rows', [1, 5]], ['fromLeft', [2, 1]], ['fromRight', [2, 1]],
  ); // biome-ignore format: in few lines

  it('may be of gates that are ready at any time', () =>
    forAll([time, time, paths, fc.constantFrom(1, 2)], { numRuns: 40, seed: 1 }, (first, second, [path, kernelSize], groups) => {
      const { program, ...of } = maps();
      const half = (name: typeof first) => program.ops.concat(of[name], of[name], program.ops.slice(of[name], 0, 4));
      const gates = program.ops.concat(half(first), half(second)); // [24]: of one group, or each of a group of its own
      const size = gates.size / 4;
      const kernel = random([...kernelSize, size, 4 * size], 'states');
      expectSeenRight(program, program.ops.lstm(gates, kernel, path, groups), of.left);
    }));

  it.each(['rows', 'fromLeft'] as const)('keeps states that only their own row reads, before it begins: %s', (path) => {
    const { program, rows, left } = maps();
    const kernel = random([...(path === 'rows' ? [1, 1] : [2, 1]), 1, 4], 'states');
    const bent = program.ops.pointwise('tanh', program.ops.lstm(rows, kernel, path, 1));
    const others = program.ops.pointwise('tanh', program.ops.pointwise('tanh', program.ops.pointwise('elu', bent)));
    expectSeenRight(program, others, left);
  });
});
