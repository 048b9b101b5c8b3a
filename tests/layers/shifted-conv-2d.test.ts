import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { type ShiftedConv2DArgs, shiftedConv2d } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { anyBackend, isGpu, onBackend, onEachBackend } from '../support/backends';
import { cube } from '../support/models/activation';
import { forAllAsync } from '../support/runs';
import { scoped } from '../support/scoped';
import { grid } from '../support/slow/gated';
import { setLayerNoise, slowConvolutions, slowWeightsOf } from '../support/slow/plus-plus';
import { expectClose, noise, take } from '../support/tensors';

const N = 2; // images

type Case<Cases> = Cases extends fc.Arbitrary<infer T> ? T : never;

const cases = fc.record({
  h: fc.constantFrom(2, 4),
  w: fc.constantFrom(2, 4),
  featuresIn: fc.integer({ min: 1, max: 2 }),
  filters: fc.integer({ min: 1, max: 3 }),
  kernelSize: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
  shift: fc.constantFrom<'down' | 'downRight' | 'excludesCentre' | 'same'>('down', 'downRight'),
  stride: fc.constantFrom(1, 2),
  transposed: fc.boolean(),
  weightNormalization: fc.boolean(),
  useBias: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1000 }),
});

/** What PixelCNN++ has between resolutions. */
const same = { h: 2, w: 4, featuresIn: 2, filters: 3, stride: 2, weightNormalization: true, useBias: true, seed: 1 } as const;
const between: Case<typeof cases>[] = [
  { ...same, shift: 'down', kernelSize: [2, 3], transposed: true },
  { ...same, shift: 'downRight', kernelSize: [2, 2], transposed: false },
];
/** What PixelSNAIL has. */
const snail: Case<typeof cases>[] = (['excludesCentre', 'same'] as const).map((shift) => {
  return { ...same, h: 4, shift, kernelSize: [3, 3], stride: 1, transposed: false };
});

onEachBackend('ShiftedConv2D', (backend) => {
  it('equals loops in plain numbers', async () => {
    const check = async ({ h, w, featuresIn, seed, ...args }: Case<typeof cases>) => {
      const layer = shiftedConv2d(args);
      const values = noise(N * h * w * featuresIn, seed);
      const x = tf.tensor4d(values, [N, h, w, featuresIn]);
      tf.dispose(layer.apply(x)); // builds it
      setLayerNoise(layer, seed);
      const weights = await slowWeightsOf(layer);
      const size = h * w * featuresIn; // of an image
      const slow = Array.from({ length: N }, (_, n) => {
        const image = grid(Array.from(values).slice(n * size, (n + 1) * size), [h, w, featuresIn]);
        return slowConvolutions(weights)('', image, args).flat(2);
      }).flat();

      const y = layer.apply(x);
      const scale = args.stride === 1 ? 1 : args.transposed ? 2 : 0.5;
      expect(y.shape).toEqual([N, h * scale, w * scale, args.filters]);
      expect(layer.computeOutputShape(x.shape)).toEqual(y.shape);
      expectClose(await take(y), slow, 2e-5);
      x.dispose();
      layer.dispose();
    };
    const examples = [...between, ...snail].map((one): [typeof one] => [one]);
    await forAllAsync([cases], { numRuns: isGpu(backend) ? 2 : 25, seed: 1, examples }, check);
  });
});

onBackend(anyBackend, 'ShiftedConv2D', () => {
  it('starts, weight-normed, with normal kernels and gains of 1', async () => {
    const weightsOf = async (args: Partial<ShiftedConv2DArgs>) => {
      const layer = scoped(shiftedConv2d({ filters: 40, kernelSize: [2, 3], shift: 'down', weightNormalization: true, ...args }));
      tf.dispose(layer.apply(tf.zeros([1, 2, 2, 20])));
      const weights = await slowWeightsOf(layer);
      return new Map([...weights].map(([name, { data }]) => [name, Array.from(data)]));
    };
    const normed = await weightsOf({ seed: 1 });
    expect([...normed.keys()]).toEqual(['kernel', 'gain', 'bias']);
    expect(normed.get('gain')).toEqual(new Array(40).fill(1));
    expect(normed.get('bias')).toEqual(new Array(40).fill(0));
    const direction = normed.get('kernel') as number[];
    const square = direction.reduce((sum, value) => sum + value * value, 0) / direction.length;
    expect(Math.abs(Math.sqrt(square) / 0.05 - 1)).toBeLessThan(0.05); // 4,800 values give it with a deviation of 1 %
    expect(Math.max(...direction.map(Math.abs))).toBeGreaterThan(0.12); // of a normal one, not cut off
    const own = await weightsOf({ kernelInitializer: 'ones' });
    expect(own.get('kernel')).toEqual(new Array(4800).fill(1));
  });

  it('applies an activation that tfjs lacks, and checks sizes there too', async () => {
    const args = { filters: 1, kernelSize: 1, shift: 'down', stride: 2, kernelInitializer: 'ones' } as const;
    const layer = scoped(shiftedConv2d({ ...args, activation: cube }));
    const x = scoped(tf.tensor4d([3, 9, 9, 9], [1, 2, 2, 1]));
    expect(await take(layer.apply(x))).toEqual([27]);
    expect(() => shiftedConv2d({ ...args, activation: 'rellu' as 'relu' })).toThrow('rellu');
    const odd = scoped(tf.ones([1, 2, 3, 1]));
    expect(() => layer.apply(odd)).toThrow('(ShiftedConv2D): input: width: wanted a multiple of 2, got 3');
  });
});
