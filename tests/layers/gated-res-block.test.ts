import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { GatedResBlock, type GatedResBlockArgs, gatedResBlock } from 'pixelcnn-layers';
import { alea } from 'seedrandom';
import { beforeAll, describe, expect, it } from 'vitest';
import { partSeed } from '../../src/layers/seeds';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { saveAndLoad } from '../support/memory-file';
import { movedBy } from '../support/moved';
import { grid, type SlowCondition } from '../support/slow-gated';
import {
  setLayerNoise,
  slopesOf,
  slowConvolutions,
  slowResBlock,
  slowWeightsOf,
} from '../support/slow-plus-plus';
import {
  expectClose,
  expectCloseRelative,
  expectNoLeaks,
  noise,
  take,
  weightGradients,
} from '../support/tensors';

const N = 2; // images
const K = 2; // numbers of a condition

type Case<Cases> = Cases extends fc.Arbitrary<infer T> ? T : never;

const cases = fc.record({
  h: fc.integer({ min: 1, max: 2 }),
  w: fc.integer({ min: 1, max: 3 }),
  filters: fc.integer({ min: 1, max: 2 }),
  hiddenFilters: fc.integer({ min: 1, max: 3 }),
  shift: fc.constantFrom('down', 'downRight', 'before', 'around'),
  kernelSize: fc.option(fc.tuple(fc.constantFrom(1, 3), fc.constantFrom(1, 3))),
  activation: fc.constantFrom('concatElu', 'elu'),
  weightNormalization: fc.boolean(),
  skipFeatures: fc.integer({ min: 0, max: 3 }), // none: no skip
  conditions: fc.subarray(['vector', 'map', 'other vector'] as const),
  seed: fc.integer({ min: 1, max: 1000 }),
});

/** Has all that a block may have. */
const whole: Case<typeof cases> = {
  h: 2,
  w: 3,
  filters: 2,
  hiddenFilters: 3,
  shift: 'downRight',
  kernelSize: null,
  activation: 'concatElu',
  weightNormalization: true,
  skipFeatures: 3,
  conditions: ['vector', 'map'],
  seed: 1,
};

onEachBackend('GatedResBlock', (backend) => {
  it('equals loops in plain numbers, as do its gradients', async () => {
    const check = async ({
      h,
      w,
      skipFeatures,
      conditions,
      seed,
      kernelSize,
      ...args
    }: Case<typeof cases>) => {
      const hasSkip = skipFeatures > 0;
      const block = gatedResBlock({ ...args, hasSkip, ...(kernelSize && { kernelSize }) });
      const shapes = [
        [h, w, args.filters],
        ...(hasSkip ? [[h, w, skipFeatures]] : []),
        ...conditions.map((kind) => (kind === 'map' ? [h, w, K] : [K])),
      ];
      const values = shapes.map((shape, i) => Array.from(noise(shape.reduce((a, b) => a * b, N), seed + i))); // biome-ignore format: one line
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
      const slow = (of: readonly number[][], by = weights) =>
        Array.from({ length: N }, (_, n) => {
          const [x, ...others] = shapes.map((shape, i): SlowCondition => {
            const size = shape.reduce((a, b) => a * b);
            const image = (of[i] as number[]).slice(n * size, (n + 1) * size);
            return shape.length === 1 ? image : grid(image, shape as [number, number, number]);
          }) as [number[][][], ...SlowCondition[]];
          const skip = hasSkip ? (others.shift() as number[][][]) : null;
          return slowResBlock(
            x,
            { skip, conditions: others },
            slowConvolutions(by),
            by,
            args.shift,
            args.activation,
          ).flat(2);
        }).flat();

      const y = block.apply(inputs);
      expect(y.shape).toEqual([N, h, w, args.filters]);
      expectClose(await take(y), slow(values), 5e-5);
      const g = noise(y.size, seed + 9);
      const weighted = (all: number[]) => all.reduce((sum, value, i) => sum + value * (g[i] as number), 0);
      const gs = tf.tensor(g, y.shape);
      const f = (...of: tf.Tensor[]) => tf.sum(tf.mul(block.apply(of), gs)) as tf.Scalar;
      for (const [i, dx] of tf.grads(f)(inputs).entries()) {
        const slopes = slopesOf((moved) => weighted(slow(values.map((of, k) => (k === i ? [...moved] : of)))), values[i] as number[]); // biome-ignore format: one line
        expectCloseRelative(await take(dx), slopes, 5e-4);
      }
      const gradients = weightGradients(block, () => f(...inputs));
      for (const [i, [name, weight]] of [...weights].entries()) {
        const slopes = slopesOf((data) => weighted(slow(values, new Map(weights).set(name, { ...weight, data }))), weight.data); // biome-ignore format: one line
        // biome-ignore format: where all slopes are 0, such as those of a direction of one number
        expectClose(await take(gradients[i] as tf.Tensor), slopes, 5e-4 * Math.max(1, ...slopes.map(Math.abs)));
      }
      tf.dispose([inputs, gs]);
      block.dispose();
    };
    await fc.assert(fc.asyncProperty(cases, check), {
      numRuns: isGpu(backend) ? 1 : 8,
      seed: 3,
      examples: [[whole], [{ ...whole, shift: 'before', kernelSize: [3, 3], activation: 'elu' }]],
    });
  });

  it('sees its windows one after the other, of the skip the second one, of conditions the place itself', async () => {
    for (const shift of isGpu(backend) ? (['downRight'] as const) : (['down', 'downRight'] as const)) {
      const block = gatedResBlock({ filters: 2, shift, hasSkip: true, weightNormalization: true, seed: 1 });
      const [x, skip, map, vector] = [[4, 5, 2], [4, 5, 1], [4, 5, 3], [3]].map((shape, i) => tf.tensor(noise(shape.reduce((a, b) => a * b), i), [1, ...shape])) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]; // biome-ignore format: one line
      /** Whether an output sees an input so many rows above and columns to the left, through so many windows. */
      const sees = (up: number, left: number, windows: number) => {
        const right = shift === 'down' ? windows : 0;
        return up >= 0 && up <= windows && left >= -right && left <= windows;
      };
      const all = { x: [x, 2], skip: [skip, 1], map: [map, 0] } as const;
      for (const [name, [changed, windows]] of Object.entries(all)) {
        const size = changed.shape.slice(1) as [number, number, number];
        const { moved } = await movedBy(size, (given) => {
          const images = (of: tf.Tensor) => tf.tile(of, [given.shape[0], ...of.shape.slice(1).fill(1)]);
          const inputs = { x: images(x), skip: images(skip), map: images(map), vector: images(vector), [name]: given }; // biome-ignore format: one line
          return block.apply([inputs.x, inputs.skip, inputs.map, inputs.vector]);
        });
        const pairs = Array.from(
          { length: 20 * 20 },
          (_, pair) => [Math.floor(pair / 20), pair % 20] as const,
        );
        const [seen, wanted] = [
          ([from, to]: readonly [number, number]) => moved(from, to),
          ([from, to]: readonly [number, number]) =>
            sees(Math.floor(to / 5) - Math.floor(from / 5), (to % 5) - (from % 5), windows),
        ].map((fn) => pairs.filter(fn).map(([from, to]) => `${from} by ${to}`));
        expect(seen).toEqual(wanted);
      }
      tf.dispose([x, skip, map, vector]);
      block.dispose();
    }
  });

  it('drops features in training only, before its second convolution, by its seed and the step', async () => {
    const make = (dropout: number) =>
      gatedResBlock({ filters: 1, shift: 'downRight', kernelSize: 1, dropout, seed: 3 });
    const [block, whole] = [make(0.5), make(0)];
    const x = tf.fill([1, 3, 3, 1], 2);
    tf.dispose([block, whole].map((each) => each.apply(x))); // builds them
    // conv_in gives elu(2) = 2; of elu(2) and elu(-2), conv_out takes the first for a, and for b 0, which lets half through.
    const weights = [tf.tensor([1, 0], [1, 1, 2, 1]), tf.zeros([1]), tf.tensor([1, 0, 0, 0], [1, 1, 2, 2]), tf.zeros([2])]; // biome-ignore format: one line
    for (const each of [block, whole]) each.setWeights(weights);
    for (const [step, calls] of [
      [0, 2],
      [7, 1],
    ] as const) {
      // biome-ignore format: one line
      block.setStep(step);
      for (let call = 0; call < calls; call++) {
        const uniform = alea(`${partSeed(3, 'dropout')}/${step}/${call}`);
        const kept = Array.from({ length: 9 }, () => [0, 1].map(() => (uniform() < 0.5 ? 0 : 2))); // of both features
        const expected = kept.map(([first = 0]) => 2 + (first * 2) / 2);
        expectClose(await take(block.apply(x, { training: true })), expected, 1e-6);
      }
    }
    for (const kwargs of [{}, { training: false }])
      expectClose(await take(block.apply(x, kwargs)), new Array(9).fill(3), 1e-6);
    expectClose(await take(whole.apply(x, { training: true })), new Array(9).fill(3), 1e-6);
    tf.dispose([x, weights]);
    for (const each of [block, whole]) each.dispose();
  });

  it('leaves no tensor behind, also where it throws', async () => {
    const [x, skip, vector] = [tf.ones([2, 2, 3, 2]), tf.ones([2, 2, 3, 1]), tf.ones([2, 3])];
    for (const weightNormalization of [false, true]) {
      await expectNoLeaks(() => {
        const block = gatedResBlock({ filters: 2, shift: 'down', hasSkip: true, weightNormalization });
        const inputs = [x, skip, vector];
        const y = block.apply(inputs);
        const { value, grads } = tf.variableGrads(() => tf.sum(block.apply(inputs)));
        block.dispose();
        return [y, value, grads];
      });
    }
    await expectNoLeaks(() => {
      const block = gatedResBlock({ filters: 2, shift: 'down', hasSkip: true });
      const [one, three] = [tf.ones([1, 2, 3, 1]), tf.ones([3, 3])]; // for two images
      expect(() => block.apply([x, one, vector])).toThrow(
        'GatedResBlock: input 1: wanted one of 2 images, got [1, 2, 3, 1]',
      );
      expect(() => block.apply([x, skip, three])).toThrow(
        'GatedResBlock: input 2: wanted one of 2 images, got [3, 3]',
      );
      block.dispose();
      return [one, three];
    });
    tf.dispose([x, skip, vector]);
  });
});

describe('GatedResBlock', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it('comes back from a saved model with every option', async () => {
    const block = gatedResBlock({ name: 'block', filters: 2, shift: 'downRight', kernelSize: [3, 2], hiddenFilters: 5, hasSkip: true, activation: 'elu', dropout: 0.25, weightNormalization: true, seed: 4 }); // biome-ignore format: one line
    const inputs = [[4, 4, 2], [4, 4, 1], [3]].map((shape) => tfl.input({ shape }));
    const model = tfl.model({ inputs, outputs: block.apply(inputs) });
    setLayerNoise(block, 3);
    const loaded = await saveAndLoad(model);
    const again = loaded.getLayer('block');
    expect(again).toBeInstanceOf(GatedResBlock);
    expect(again.getConfig()).toEqual(block.getConfig());
    const given = { shift: 'downRight', kernelSize: [3, 2], hasSkip: true, dropout: 0.25, seed: 4, hiddenFilters: 5, activation: 'elu' }; // biome-ignore format: one line
    expect(again.getConfig()).toMatchObject({ ...given, filters: 2, weightNormalization: true });
    const xs = [tf.ones([1, 4, 4, 2]), tf.ones([1, 4, 4, 1]), tf.ones([1, 3])];
    const [a, b] = [model, loaded].map((m) => m.predict(xs) as tf.Tensor) as [tf.Tensor, tf.Tensor];
    expect(await take(b)).toEqual(await take(a));
    const plain = gatedResBlock({ filters: 2, shift: 'down' }).getConfig();
    expect(plain).toMatchObject({
      kernelSize: [2, 3],
      hasSkip: false,
      dropout: 0,
      weightNormalization: false,
    });
    expect(plain).toMatchObject({ hiddenFilters: 2, activation: 'concatElu' });
    expect(gatedResBlock({ filters: 2, shift: 'downRight' }).getConfig()['kernelSize']).toEqual([2, 2]);
    expect(gatedResBlock({ filters: 2, shift: 'before' }).getConfig()['kernelSize']).toEqual([3, 3]);
    tf.dispose(xs);
    for (const m of [model, loaded]) m.dispose();
  });

  it('begins small at its end, each weight by its part of the seed', async () => {
    const weightsOf = async (args: Partial<GatedResBlockArgs>) => {
      const block = gatedResBlock({
        filters: 3,
        shift: 'down',
        hasSkip: true,
        weightNormalization: true,
        ...args,
      });
      tf.dispose(block.apply([tf.zeros([1, 1, 1, 3]), tf.zeros([1, 1, 1, 3]), tf.zeros([1, 2])]));
      const weights = await slowWeightsOf(block);
      block.dispose();
      return new Map([...weights].map(([name, { data }]) => [name, Array.from(data)]));
    };
    const weights = await weightsOf({ seed: 1 });
    expect(weights.get('conv_in_gain')).toEqual([1, 1, 1]);
    expect(weights.get('conv_skip_gain')).toEqual([1, 1, 1]);
    expect(weights.get('conv_out_gain')).toEqual(new Array(6).fill(Math.fround(0.1)));
    expect(await weightsOf({ seed: 1 })).toEqual(weights);
    expect(await weightsOf({ seed: 1, dropout: 0.5 })).toEqual(weights);
    const kernels = [...weights.keys()].filter((name) => name.endsWith('kernel'));
    for (const args of [{ seed: 2 }, {}]) {
      const other = await weightsOf(args);
      for (const name of kernels) expect(other.get(name)).not.toEqual(weights.get(name));
    }
    expect(new Set(kernels.map((name) => weights.get(name)?.[0])).size).toBe(4);
  });

  it('refuses, once built, other inputs', () => {
    const block = gatedResBlock({ filters: 2, shift: 'down', hasSkip: true });
    const [x, skip, wide] = [tf.ones([1, 2, 3, 2]), tf.ones([1, 2, 3, 1]), tf.ones([1, 2, 4, 1])];
    tf.dispose(block.apply([x, skip]));
    expect(() => block.apply([x, x])).toThrow('expected axis 3 of input shape to have value 1');
    expect(() => block.apply(tfl.input({ shape: [2, 3, 2] }))).toThrow('expects 2 inputs');
    expect(() => block.apply([x, wide])).toThrow('GatedResBlock: inputs: wanted');
    tf.dispose([x, skip, wide]);
    block.dispose();
  });

  it('names what is wrong', () => {
    expect(() => gatedResBlock(undefined as never)).toThrow('GatedResBlock: wanted an object of arguments');
    const args = { filters: 2, shift: 'down' } as const;
    const make = (other: object) => () => gatedResBlock({ ...args, ...other });
    expect(make({ filters: 0 })).toThrow('GatedResBlock: filters: wanted an integer of at least 1, got 0');
    expect(make({ hiddenFilters: 0 })).toThrow(
      'GatedResBlock: hiddenFilters: wanted an integer of at least 1',
    );
    expect(make({ activation: 'relu' })).toThrow(
      "GatedResBlock: activation: wanted 'concatElu' or 'elu', got 'relu'",
    );
    expect(make({ shift: 'right' })).toThrow(
      "GatedResBlock: shift: wanted 'down' or 'downRight' or 'before' or 'around', got 'right'",
    );
    expect(make({ kernelSize: 0 })).toThrow('GatedResBlock: kernelSize: wanted a positive integer');
    expect(make({ hasSkip: 1 })).toThrow('GatedResBlock: hasSkip: wanted true or false, got 1');
    expect(make({ dropout: 1 })).toThrow('GatedResBlock: dropout: wanted a number from 0, below 1, got 1');
    expect(make({ weightNormalization: 0 })).toThrow(
      'GatedResBlock: weightNormalization: wanted true or false',
    );
    expect(make({ seed: 'x' })).toThrow('GatedResBlock: seed: wanted an integer');
    const apply = (other: object, ...shapes: (number | null)[][]) => {
      const inputs = shapes.map((shape) => tfl.input({ shape }));
      return () => make(other)().apply(inputs.length === 1 ? (inputs[0] as tfl.SymbolicTensor) : inputs);
    };
    const features = 'GatedResBlock: filters (2): wanted an input with this number of features, got 3';
    expect(apply({}, [4, 4, 3])).toThrow(features);
    expect(apply({}, [4, 4])).toThrow('GatedResBlock: input: wanted one tensor');
    const wanted = 'GatedResBlock: inputs: wanted x [N,H,W,F] and conditions [N,K] or [N,H,W,K], if any';
    for (const condition of [[4, 4], [null], [4, 3, 2], [4, 4, null]])
      expect(apply({}, [4, 4, 2], condition)).toThrow(wanted);
    const withSkip = 'GatedResBlock: inputs: wanted x [N,H,W,F], a skip [N,H,W,S] and conditions';
    expect(apply({ hasSkip: true }, [4, 4, 2])).toThrow(withSkip);
    for (const skip of [[3], [4, 3, 1], [4, 4, null]])
      expect(apply({ hasSkip: true }, [4, 4, 2], skip)).toThrow(withSkip);
    expect(apply({ filters: 12000 }, [4, 4, 12000])).toThrow(
      'GatedResBlock: kernelSize, filters: wanted sizes',
    );
    const long = 'GatedResBlock: features of the condition, filters: wanted sizes';
    expect(apply({}, [4, 4, 2], [2 ** 28])).toThrow(long);
    const wide = 'GatedResBlock: features of the skip, filters: wanted sizes';
    expect(apply({ hasSkip: true }, [4, 4, 2], [4, 4, 2 ** 28])).toThrow(wide);
  });
});
