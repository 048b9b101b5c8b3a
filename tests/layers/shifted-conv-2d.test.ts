import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { pixelShift, ShiftedConv2D, type ShiftedConv2DArgs, shiftedConv2d } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { saveAndLoad } from '../support/memory-file';
import { movedBy } from '../support/moved';
import { grid } from '../support/slow-gated';
import { setLayerNoise, slopesOf, slowConvolutions, slowWeightsOf } from '../support/slow-plus-plus';
import {
  expectClose,
  expectCloseRelative,
  expectNoLeaks,
  noise,
  take,
  weightGradients,
} from '../support/tensors';

/** An activation that tfjs does not know. */
class Square extends tf.serialization.Serializable {
  static className = 'shiftedConvSquare';
  apply(x: tf.Tensor): tf.Tensor {
    return tf.square(x);
  }
  getConfig() {
    return {};
  }
}
tf.serialization.registerClass(Square);

const N = 2; // images

type Case<Cases> = Cases extends fc.Arbitrary<infer T> ? T : never;

const cases = fc.record({
  h: fc.constantFrom(2, 4),
  w: fc.constantFrom(2, 4),
  featuresIn: fc.integer({ min: 1, max: 2 }),
  filters: fc.integer({ min: 1, max: 3 }),
  kernelSize: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
  shift: fc.constantFrom<'down' | 'downRight' | 'before' | 'around'>('down', 'downRight'),
  stride: fc.constantFrom(1, 2),
  transposed: fc.boolean(),
  weightNormalization: fc.boolean(),
  useBias: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1000 }),
});

/** What PixelCNN++ has between resolutions. */
const same = { h: 2, w: 4, featuresIn: 2, filters: 3, stride: 2, weightNormalization: true, useBias: true, seed: 1 } as const; // biome-ignore format: one line
const between: Case<typeof cases>[] = [
  { ...same, shift: 'down', kernelSize: [2, 3], transposed: true },
  { ...same, shift: 'downRight', kernelSize: [2, 2], transposed: false },
];
/** What PixelSNAIL has. */
const snail: Case<typeof cases>[] = (['before', 'around'] as const).map((shift) => {
  return { ...same, h: 4, shift, kernelSize: [3, 3], stride: 1, transposed: false };
});

onEachBackend('ShiftedConv2D', (backend) => {
  it('equals loops in plain numbers, as do its gradients', async () => {
    const check = async ({ h, w, featuresIn, seed, ...args }: Case<typeof cases>) => {
      const layer = shiftedConv2d(args);
      const values = noise(N * h * w * featuresIn, seed);
      const x = tf.tensor4d(values, [N, h, w, featuresIn]);
      tf.dispose(layer.apply(x)); // builds it
      setLayerNoise(layer, seed);
      const weights = await slowWeightsOf(layer);
      const size = h * w * featuresIn; // of an image
      const slow = (of: ArrayLike<number>, by = weights) =>
        Array.from({ length: N }, (_, n) => {
          const image = grid(Array.from(of).slice(n * size, (n + 1) * size), [h, w, featuresIn]);
          return slowConvolutions(by)('', image, args).flat(2);
        }).flat();

      const y = layer.apply(x);
      const scale = args.stride === 1 ? 1 : args.transposed ? 2 : 0.5;
      expect(y.shape).toEqual([N, h * scale, w * scale, args.filters]);
      expect(layer.computeOutputShape(x.shape)).toEqual(y.shape);
      const g = noise(y.size, seed + 1);
      const weighted = (all: number[]) => all.reduce((sum, value, i) => sum + value * (g[i] as number), 0);
      expectClose(await take(y), slow(values), 2e-5);

      const gs = tf.tensor(g, y.shape);
      const f = (input: tf.Tensor) => tf.sum(tf.mul(layer.apply(input), gs)) as tf.Scalar;
      const dx = slopesOf((of) => weighted(slow(of)), values);
      expectCloseRelative(await take(tf.grad(f)(x)), dx, 2e-4);
      const gradients = weightGradients(layer, () => f(x));
      expect(gradients).toHaveLength(weights.size);
      for (const [i, [name, weight]] of [...weights].entries()) {
        const slopes = slopesOf((data) => weighted(slow(values, new Map(weights).set(name, { ...weight, data }))), weight.data); // biome-ignore format: one line
        // biome-ignore format: where all slopes are 0, such as those of a direction of one number
        expectClose(await take(gradients[i] as tf.Tensor), slopes, 2e-4 * Math.max(1, ...slopes.map(Math.abs)));
      }
      tf.dispose([x, gs]);
      layer.dispose();
    };
    await fc.assert(fc.asyncProperty(cases, check), {
      numRuns: isGpu(backend) ? 2 : 25,
      seed: 1,
      examples: [...between, ...snail].map((one) => [one]),
    });
  });

  it('is what the paper has between resolutions: every second place, and the way back', async () => {
    const image = Array.from({ length: 16 }, (_, i) => i + 1); // [4,4]: 1 to 16
    const of = async (args: Partial<ShiftedConv2DArgs>, x: number[], kernel: number[]) => {
      const layer = shiftedConv2d({ filters: 1, kernelSize: 2, shift: 'downRight', useBias: false, ...args });
      const side = Math.sqrt(x.length);
      const input = tf.tensor4d(x, [1, side, side, 1]);
      tf.dispose(layer.apply(input));
      const [{ shape }] = layer.getWeights() as [tf.Tensor];
      const weights = tf.tensor(kernel, shape);
      layer.setWeights([weights]);
      const y = await take(layer.apply(input));
      tf.dispose([input, weights]);
      layer.dispose();
      return y;
    };
    const down = { kernelSize: [2, 3] as [number, number], shift: 'down' } as const;
    expect(await of({ stride: 2 }, image, [0, 0, 0, 1])).toEqual([1, 3, 9, 11]); // the present one of every second
    expect(await of({ stride: 2 }, image, [1, 0, 0, 0])).toEqual([0, 0, 0, 6]); // the one above and to the left
    expect(await of({ ...down, stride: 2 }, image, [0, 0, 1, 0, 0, 0])).toEqual([0, 0, 6, 8]); // above, to the right
    const up = { stride: 2, transposed: true } as const;
    // biome-ignore format: a map
    expect(await of(up, [1, 2, 3, 4], [1, 10, 100, 1000])).toEqual([
        1,   10,   2,   20,
      100, 1000, 200, 2000,
        3,   30,   4,   40,
      300, 3000, 400, 4000,
    ]);
    // biome-ignore format: a map
    expect(await of({ ...up, ...down }, [1, 2, 3, 4], [1, 10, 100, 0, 1000, 0])).toEqual([
        10, 102,   20, 200,
      1000,   0, 2000,   0,
        30, 304,   40, 400,
      3000,   0, 4000,   0,
    ]);
  });

  it('leaves no tensor behind, also where it throws', async () => {
    const x = tf.ones([1, 4, 4, 2]);
    for (const stride of [1, 2] as const) {
      for (const transposed of [false, true]) {
        await expectNoLeaks(() => {
          const args = { filters: 3, kernelSize: 2, shift: 'down', weightNormalization: true } as const;
          const layer = shiftedConv2d({ ...args, stride, transposed });
          const y = layer.apply(x);
          const { value, grads } = tf.variableGrads(() => tf.sum(layer.apply(x)));
          layer.dispose();
          return [y, value, grads];
        });
      }
    }
    await expectNoLeaks(() => {
      const odd = tf.ones([1, 3, 4, 2]);
      const layer = shiftedConv2d({ filters: 3, kernelSize: 2, shift: 'down', stride: 2 });
      expect(() => layer.apply(odd)).toThrow('ShiftedConv2D: input: height: wanted a multiple of 2, got 3');
      tf.dispose(layer.apply(x));
      expect(() => layer.apply(odd)).toThrow('ShiftedConv2D: input: height: wanted a multiple of 2, got 3');
      layer.dispose();
      return odd;
    });
    x.dispose();
  });
});

onEachBackend('what ShiftedConv2D sees', (backend) => {
  const sizes = fc.record({
    kernelSize: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
    shift: fc.constantFrom('down', 'downRight'),
    stride: fc.constantFrom(1, 2),
    transposed: fc.boolean(),
    down: fc.integer({ min: 0, max: 1 }),
    right: fc.integer({ min: 0, max: 1 }),
  });

  it('is its window, no more and no less, and shifted after that only what comes before', async () => {
    const check = async ({ down, right, ...args }: Case<typeof sizes>) => {
      const layer = shiftedConv2d({ filters: 2, ...args, seed: 1 });
      const shift = pixelShift({ rows: down, columns: right });
      const size = 4;
      const { moved, shape } = await movedBy([size, size, 1], (x) => shift.apply(layer.apply(x)));
      const { kernelSize: [rows, columns], stride, transposed } = args; // biome-ignore format: one line
      const middle = Math.floor((columns - 1) / 2);
      /** The tap of the kernel through which a place of the output sees one of the input. */
      const tap = (from: number, to: number, length: number, after: number) => {
        if (transposed) return to - stride * from + after;
        return from - stride * to + (length - 1 - after);
      };
      const isTap = (at: number, length: number) => at >= 0 && at < length;
      const [sees, wanted, tooLate]: [string[], string[], string[]] = [[], [], []];
      for (let to = 0; to < shape[0] * shape[1]; to++) {
        const [r, c] = [Math.floor(to / shape[1]) - down, (to % shape[1]) - right];
        for (let from = 0; from < size * size; from++) {
          const [i, j] = [Math.floor(from / size), from % size];
          const after = args.shift === 'downRight' ? 0 : transposed ? middle : columns - 1 - middle;
          const isWithin = isTap(tap(i, r, rows, 0), rows) && isTap(tap(j, c, columns, after), columns);
          const pair = `${[i, j]} by ${[r, c]}`;
          if (moved(from, to)) sees.push(pair);
          if (r < 0 || c < 0 || !isWithin) continue;
          wanted.push(pair);
          // The law that all this is for: nothing below, and nothing to the right where it is shifted to the right too.
          const [row, column] = transposed ? [r / stride, c / stride] : [stride * r, stride * c]; // on the map that is read
          if (i > row || (args.shift === 'downRight' && i === Math.floor(row) && j > column))
            tooLate.push(pair);
        }
      }
      expect(sees).toEqual(wanted);
      expect(tooLate).toEqual([]);
      layer.dispose();
    };
    await fc.assert(fc.asyncProperty(sizes, check), { numRuns: isGpu(backend) ? 2 : 30, seed: 2 });
  });
});

describe('ShiftedConv2D', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it.each(['down', 'downRight'] as const)(
    'comes back from a saved model with every option, shifted %s',
    async (shift) => {
      const layer = shiftedConv2d({
        name: 'conv',
        filters: 3,
        kernelSize: [2, 3],
        shift,
        stride: 2,
        transposed: true,
        weightNormalization: true,
        seed: 5,
        activation: 'hardSigmoid',
        kernelInitializer: 'glorotNormal',
        biasInitializer: tfl.initializers.constant({ value: 0.25 }),
        kernelRegularizer: tfl.regularizers.l2({ l2: 0.5 }),
        biasConstraint: 'nonNeg',
      });
      const model = tfl.sequential({ layers: [tfl.layers.inputLayer({ inputShape: [4, 4, 2] }), layer] });
      setLayerNoise(layer, 3);
      const loaded = await saveAndLoad(model);
      const again = loaded.layers.at(-1) as ShiftedConv2D;
      expect(again).toBeInstanceOf(ShiftedConv2D);
      expect(again.getConfig()).toEqual(layer.getConfig());
      const given = {
        shift,
        kernelSize: [2, 3],
        stride: 2,
        transposed: true,
        weightNormalization: true,
        seed: 5,
      };
      expect(again.getConfig()).toMatchObject(given);
      const x = tf.tensor4d(noise(2 * 4 * 4 * 2), [2, 4, 4, 2]);
      const [a, b] = [model, loaded].map((m) => m.predict(x) as tf.Tensor) as [tf.Tensor, tf.Tensor];
      expect(await take(b)).toEqual(await take(a));
      x.dispose();
      for (const m of [model, loaded]) m.dispose();
    },
  );

  it('begins with glorotUniform kernels or, weight-normed, normal ones and gains of 1, the same for a seed', async () => {
    const weightsOf = async (args: Partial<ShiftedConv2DArgs>) => {
      const layer = shiftedConv2d({ filters: 40, kernelSize: [2, 3], shift: 'down', ...args });
      tf.dispose(layer.apply(tf.zeros([1, 2, 2, 20])));
      const weights = await slowWeightsOf(layer);
      layer.dispose();
      return new Map([...weights].map(([name, { data }]) => [name, Array.from(data)]));
    };
    const plain = await weightsOf({ seed: 1 });
    expect([...plain.keys()]).toEqual(['kernel', 'bias']);
    const limit = Math.sqrt(6 / (6 * 20 + 6 * 40)); // fans of a 2x3 kernel
    const kernel = plain.get('kernel') as number[];
    expect(Math.max(...kernel.map(Math.abs))).toBeLessThanOrEqual(limit * (1 + 2 ** -23)); // as float32
    expect(Math.max(...kernel)).toBeGreaterThan(0.99 * limit);
    const normed = await weightsOf({ seed: 1, weightNormalization: true });
    expect([...normed.keys()]).toEqual(['kernel', 'gain', 'bias']);
    expect(normed.get('gain')).toEqual(new Array(40).fill(1));
    expect(normed.get('bias')).toEqual(new Array(40).fill(0));
    const direction = normed.get('kernel') as number[];
    const square = direction.reduce((sum, value) => sum + value * value, 0) / direction.length;
    expect(Math.abs(Math.sqrt(square) / 0.05 - 1)).toBeLessThan(0.05); // 4,800 values give it with a deviation of 1 %
    expect(Math.max(...direction.map(Math.abs))).toBeGreaterThan(0.12); // of a normal one, not cut off
    expect(await weightsOf({ seed: 1, weightNormalization: true })).toEqual(normed);
    for (const seed of [2, undefined]) {
      const other = await weightsOf({ weightNormalization: true, ...(seed && { seed }) });
      expect(other.get('kernel')).not.toEqual(direction);
    }
    const own = await weightsOf({ kernelInitializer: 'ones', weightNormalization: true });
    expect(own.get('kernel')).toEqual(new Array(4800).fill(1));
  });

  it('applies an activation that is none of tfjs, and checks sizes there too', async () => {
    const args = { filters: 1, kernelSize: 1, shift: 'down', stride: 2, kernelInitializer: 'ones' } as const;
    const layer = shiftedConv2d({ ...args, activation: 'shiftedConvSquare' as 'relu' });
    const x = tf.tensor4d([3, 9, 9, 9], [1, 2, 2, 1]);
    expect(await take(layer.apply(x))).toEqual([9]);
    const odd = tf.ones([1, 2, 3, 1]);
    expect(() => layer.apply(odd)).toThrow('ShiftedConv2D: input: width: wanted a multiple of 2, got 3');
    tf.dispose([x, odd]);
    layer.dispose();
  });

  it('takes images of any size, and refuses inputs of other features once it is built', () => {
    const layer = shiftedConv2d({ filters: 2, kernelSize: 2, shift: 'down', stride: 2 });
    expect(layer.apply(tfl.input({ shape: [null, 6, 3] })).shape).toEqual([null, null, 3, 2]);
    const up = shiftedConv2d({ filters: 2, kernelSize: 2, shift: 'down', stride: 2, transposed: true });
    expect(up.apply(tfl.input({ shape: [null, 3, 3] })).shape).toEqual([null, null, 6, 2]);
    const wrong = tf.zeros([1, 2, 2, 4]);
    expect(() => layer.apply(wrong)).toThrow('expected axis 3 of input shape to have value 3');
    wrong.dispose();
    layer.dispose();
    up.dispose();
  });

  it('names what is wrong', () => {
    expect(() => shiftedConv2d(undefined as never)).toThrow('ShiftedConv2D: wanted an object of arguments');
    const args = { filters: 2, kernelSize: 2, shift: 'down' } as const;
    const wrong = (other: object) => () => shiftedConv2d({ ...args, ...other });
    expect(wrong({ shift: 'up' })).toThrow(
      "ShiftedConv2D: shift: wanted 'down' or 'downRight' or 'before' or 'around', got 'up'",
    );
    expect(wrong({ shift: undefined })).toThrow('ShiftedConv2D: shift: wanted');
    expect(wrong({ shift: 'down_right' })).toThrow('ShiftedConv2D: shift: wanted');
    expect(wrong({ stride: 3 })).toThrow('ShiftedConv2D: stride: wanted 1 or 2, got 3');
    expect(wrong({ transposed: 1 })).toThrow('ShiftedConv2D: transposed: wanted true or false, got 1');
    for (const kernelSize of [0, 1.5, [2, -1], [1, 2, 3], '2'])
      expect(wrong({ kernelSize })).toThrow('ShiftedConv2D: kernelSize: wanted a positive integer');
    expect(wrong({ filters: 0 })).toThrow('ShiftedConv2D: filters: wanted an integer of at least 1, got 0');
    expect(wrong({ weightNormalization: 'yes' })).toThrow('ShiftedConv2D: weightNormalization: wanted true');
    expect(wrong({ seed: 0.5 })).toThrow('ShiftedConv2D: seed: wanted an integer');
    expect(wrong({ activation: 'rellu' })).toThrow('rellu');
    const apply =
      (shape: (number | null)[], other: object = {}) =>
      () =>
        wrong(other)().apply(tfl.input({ shape }));
    expect(apply([4, 4])).toThrow('ShiftedConv2D: input: wanted one tensor [N,H,W,features]');
    expect(apply([4, 4, null])).toThrow('ShiftedConv2D: input: wanted one tensor [N,H,W,features]');
    expect(apply([4, 5, 1], { stride: 2 })).toThrow(
      'ShiftedConv2D: input: width: wanted a multiple of 2, got 5',
    );
    expect(apply([5, 4, 1], { stride: 2 })).toThrow(
      'ShiftedConv2D: input: height: wanted a multiple of 2, got 5',
    );
    expect(apply([5, 5, 1], { stride: 2, transposed: true })).not.toThrow();
    const huge = 'ShiftedConv2D: kernelSize, input features, filters: wanted sizes whose product is at most';
    expect(apply([4, 4, 4096], { kernelSize: 128, filters: 128 })).toThrow(huge);
  });
});
