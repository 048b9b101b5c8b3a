import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { layerNorm } from '../../src/ops/layer-norm';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { expectClose, expectNoLeaks, noise, take } from '../support/tensors';

interface Args {
  /** [pixels,groups,size] */
  x: ArrayLike<number>;
  /** [groups,size] */
  scale: ArrayLike<number> | undefined;
  shift: ArrayLike<number> | undefined;
  groups: number;
  size: number;
  epsilon: number;
}

/** The normalization, and its gradients for sum(y * g), in float64: dx by the derivative of each y for each x. */
function slow({ x, scale, shift, groups, size, epsilon }: Args, g: ArrayLike<number>) {
  const features = groups * size;
  const [y, dx] = [new Float64Array(x.length), new Float64Array(x.length)];
  const [dscale, dshift] = [new Float64Array(features), new Float64Array(features)];
  let [steepest, condition] = [0, 1]; // 1 / deviation at most, and what that makes of the values' own rounding
  for (let first = 0; first < x.length; first += size) {
    const values = Array.from({ length: size }, (_, i) => x[first + i] as number);
    const mean = values.reduce((a, b) => a + b, 0) / size;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size;
    const deviation = Math.sqrt(variance + epsilon);
    steepest = Math.max(steepest, 1 / deviation);
    condition = Math.max(condition, ...values.map((value) => Math.abs(value) / deviation));
    for (const [i, value] of values.entries()) {
      const [at, f] = [first + i, (first + i) % features];
      const [normal, slope] = [(value - mean) / deviation, scale?.[f] ?? 1];
      const d = g[at] as number;
      y[at] = normal * slope + (shift?.[f] ?? 0);
      dscale[f] = (dscale[f] as number) + d * normal;
      dshift[f] = (dshift[f] as number) + d;
      for (const [j, other] of values.entries()) {
        // of value - mean, and of 1 / deviation, whose derivative is -(other - mean) / (size deviation^3)
        const ofCentered = ((i === j ? 1 : 0) - 1 / size) / deviation;
        const ofDeviation = ((value - mean) * (other - mean)) / (size * deviation ** 3);
        dx[first + j] = (dx[first + j] as number) + d * slope * (ofCentered - ofDeviation);
      }
    }
  }
  return { y, dx, dscale, dshift, steepest, condition };
}

const cases = fc.record({
  n: fc.integer({ min: 1, max: 3 }),
  h: fc.integer({ min: 1, max: 3 }),
  w: fc.integer({ min: 1, max: 4 }),
  groups: fc.integer({ min: 1, max: 3 }),
  size: fc.integer({ min: 1, max: 13 }), // whole vectors of four, and tails of each length
  epsilon: fc.constantFrom(0.001, 0.5),
  spread: fc.constantFrom(0.1, 3, 100),
  offset: fc.constantFrom(0, 5),
  hasScale: fc.boolean(),
  hasShift: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1000 }),
});

onEachBackend('layerNorm', (backend) => {
  it('equals loops in plain numbers, forward and in all gradients', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ n, h, w, seed, spread, offset, ...args }) => {
        const { groups, size, epsilon } = args;
        const features = groups * size;
        const values = noise(n * h * w * features, seed).map((value) => spread * value + offset);
        const [scale, shift] = [noise(features, seed + 1), noise(features, seed + 2)];
        const g = noise(values.length, seed + 3);
        const weights = {
          scale: args.hasScale ? scale : undefined,
          shift: args.hasShift ? shift : undefined,
        };
        const expected = slow({ x: values, ...weights, groups, size, epsilon }, g);

        const [x, dy] = [values, g].map((numbers) => tf.tensor4d(numbers, [n, h, w, features])) as [tf.Tensor4D, tf.Tensor4D]; // biome-ignore format: one line
        const given = { x, ...(args.hasScale && { scale: tf.tensor1d(scale) }), ...(args.hasShift && { shift: tf.tensor1d(shift) }) }; // biome-ignore format: one line
        const names = Object.keys(given);
        const { value, grads } = tf.valueAndGrads((...tensors) => {
          const inputs = { scale: undefined, shift: undefined };
          for (const [i, name] of names.entries()) Object.assign(inputs, { [name]: tensors[i] });
          return layerNorm(inputs as unknown as Parameters<typeof layerNorm>[0], { groups, epsilon });
        })(Object.values(given), dy);
        tf.dispose([given, dy]);

        const tolerance = (isGpu(backend) ? 4e-6 : 1e-6) * expected.condition;
        expect(value.shape).toEqual([n, h, w, features]);
        expectClose(await take(value), expected.y, tolerance);
        const tolerances = { x: 4 * expected.steepest * tolerance, scale: n * h * w * tolerance, shift: n * h * w * tolerance }; // biome-ignore format: one line
        const gradients = { x: expected.dx, scale: expected.dscale, shift: expected.dshift };
        for (const [i, name] of (names as (keyof typeof gradients)[]).entries()) {
          expectClose(await take(grads[i] as tf.Tensor), gradients[name], tolerances[name]);
        }
      }),
      { seed: 1, numRuns: isGpu(backend) ? 8 : 150 },
    );
  });

  it('has second derivatives: those of the formula in operations of tfjs', async () => {
    const [x, scale] = [tf.tensor4d(noise(24), [1, 1, 2, 12]), tf.tensor1d(noise(12, 2))];
    const own = (xs: tf.Tensor, s: tf.Tensor) => layerNorm({ x: xs as tf.Tensor4D, scale: s as tf.Tensor1D, shift: undefined }, { groups: 3, epsilon: 0.1 }); // biome-ignore format: one line
    const formula = (xs: tf.Tensor, s: tf.Tensor) => {
      const groups = tf.reshape(xs, [6, 4]);
      const centered = tf.sub(groups, tf.mean(groups, 1, true));
      const variance = tf.mean(tf.square(centered), 1, true);
      return tf.mul(tf.reshape(tf.div(centered, tf.sqrt(tf.add(variance, 0.1))), [1, 1, 2, 12]), s);
    };
    const seconds = (of: (xs: tf.Tensor, s: tf.Tensor) => tf.Tensor) => {
      const loss = (xs: tf.Tensor, s: tf.Tensor) => tf.sum(tf.pow(of(xs, s), 3));
      const first = (index: number) => (xs: tf.Tensor, s: tf.Tensor) => tf.sum(tf.square(tf.grads(loss)([xs, s])[index] as tf.Tensor)); // biome-ignore format: one line
      return [0, 1].flatMap((index) => tf.grads(first(index))([x, scale]));
    };
    const [got, want] = [seconds(own), seconds(formula)];
    expect(got).toHaveLength(4);
    for (const [i, gradient] of got.entries()) {
      const values = await take(want[i] as tf.Tensor);
      expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(0.1);
      expectClose(await take(gradient), values, isGpu(backend) ? 1e-3 : 1e-4);
    }
    tf.dispose([x, scale]);
  });

  it.skipIf(isGpu(backend))('keeps NaN within its group', async () => {
    const [nan, one] = [Number.NaN, 1 / Math.sqrt(2)]; // (x - mean) / sqrt(variance + 1) of -1 and 1
    const x = tf.tensor4d([nan, 1, -1, 1, -1, 1, 1, nan], [1, 1, 2, 4]);
    const { value, grad } = tf.valueAndGrad((xs: tf.Tensor) =>
      layerNorm({ x: xs as tf.Tensor4D, scale: undefined, shift: undefined }, { groups: 2, epsilon: 1 }),
    )(x);
    expectClose((await take(value)).slice(2, 6), [-one, one, -one, one], 1e-6);
    const gradient = await take(grad);
    expect(gradient.map(Number.isNaN)).toEqual([true, true, false, false, false, false, true, true]);
    x.dispose();
  });

  it('leaves no tensor behind, with and without a tape', async () => {
    const [x, scale, shift] = [tf.ones<tf.Rank.R4>([2, 2, 3, 6]), tf.ones<tf.Rank.R1>([6]), tf.ones<tf.Rank.R1>([6])]; // biome-ignore format: one line
    const attributes = { groups: 3, epsilon: 0.1 };
    for (const weights of [
      { scale, shift },
      { scale: undefined, shift: undefined },
    ]) {
      await expectNoLeaks(() => layerNorm({ x, ...weights }, attributes));
      await expectNoLeaks(() =>
        tf.grad((xs) => layerNorm({ x: xs as tf.Tensor4D, ...weights }, attributes))(x),
      );
    }
    await expectNoLeaks(() =>
      tf.grads((a, b) => layerNorm({ x, scale: a as tf.Tensor1D, shift: b as tf.Tensor1D }, attributes))([
        scale,
        shift,
      ]),
    );
    tf.dispose([x, scale, shift]);
  });

  it('takes as many operations for many pixels as for one', async () => {
    const counts = [];
    for (const side of [1, 6]) {
      const x = tf.ones<tf.Rank.R4>([2, side, side, 6]);
      const weights = { scale: undefined, shift: undefined };
      const gradient = tf.grad((xs) => layerNorm({ x: xs as tf.Tensor4D, ...weights }, { groups: 3, epsilon: 0.1 })); // biome-ignore format: one line
      const { kernels, result } = await tf.profile(() => gradient(x));
      counts.push(kernels.length);
      tf.dispose([x, result as tf.Tensor]);
    }
    expect(counts[1]).toBe(counts[0]);
  });
});

describe.runIf(backends.includes('wasm'))('layerNorm by own kernels on wasm', () => {
  beforeAll(() => useBackend('wasm'));

  async function run(dtype: 'float32' | 'int32' = 'float32') {
    const x = tf.cast(tf.tensor4d(noise(2 * 3 * 5 * 6).map((value) => 9 * value), [2, 3, 5, 6]), dtype); // biome-ignore format: one line
    const weights = { scale: tf.ones<tf.Rank.R1>([6]), shift: undefined };
    const attributes = { groups: 3, epsilon: 0.1 };
    const { kernelNames, result } = await tf.profile(() =>
      tf.grad((scale) => layerNorm({ x, ...weights, scale: scale as tf.Tensor1D }, attributes))(
        weights.scale,
      ),
    );
    tf.dispose([x, weights.scale, result as tf.Tensor]);
    return kernelNames.filter((name) => name.startsWith('PixelCNN'));
  }

  it('serves it and its gradients, and gives way where it is switched off, or for integers', async () => {
    expect(await run()).toEqual(['PixelCNNLayerNorm', 'PixelCNNLayerNormGradient']);
    expect(await run('int32')).toEqual([]);
    await useBackend('wasm, composed');
    expect(await run()).toEqual([]);
    await useBackend('wasm');
  });

  it('leaves nothing in memory where it throws', () => {
    const [x, scale] = [tf.ones<tf.Rank.R4>([1, 1, 1, 2]), tf.ones<tf.Rank.R1>([2])];
    scale.dispose();
    const before = tf.backend().numDataIds();
    expect(() => layerNorm({ x, scale, shift: undefined }, { groups: 1, epsilon: 1 })).toThrow();
    expect(tf.backend().numDataIds()).toBe(before);
    x.dispose();
  });
});
