import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { type GatedBlockOutputs, gatedPixelCNNBlock, type MaskType } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { anyBackend, isGpu, onBackend, onEachBackend } from '../support/backends';
import { forAllAsync } from '../support/runs';
import { scoped } from '../support/scoped';
import { type Grid, grid, type SlowWeight, setSlowNoise, slowBlock, weightsByName } from '../support/slow/gated';
import { expectClose, noise, take } from '../support/tensors';

type Symbolic = tfl.SymbolicTensor;
type Size = [number, number, number];

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
  const others = { ...(skipGroup > 0 && { skipFilters: skipGroup * imageChannels }), ...(condition && { condition }) };
  const args = { name: 'block', kernelSize, filters: group * imageChannels, imageChannels, maskType, isLast, ...others };
  const outputs: Partial<GatedBlockOutputs> = gatedPixelCNNBlock({ vertical, horizontal }, args);
  expect('vertical' in outputs).toBe(!isLast);
  expect('skip' in outputs).toBe(skipGroup > 0);
  const all = [outputs.vertical, outputs.horizontal, outputs.skip].filter((output) => output !== undefined);
  return tfl.model({ inputs, outputs: all });
}

const applied = (model: tfl.LayersModel, x: tf.Tensor[], kwargs = {}) => [model.apply(x, kwargs)].flat() as tf.Tensor[];

onEachBackend('gatedPixelCNNBlock', (backend) => {
  it('equals loops in plain numbers', () =>
    forAllAsync([cases], { numRuns: isGpu(backend) ? 4 : 20, seed: 1, examples: smallCases }, async (one) => {
      const { h, w, imageChannels, maskType, group, skipGroup, condition, seed, isLast } = one;
      // An image may have any features, later stacks have those of the block.
      const [vertical, horizontal] = maskType === 'A' ? [4, 2 * imageChannels] : [group * imageChannels, group * imageChannels];
      const inputs = [input([h, w, vertical], seed), input([h, w, horizontal], seed + 1)];
      if (condition !== 'none') inputs.push(input(condition === 'map' ? [h, w, K] : [K], seed + 2));
      const shapes = inputs.map(({ shape }) => shape);
      const model = blockOf(one, shapes);
      const weights = setSlowNoise(model, seed);
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
    }));

  it('drops features in training only, the same for skip and residual', async () => {
    const make = (dropout: number) => {
      const x = tfl.input({ shape: [4, 4, 40] });
      const args = { name: 'block', filters: 40, imageChannels: 1, skipFilters: 40, dropout };
      const { vertical, horizontal, skip } = gatedPixelCNNBlock({ vertical: x, horizontal: x }, args);
      return scoped(tfl.model({ inputs: x, outputs: [vertical, horizontal, skip as Symbolic] }));
    };
    const [model, plain] = [make(0.5), make(0)];
    const x = scoped(tf.ones([1, 4, 4, 40]));
    const outputs = (m: tfl.LayersModel, training?: boolean) =>
      Promise.all(applied(m, [x], training === undefined ? {} : { training }).map(take));
    setSlowNoise(model, 1);
    // The two 1x1 convolutions as identities without bias, so that what is dropped is seen.
    const identity = scoped(tf.tidy(() => tf.reshape(tf.eye(40), [1, 1, 40, 40])));
    const zeros = scoped(tf.zeros([40]));
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
    const added = (horizontal as number[]).map((value) => value - 1);
    expectClose(added, skip as number[], 1e-5);
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

onBackend(anyBackend, 'gatedPixelCNNBlock', () => {
  it('draws kernels with a variance of 1 / (inputs seen * their mean square)', async () => {
    const [stack, image] = [tfl.input({ shape: [4, 4, 30] }), tfl.input({ shape: [4, 4, 1] })];
    const args = { name: 'block', filters: 30, imageChannels: 1 };
    const later = gatedPixelCNNBlock({ vertical: stack, horizontal: stack }, { ...args, kernelSize: 5 });
    const both = { vertical: image, horizontal: image };
    const first = gatedPixelCNNBlock(both, { ...args, kernelSize: 7, maskType: 'A' });
    const seen = { vertical: 3 * 5 * 30 * GATED, horizontal: 3 * 30, across: 60, out: 30 };
    const seenFirst = { vertical: 3 * 7, horizontal: 3, across: 60, out: 30 * GATED };
    // biome-ignore format: pairs
    for (const [{ vertical, horizontal }, sums, x] of [[later, seen, stack], [first, seenFirst, image]] as const) {
      const model = scoped(tfl.model({ inputs: x, outputs: [vertical, horizontal] }));
      for (const [part, sum] of Object.entries(sums)) {
        const weight = model.weights.find(({ originalName }) => originalName === `block_${part}/kernel`);
        const values = await take(tf.clone(weight?.read() as tf.Tensor));
        expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(1.001 * Math.sqrt(3 / sum)); // uniform
        const variance = values.reduce((total, value) => total + value * value, 0) / values.length;
        expect(Math.abs(variance * sum - 1)).toBeLessThan(0.3);
      }
    }
  });
});
