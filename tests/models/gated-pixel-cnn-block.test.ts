import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { type GatedBlockOutputs, type GatedStacks, gatedPixelCNNBlock, type MaskType } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { runs } from '../support/runs';
import { type Grid, grid, noiseWeights, type SlowWeight, slowBlock, weightsByName } from '../support/slow/gated';
import { expectClose, expectNoLeaks, noise, take } from '../support/tensors';

type Symbolic = tfl.SymbolicTensor;
type Size = [number, number, number];

/** Gives a model, or a layer that is built, weights in [-1, 1). */
function setNoise(of: tfl.LayersModel | tfl.layers.Layer, seed: number): SlowWeight[] {
  const drawn = noiseWeights(
    of.getWeights().map(({ shape }) => shape),
    1,
    seed,
  );
  const weights = drawn.map((weight, i) => ({ ...weight, name: of.weights[i]?.originalName ?? '' }));
  const tensors = weights.map(({ shape, data }) => tf.tensor(data as Float32Array, [...shape]));
  of.setWeights(tensors);
  tf.dispose(tensors);
  return weights;
}

/**
 * Gives a model weights above 0, of which those of one output have a sum of at most 1/2: of positive inputs then all sums are positive and
 * small, where tanh and sigmoid rise, so that every output rises, by much more than rounding, with every value that it is made of.
 */
function setPositive(model: tfl.LayersModel, seed: number): void {
  const weights = model.getWeights().map(({ shape, size }, i) => {
    const summands = size / (shape.at(-1) as number);
    return tf.tensor(
      noise(size, 7919 * (seed + i)).map((x) => (0.75 + x / 4) / (2 * summands)),
      shape,
    );
  });
  model.setWeights(weights);
  tf.dispose(weights);
}

/** An input of a block: its shape of one image, and the values of both images. */
interface Input {
  shape: number[];
  values: Float32Array;
}

const N = 2; // images
const K = 3; // numbers of a condition

function input(shape: number[], seed: number): Input {
  const size = shape.reduce((a, b) => a * b, N);
  return { shape, values: noise(size, seed) };
}

/** The outputs of a block by the slow implementation, of both images in a row. */
function slowOutputs(
  inputs: Input[],
  weights: SlowWeight[],
  args: { maskType: MaskType; imageChannels: number; hasSkip: boolean; isLast: boolean },
): number[][] {
  const outputs = [0, 1].map((image) => {
    const [vertical, horizontal, condition] = inputs.map(({ shape, values }) => {
      const size = values.length / N;
      const own = values.subarray(image * size, (image + 1) * size);
      return shape.length === 1 ? Array.from(own) : grid(own, shape as Size);
    });
    const { of, finish } = weightsByName(weights);
    const stacks = [vertical as Grid, horizontal as Grid] as const;
    const slow = slowBlock(stacks, condition === undefined ? [] : [condition], (name) => of(`block_${name}`), args);
    finish();
    return [slow.vertical, slow.horizontal, slow.skip].flatMap((grid) => (grid === null ? [] : [grid.flat(2)]));
  });
  const [first = [], second = []] = outputs;
  return first.map((output, i) => [...output, ...(second[i] as number[])]);
}

/** A block and its inputs. */
const cases = fc.record({
  h: fc.integer({ min: 1, max: 4 }),
  w: fc.integer({ min: 1, max: 5 }),
  kernelSize: fc.tuple(fc.constantFrom(1, 3, 5), fc.constantFrom(1, 3, 5)),
  imageChannels: fc.integer({ min: 1, max: 4 }),
  maskType: fc.constantFrom<MaskType>('A', 'B'),
  group: fc.integer({ min: 1, max: 3 }), // features of a channel
  skipGroup: fc.integer({ min: 0, max: 2 }), // 0 for no skip output
  condition: fc.constantFrom('none', 'vector', 'map'),
  isLast: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1000 }),
});

type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

/** Small ones, with which GPU backends compile no programs for large products: these take ten seconds in software. */
const smallCases: [Case][] = [
  [{ h: 2, w: 3, kernelSize: [3, 3], imageChannels: 2, maskType: 'A', group: 1, skipGroup: 0, condition: 'map', isLast: false, seed: 1 }],
  [{ h: 2, w: 3, kernelSize: [3, 1], imageChannels: 2, maskType: 'B', group: 1, skipGroup: 1, condition: 'none', isLast: true, seed: 2 }],
];

/** The block of a case as a model: from its inputs, of these shapes, to its outputs. */
function blockOf(one: Case, shapes: readonly number[][]): tfl.LayersModel {
  const { kernelSize, imageChannels, maskType, group, skipGroup, isLast } = one;
  const inputs = shapes.map((shape) => tfl.input({ shape }));
  const [vertical, horizontal, condition] = inputs as [Symbolic, Symbolic, Symbolic?];
  const outputs: Partial<GatedBlockOutputs> = gatedPixelCNNBlock(
    { vertical, horizontal },
    {
      name: 'block',
      kernelSize,
      filters: group * imageChannels,
      imageChannels,
      maskType,
      isLast,
      ...(skipGroup > 0 && { skipFilters: skipGroup * imageChannels }),
      ...(condition && { condition }),
    },
  );
  expect('vertical' in outputs).toBe(!isLast);
  expect('skip' in outputs).toBe(skipGroup > 0);
  const all = [outputs.vertical, outputs.horizontal, outputs.skip].filter((output) => output !== undefined);
  return tfl.model({ inputs, outputs: all });
}

const applied = (model: tfl.LayersModel, x: tf.Tensor[], kwargs = {}) => [model.apply(x, kwargs)].flat() as tf.Tensor[];

onEachBackend('gatedPixelCNNBlock', (backend) => {
  it('equals loops in plain numbers', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const { h, w, imageChannels, maskType, group, skipGroup, condition, seed, isLast } = one;
        // An image may have any features, later stacks have those of the block.
        const [vertical, horizontal] = maskType === 'A' ? [4, 2 * imageChannels] : [group * imageChannels, group * imageChannels];
        const inputs = [input([h, w, vertical], seed), input([h, w, horizontal], seed + 1)];
        if (condition !== 'none') inputs.push(input(condition === 'map' ? [h, w, K] : [K], seed + 2));
        const model = blockOf(
          one,
          inputs.map(({ shape }) => shape),
        );
        const weights = setNoise(model, seed);
        const tensors = inputs.map(({ shape, values }) => tf.tensor(values, [N, ...shape]));
        const outputs = applied(model, tensors);
        const slow = slowOutputs(inputs, weights, { maskType, imageChannels, hasSkip: skipGroup > 0, isLast });
        expect(slow).toHaveLength(outputs.length);
        for (const [i, output] of outputs.entries()) {
          expect(output.shape).toEqual([N, ...(model.outputs[i]?.shape.slice(1) ?? [])]);
          expectClose(await take(output), slow[i] as number[], isGpu(backend) ? 1e-4 : 2e-5);
        }
        tf.dispose(tensors);
        model.dispose();
      }),
      { ...runs({ numRuns: isGpu(backend) ? 4 : 20, seed: 1 }), examples: smallCases },
    );
  });

  it('is causal, and sees its whole window: what moves with each value of each stack', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const { h, w, kernelSize, imageChannels, maskType, group, condition, seed, isLast } = one;
        const filters = group * imageChannels;
        const shapes = [
          [h, w, filters],
          [h, w, filters],
        ];
        if (condition !== 'none') shapes.push(condition === 'map' ? [h, w, K] : [K]);
        const model = blockOf(one, shapes);
        setPositive(model, seed);
        const size = h * w * filters;
        const before = noise(2 * size, seed).map((x) => 0.1 * (x + 1)); // of the vertical and of the horizontal stack
        const count = 2 * size;
        const changed = Array.from({ length: count }, (_, value) => before.map((x, i) => x + (i === value ? 1 : 0)));
        const given = shapes[2];
        const outputsOf = (images: Float32Array[]) => {
          const tensors = [0, size].map((from) =>
            tf.tensor4d(
              images.flatMap((image) => Array.from(image.subarray(from, from + size))),
              [count, h, w, filters],
            ),
          );
          const inputs: tf.Tensor[] = given === undefined ? tensors : [...tensors, tf.fill([count, ...given], 0.1)];
          const outputs = applied(model, inputs);
          tf.dispose(inputs);
          return outputs;
        };
        // An image is compared with the unchanged one at its own place of a batch: TensorFlow rounds exp and its kin otherwise elsewhere.
        const unchanged = outputsOf(changed.map(() => before));
        for (const [output, tensor] of outputsOf(changed).entries()) {
          const was = await take(unchanged[output] as tf.Tensor);
          const isVertical = output === 0 && !isLast;
          const hasResidual = maskType === 'B' && output === (isLast ? 0 : 1);
          const features = tensor.shape[3] as number;
          const values = await take(tensor);
          const outputs = h * w * features;
          for (const [i, value] of values.entries()) {
            const [input, place] = [Math.floor(i / outputs), i % outputs];
            const at = { from: Math.floor((input % size) / filters), to: Math.floor(place / features) }; // pixels
            const [down, across] = [Math.floor(at.to / w) - Math.floor(at.from / w), (at.to % w) - (at.from % w)];
            const channel = {
              from: Math.floor((input % filters) / group),
              to: Math.floor(((place % features) * imageChannels) / features),
            };
            const [up, side] = kernelSize.map((length) => (length - 1) / 2) as [number, number];
            const isBefore = maskType === 'A' ? channel.from < channel.to : channel.from <= channel.to;
            const isReached =
              input < size // in the vertical stack
                ? down >= (maskType === 'A' ? 1 : 0) && down <= up && Math.abs(across) <= side
                : !isVertical && down === 0 && across <= side && (across > 0 || (across === 0 && isBefore));
            const isItself = hasResidual && input === size + place;
            const hasMoved = value !== was[i];
            if (hasMoved !== (isReached || isItself)) {
              expect.fail(`output ${output}: place ${place}, which value ${input} ${hasMoved ? 'moves' : 'does not move'}`);
            }
          }
        }
        model.dispose();
      }),
      { ...runs({ numRuns: isGpu(backend) ? 2 : 8, seed: 1 }), examples: smallCases },
    );
  });

  it('drops features in training only, the same for skip and residual', async () => {
    const make = (dropout: number) => {
      const x = tfl.input({ shape: [4, 4, 40] });
      const args = { name: 'block', filters: 40, imageChannels: 1, skipFilters: 40, dropout };
      const { vertical, horizontal, skip } = gatedPixelCNNBlock({ vertical: x, horizontal: x }, args);
      return tfl.model({ inputs: x, outputs: [vertical, horizontal, skip as Symbolic] });
    };
    const [model, plain] = [make(0.5), make(0)];
    const x = tf.ones([1, 4, 4, 40]);
    const outputs = (m: tfl.LayersModel, training?: boolean) =>
      Promise.all(applied(m, [x], training === undefined ? {} : { training }).map(take));
    setNoise(model, 1);
    // The two 1x1 convolutions as identities without bias, so that what is dropped is seen.
    const identity = tf.tidy(() => tf.reshape(tf.eye(40), [1, 1, 40, 40]));
    const zeros = tf.zeros([40]);
    const replaced = (name: string, weight: tf.Tensor) =>
      /_(out|skip)\/kernel/.test(name) ? identity : /_(out|skip)\/bias/.test(name) ? zeros : weight;
    model.setWeights(model.weights.map((weight) => replaced(weight.originalName, weight.read())));
    plain.setWeights(model.getWeights());
    const expected = await outputs(plain, true);
    for (const training of [undefined, false]) expect(await outputs(model, training)).toEqual(expected);
    const [vertical, horizontal, skip] = await outputs(model, true);
    expect(vertical).toEqual(expected[0]);
    const kept = (skip as number[]).filter((value, i) => {
      const whole = (expected[2] as number[])[i] as number;
      if (value === 0) return whole === 0;
      expect(value).toBeCloseTo(2 * whole, 4); // scaled, so that the mean stays
      return true;
    });
    expect(Math.abs(kept.length / 640 - 0.5)).toBeLessThan(0.12); // six deviations
    expectClose(
      (horizontal as number[]).map((value) => value - 1),
      skip as number[],
      1e-5,
    );
    tf.dispose([x, identity, zeros]);
    for (const m of [model, plain]) m.dispose();
  });
});

/** The mean of a function of a standard normal number, by a sum. */
function normalMean(fn: (z: number) => number): number {
  let sum = 0;
  for (let z = -8; z <= 8; z += 0.01) sum += (0.01 * fn(z) * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
  return sum;
}

/** The mean square of a gate of two standard normal numbers. */
const GATED = normalMean((z) => Math.tanh(z) ** 2) * normalMean((z) => (1 / (1 + Math.exp(-z))) ** 2);

describe('gatedPixelCNNBlock', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it('draws kernels with a variance of 1 / (inputs seen * their mean square)', async () => {
    const [stack, image] = [tfl.input({ shape: [4, 4, 30] }), tfl.input({ shape: [4, 4, 1] })];
    const args = { name: 'block', filters: 30, imageChannels: 1 };
    const later = gatedPixelCNNBlock({ vertical: stack, horizontal: stack }, { ...args, kernelSize: 5 });
    const both = { vertical: image, horizontal: image };
    const first = gatedPixelCNNBlock(both, { ...args, kernelSize: 7, maskType: 'A' });
    const seen = { vertical: 3 * 5 * 30 * GATED, horizontal: 3 * 30, across: 60, out: 30 };
    const seenFirst = { vertical: 3 * 7, horizontal: 3, across: 60, out: 30 * GATED };
    for (const [{ vertical, horizontal }, sums, x] of [
      [later, seen, stack],
      [first, seenFirst, image],
    ] as const) {
      const model = tfl.model({ inputs: x, outputs: [vertical, horizontal] });
      for (const [part, sum] of Object.entries(sums)) {
        const weight = model.weights.find(({ originalName }) => originalName === `block_${part}/kernel`);
        const values = await take(tf.clone(weight?.read() as tf.Tensor));
        expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(1.001 * Math.sqrt(3 / sum)); // uniform
        const variance = values.reduce((total, value) => total + value * value, 0) / values.length;
        expect(Math.abs(variance * sum - 1)).toBeLessThan(0.3);
      }
      model.dispose();
    }
  });

  it('lets features keep their variance through many blocks', async () => {
    const image = tfl.input({ shape: [12, 12, 32] });
    const args = { filters: 32, imageChannels: 1 };
    let stacks: GatedStacks = { vertical: image, horizontal: image };
    for (let block = 0; block < 8; block++) stacks = gatedPixelCNNBlock(stacks, args);
    const model = tfl.model({ inputs: image, outputs: stacks.vertical });
    const normal = tf.randomNormal<tf.Rank.R4>([2, 12, 12, 32], 0, 1, 'float32', 1);
    const gates = await take(model.apply(tf.mul(normal, Math.sqrt(GATED))) as tf.Tensor); // as gates are
    const square = gates.reduce((sum, value) => sum + value * value, 0) / gates.length;
    expect(square / GATED).toBeGreaterThan(0.4); // the zeros around an image take some; without their scale gates would fade by 8.6 a block
    expect(square / GATED).toBeLessThan(1.5);
    normal.dispose();
    model.dispose();
  });

  it('names invalid arguments before any weight is made', async () => {
    const input = (...shape: (number | null)[]) => tfl.input({ shape });
    const image = input(4, 4, 3);
    const features = input(4, 4, 6);
    const make =
      (more: object, stacks: object = { vertical: features, horizontal: features }) =>
      () =>
        gatedPixelCNNBlock(stacks as GatedStacks, { filters: 6, ...more });
    await expectNoLeaks(() => {
      expect(() => gatedPixelCNNBlock(undefined as never, { filters: 6 })).toThrow('gatedPixelCNNBlock: stacks: wanted an object');
      expect(() => gatedPixelCNNBlock({ vertical: image, horizontal: image }, undefined as never)).toThrow(
        'gatedPixelCNNBlock: wanted an object',
      );
      expect(make({ filters: 4 })).toThrow('gatedPixelCNNBlock: filters: wanted a multiple of imageChannels (3)');
      expect(make({ filters: undefined })).toThrow('gatedPixelCNNBlock: filters: wanted an integer');
      for (const kernelSize of [2, [3, 4], [4, 3], [3, 3, 3], 0, 1.5]) {
        expect(make({ kernelSize })).toThrow('gatedPixelCNNBlock: kernelSize: wanted an odd integer');
      }
      expect(make({ maskType: 'a' })).toThrow("gatedPixelCNNBlock: maskType: wanted 'A' or 'B', got 'a'");
      expect(make({ imageChannels: 0 })).toThrow('gatedPixelCNNBlock: imageChannels');
      expect(make({ skipFilters: 4 })).toThrow('gatedPixelCNNBlock: skipFilters: wanted a multiple');
      expect(make({ skipFilters: 0 })).toThrow('gatedPixelCNNBlock: skipFilters: wanted an integer');
      for (const dropout of [-0.1, 1, Number.NaN, '0.5']) {
        expect(make({ dropout })).toThrow('gatedPixelCNNBlock: dropout: wanted a number from 0, below 1');
      }
      for (const condition of [input(4, 4), input(null), input(4, 4, 4, 1)]) {
        expect(make({ condition })).toThrow('gatedPixelCNNBlock: condition: wanted a symbolic [N,K] or [N,H,W,K]');
      }
      expect(make({ condition: 'cat' })).toThrow("gatedPixelCNNBlock: condition: wanted a symbolic [N,K] or [N,H,W,K], got 'cat'");
      expect(make({ condition: input(2, 4, 1) })).toThrow('gatedPixelCNNBlock: condition');
      expect(make({ isLast: 'no' })).toThrow("gatedPixelCNNBlock: isLast: wanted true or false, got 'no'");
      const wide = { vertical: input(4, 5, 6), horizontal: features };
      expect(make({}, wide)).toThrow('gatedPixelCNNBlock: vertical: wanted the height and width of the horizontal stack');
      expect(make({}, { horizontal: features })).toThrow('gatedPixelCNNBlock: vertical: wanted one tensor');
      expect(make({}, { vertical: features, horizontal: input(4, 4, null) })).toThrow('gatedPixelCNNBlock: horizontal: wanted one tensor');
      expect(make({ maskType: 'A' }, { vertical: image, horizontal: input(4, 4, 4) })).toThrow(
        'gatedPixelCNNBlock: features of the horizontal stack: wanted a multiple',
      );
      expect(make({}, { vertical: features, horizontal: image })).toThrow(
        'gatedPixelCNNBlock: filters (6): wanted a horizontal stack of as many features, got 3',
      );
    });
  });
});
