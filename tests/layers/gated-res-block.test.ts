import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { gatedResBlock } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { randomNumbers } from '../../kit/random.mjs';
import { partSeed } from '../../src/layers/seeds';
import { anyBackend, isGpu, onBackend, onEachBackend } from '../support/backends';
import { forAllAsync } from '../support/runs';
import { scoped } from '../support/scoped';
import { grid, type SlowCondition } from '../support/slow/gated';
import { setLayerNoise, slowConvolutions, slowResBlock, slowWeightsOf } from '../support/slow/plus-plus';
import { expectClose, noise, take } from '../support/tensors';

const N = 2; // images
const K = 2; // numbers of a condition

type Case<Cases> = Cases extends fc.Arbitrary<infer T> ? T : never;

const cases = fc.record({
  h: fc.integer({ min: 1, max: 2 }),
  w: fc.integer({ min: 1, max: 3 }),
  filters: fc.integer({ min: 1, max: 2 }),
  hiddenFilters: fc.integer({ min: 1, max: 3 }),
  shift: fc.constantFrom('down', 'downRight', 'excludesCentre', 'same'),
  kernelSize: fc.option(fc.tuple(fc.constantFrom(1, 3), fc.constantFrom(1, 3))),
  activation: fc.constantFrom('concatElu', 'elu'),
  weightNormalization: fc.boolean(),
  skipFeatures: fc.integer({ min: 0, max: 3 }), // none: no skip
  conditions: fc.subarray(['vector', 'map', 'other vector'] as const),
  seed: fc.integer({ min: 1, max: 1000 }),
});

/** Has all that a block may have. */
const whole: Case<typeof cases> = {
  ...{ h: 2, w: 3, filters: 2, hiddenFilters: 3, shift: 'downRight', kernelSize: null, activation: 'concatElu' },
  ...{ weightNormalization: true, skipFeatures: 3, conditions: ['vector', 'map'], seed: 1 },
};

onEachBackend('GatedResBlock', (backend) => {
  it('equals loops in plain numbers', async () => {
    const check = async ({ h, w, skipFeatures, conditions, seed, kernelSize, ...args }: Case<typeof cases>) => {
      const hasSkip = skipFeatures > 0;
      const block = gatedResBlock({ ...args, hasSkip, ...(kernelSize && { kernelSize }) });
      const shapes = [
        [h, w, args.filters],
        ...(hasSkip ? [[h, w, skipFeatures]] : []),
        ...conditions.map((kind) => (kind === 'map' ? [h, w, K] : [K])),
      ];
      const values = shapes.map((shape, i) => Array.from(noise(N * tf.util.sizeFromShape(shape), seed + i)));
      const inputs = shapes.map((shape, i) => tf.tensor(values[i] as number[], [N, ...shape]));
      tf.dispose(block.apply(inputs)); // builds it
      setLayerNoise(block, seed);
      const weights = await slowWeightsOf(block);
      const convs = ['conv_in', ...(hasSkip ? ['conv_skip'] : []), 'conv_out'];
      const parts = args.weightNormalization ? ['kernel', 'gain', 'bias'] : ['kernel', 'bias'];
      expect([...weights.keys()]).toEqual([
        ...convs.flatMap((conv) => parts.map((part) => `${conv}_${part}`)),
        ...conditions.map((_, i) => `condition${i === 0 ? '' : i + 1}_kernel`),
      ]);
      const slow = (of: readonly number[][]) =>
        Array.from({ length: N }, (_, n) => {
          const [x, ...others] = shapes.map((shape, i): SlowCondition => {
            const size = shape.reduce((a, b) => a * b);
            const image = (of[i] as number[]).slice(n * size, (n + 1) * size);
            return shape.length === 1 ? image : grid(image, shape as [number, number, number]);
          }) as [number[][][], ...SlowCondition[]];
          const skip = hasSkip ? (others.shift() as number[][][]) : null;
          return slowResBlock(x, { skip, conditions: others }, slowConvolutions(weights), weights, args.shift, args.activation).flat(2);
        }).flat();

      const y = block.apply(inputs);
      expect(y.shape).toEqual([N, h, w, args.filters]);
      expectClose(await take(y), slow(values), 5e-5);
      tf.dispose(inputs);
      block.dispose();
    };
    const examples: [typeof whole][] = [[whole], [{ ...whole, shift: 'excludesCentre', kernelSize: [3, 3], activation: 'elu' }]];
    await forAllAsync([cases], { numRuns: isGpu(backend) ? 1 : 8, seed: 3, examples }, check);
  });

  it('drops features before its second convolution, by its seed and the step', async () => {
    const x = scoped(tf.fill([1, 3, 3, 1], 2));
    // conv_in gives elu(2) = 2; of elu(2) and elu(-2), conv_out takes the first for a, and for b 0, which lets half through.
    const weights = scoped([tf.tensor([1, 0], [1, 1, 2, 1]), tf.zeros([1]), tf.tensor([1, 0, 0, 0], [1, 1, 2, 2]), tf.zeros([2])]);
    const block = scoped(gatedResBlock({ filters: 1, shift: 'downRight', kernelSize: 1, dropout: 0.5, seed: 3, weights }));
    // biome-ignore format: pairs
    for (const [step, calls] of [[0, 2], [7, 1]] as const) {
      block.setStep(step);
      for (let call = 0; call < calls; call++) {
        const uniform = randomNumbers(`${partSeed(3, 'dropout')}/${step}/${call}/0`);
        const kept = Array.from({ length: 9 }, () => [0, 1].map(() => (uniform() < 0.5 ? 0 : 2))); // of both features
        const expected = kept.map(([first = 0]) => 2 + (first * 2) / 2);
        expectClose(await take(block.apply(x, { training: true })), expected, 1e-6);
      }
    }
  });
});

onBackend(anyBackend, 'GatedResBlock', () => {
  it('begins small at its end', async () => {
    const block = scoped(gatedResBlock({ filters: 3, shift: 'down', hasSkip: true, weightNormalization: true }));
    tf.dispose(block.apply([tf.zeros([1, 1, 1, 3]), tf.zeros([1, 1, 1, 3]), tf.zeros([1, 2])]));
    const weights = await slowWeightsOf(block);
    const gains = ['in', 'skip', 'out'].map((conv) => Array.from(weights.get(`conv_${conv}_gain`)?.data ?? []));
    expect(gains).toEqual([[1, 1, 1], [1, 1, 1], new Array(6).fill(Math.fround(0.1))]); // biome-ignore format: three
  });
});
