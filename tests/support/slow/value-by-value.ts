import { expect } from 'vitest';
import { sizeFromShape } from '../../../src/runtime/core/check';
import { type ConditionShape, type ConditionValues, conditionShapeOf } from '../../../src/runtime/core/conditions';
import type { ImageShape } from '../../../src/runtime/core/images';
import { distributionOf } from '../../../src/runtime/distributions/kinds';
import { channelsOf } from '../../../src/runtime/distributions/pixel-distribution';
import { addOutputs, compile } from '../../../src/runtime/engine/compile';
import { Evaluator } from '../../../src/runtime/engine/evaluator';
import { Machine } from '../../../src/runtime/engine/machine';
import { withMaps } from '../../../src/runtime/engine/maps';
import { Plan } from '../../../src/runtime/engine/plan';
import type { SamplingKernels } from '../../../src/runtime/kernels/instruction';
import { javascriptKernels } from '../../../src/runtime/kernels/javascript';
import { makeKernels } from '../../../src/runtime/kernels/webassembly';
import { imageProgram } from '../../../src/runtime/program/maps';
import type { PortableModel } from '../../../src/runtime/program/program';
import { readinessOf } from '../../../src/runtime/program/readiness';
import { noise } from '../tensors';
import { type SlowMap, slowly, slowMap, valueAt } from './program';

/** How many images are evaluated, how many of them together, and the seed of their numbers. */
interface Batch {
  readonly numImages: number;
  readonly chunkImages: number;
  readonly seed: number;
}

/**
 * Expects of a program that the engine, which is given the levels of images one by one, gives before each of them what
 * the definition gives of whole images, and that all kernels give the same bits.
 */
export function expectAsDefined(model: PortableModel, batch: Batch): void {
  const { numImages, seed } = batch;
  const { levels } = model;
  const imageShape = model.imageShape as ImageShape;
  const [height, width, channels] = imageShape;
  const size = height * width * channels;
  const drawn = randomLevels(numImages * size, levels, seed);
  const conditions = model.conditions.map((shape, i) => randomCondition(shape, imageShape, numImages, seed + i + 1));
  const expected = Array.from({ length: numImages }, (_, n) => {
    const image = slowMap(imageShape, (r, c, f) => (drawn[n * size + (r * width + c) * channels + f] as number) / (levels - 1));
    const inputs = { image, conditions: conditions.map((condition) => slowCondition(condition, n)) };
    return slowly(model, inputs)[model.output] as SlowMap;
  });
  const [fast, plain] = [makeKernels, javascriptKernels].map((make) => evaluatorInChunks(model, batch, conditions, make)) as [
    Evaluator,
    Evaluator,
  ];
  for (let place = 0; place < size; place++) {
    const [pixel, channel] = [Math.floor(place / channels), place % channels];
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    const got = fast.outputs(row, column, channel);
    if (!hasSameBits(got, plain.outputs(row, column, channel))) expect(plain.outputs(row, column, channel)).toEqual(got);
    const stride = got.length / numImages; // padded
    for (const [n, map] of expected.entries()) {
      for (let level = 0; level < levels; level++) {
        const want = valueAt(map, row, column, channel * levels + level);
        const error = Math.abs((got[n * stride + level] as number) - want);
        if (!(error < 1e-4 * Math.max(1, Math.abs(want))))
          expect({ row, column, channel, got: got[n * stride + level] }).toEqual({ row, column, channel, got: want });
      }
    }
    const put = Array.from({ length: numImages }, (_, n) => drawn[n * size + place] as number);
    for (const evaluator of [fast, plain]) evaluator.put(row, column, channel, put);
  }
}

/** An evaluator whose chunks are of so many images. */
function evaluatorInChunks(
  model: PortableModel,
  { numImages, chunkImages }: Batch,
  conditions: readonly ConditionValues[],
  make: (floats: number) => SamplingKernels,
): Evaluator {
  const imageShape = model.imageShape as ImageShape;
  const [height, width, channels] = imageShape;
  const { nodes, conditions: shapes, maps } = imageProgram(model);
  const given = withMaps(model, maps, numImages, imageShape, conditions, make);
  const plan = new Plan(chunkImages, width, channels);
  const distribution = distributionOf(model);
  const ready = readinessOf(nodes, shapes);
  const io = compile(plan, height, { ...model, nodes }, ready, channelsOf(distribution));
  const outputs = addOutputs(plan, io.output, distribution);
  const machine = new Machine(plan, numImages, make);
  const evaluator = new Evaluator(machine, { ...io, outputs }, model.levels);
  evaluator.begin(numImages, given);
  return evaluator;
}

const randomLevels = (length: number, levels: number, seed: number) => noise(length, seed).map((x) => Math.floor(((x + 1) / 2) * levels));

/** The values of a condition, at random. */
function randomCondition(condition: ConditionShape, imageShape: ImageShape, numImages: number, seed: number): ConditionValues {
  if (condition.kind === 'class') throw new Error('no program here has classes');
  const shape = conditionShapeOf(condition, imageShape);
  const count = numImages * sizeFromShape(shape);
  return { shape, values: condition.kind === 'codes' ? randomLevels(count, condition.levels, seed) : noise(count, seed) };
}

/** An image's condition as the definition takes it. */
function slowCondition({ shape, values }: ConditionValues, n: number): SlowMap {
  const [height, width, size] = (shape.length === 1 ? [1, 1, ...shape] : shape) as ImageShape;
  const from = n * height * width * size;
  const at = (r: number, c: number, f: number) => values[from + (r * width + c) * size + f] as number;
  return slowMap([height, width, size], at, shape.length === 1);
}

function hasSameBits(a: Float32Array, b: Float32Array): boolean {
  const [x, y] = [a, b].map((one) => new Int32Array(one.buffer, one.byteOffset, one.length)) as [Int32Array, Int32Array];
  return x.length === y.length && x.every((word, i) => word === y[i]);
}
