import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import fc from 'fast-check';
import { bitsPerDim, pixelCNN } from 'pixelcnn-layers';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { causalConv2d, checkBatchFits } from '../../src/ops/causal-conv';
import type { FusedActivation } from '../../src/ops/composed-conv';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { expectClose, expectNoLeaks, noise, take } from '../support/tensors';

type Shape4 = [number, number, number, number];

/** The convolution and its gradients for sum(y * g), as loops over pixels in plain numbers. */
function slow(
  x: Float32Array,
  [n, h, w, ci]: Shape4,
  kernel: Float32Array,
  [rows, columns, , co]: Shape4,
  bias: Float32Array | null,
  g: Float32Array,
  activation: FusedActivation,
  left: number,
  present: number,
) {
  const y = new Float64Array(n * h * w * co);
  const [dx, dk, db] = [x, kernel, new Float32Array(co)].map(({ length }) => new Float64Array(length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const at = (array: ArrayLike<number>, index: number) => array[index] as number;
  for (let b = 0; b < n; b++) {
    for (let i = 0; i < h; i++) {
      for (let j = 0; j < w; j++) {
        for (let o = 0; o < co; o++) {
          const taps: [number, number][] = []; // [index in x, index in kernel]
          for (let r = 0; r < rows; r++) {
            for (let c = 0; c < columns; c++) {
              if (!isUsed(r, c, rows, present)) continue;
              const [ii, jj] = [i + r - (rows - 1), j + c - left];
              if (ii < 0 || jj < 0 || jj >= w) continue;
              for (let f = 0; f < ci; f++) {
                taps.push([((b * h + ii) * w + jj) * ci + f, ((r * columns + c) * ci + f) * co + o]);
              }
            }
          }
          const z = taps.reduce((sum, [xi, ki]) => sum + at(x, xi) * at(kernel, ki), bias ? at(bias, o) : 0);
          const index = ((b * h + i) * w + j) * co + o;
          y[index] = activation === 'relu' ? Math.max(z, 0) : z;
          const dz = activation === 'relu' && z <= 0 ? 0 : at(g, index);
          db[o] = at(db, o) + dz;
          for (const [xi, ki] of taps) {
            dx[xi] = at(dx, xi) + dz * at(kernel, ki);
            dk[ki] = at(dk, ki) + dz * at(x, xi);
          }
        }
      }
    }
  }
  return { y, dx, dk, db };
}

/** Whether a tap is none of those in the last row that are zero. */
const isUsed = (row: number, column: number, rows: number, present: number) =>
  row < rows - 1 || column < present;

/** Columns of a kernel, those to the left of the output's own, and those that are used of the last row. */
type Columns = readonly [columns: number, left: number, present: number];

const anyColumns = fc
  .integer({ min: 1, max: 6 })
  .chain((columns) => fc.tuple(fc.constant(columns), fc.nat(columns - 1), fc.nat(columns)));
/** A pixel is seen, and what is to its left, or also to its right: what models have. */
const usualColumns = anyColumns.chain(([columns, left]) =>
  fc.constantFrom<Columns>([columns, left, left + 1], [columns, left, columns]),
);

const cases = fc.record({
  n: fc.integer({ min: 1, max: 3 }),
  h: fc.integer({ min: 1, max: 6 }),
  w: fc.integer({ min: 1, max: 9 }),
  ci: fc.integer({ min: 1, max: 9 }),
  co: fc.integer({ min: 1, max: 17 }),
  rows: fc.integer({ min: 1, max: 4 }),
  columns: fc.oneof(usualColumns, anyColumns),
  activation: fc.constantFrom<FusedActivation>('linear', 'relu'),
  hasBias: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1000 }),
});

type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

/** Kernels of one row and of more: around the middle, with every choice of the last row, and shifted ones. */
const examples = (
  [
    [5, 2, 0],
    [5, 2, 3],
    [5, 2, 5],
    [2, 1, 2],
    [3, 0, 1],
    [1, 0, 1],
  ] as Columns[]
).flatMap((columns): [Case][] => {
  const sizes = { n: 2, h: 3, w: 5, ci: 3, co: 9, columns, hasBias: true, seed: 1 } as const;
  return [[{ ...sizes, rows: 1, activation: 'linear' }], [{ ...sizes, rows: 2, activation: 'relu' }]];
});

onEachBackend('causalConv2d', (backend) => {
  it('equals loops over pixels, forward and in all gradients', async () => {
    await fc.assert(
      fc.asyncProperty(
        cases,
        async ({ n, h, w, ci, co, rows, columns: [columns, left, present], activation, hasBias, seed }) => {
          const [xShape, kShape]: Shape4[] = [
            [n, h, w, ci],
            [rows, columns, ci, co],
          ];
          const size = (shape: number[]) => shape.reduce((a, b) => a * b, 1);
          const x = noise(size(xShape as Shape4), seed);
          const used = Array.from({ length: size(kShape as Shape4) }, (_, i) => {
            const tap = Math.floor(i / (ci * co));
            return isUsed(Math.floor(tap / columns), tap % columns, rows, present);
          });
          const kernel = noise(used.length, seed + 1).map((value, i) => (used[i] ? value : 0));
          const bias = hasBias ? noise(co, seed + 2) : null;
          const g = noise(n * h * w * co, seed + 3);
          const expected = slow(
            x,
            xShape as Shape4,
            kernel,
            kShape as Shape4,
            bias,
            g,
            activation,
            left,
            present,
          );

          const inputs = [
            tf.tensor4d(x, xShape as Shape4),
            tf.tensor4d(kernel, kShape as Shape4),
            ...(bias ? [tf.tensor1d(bias)] : []),
          ];
          const dy = tf.tensor4d(g, [n, h, w, co]);
          const op = (...[xs, k, b]: tf.Tensor[]) =>
            causalConv2d(
              xs as tf.Tensor4D,
              k as tf.Tensor4D,
              (b as tf.Tensor1D) ?? null,
              activation,
              left,
              present,
            );
          const { value, grads } = tf.valueAndGrads(op)(inputs, dy);
          tf.dispose([...inputs, dy]);
          const tolerance = 1e-4; // sums of up to 100 products of numbers below 1, in float32
          expectClose(await take(value), expected.y, tolerance);
          expectClose(await take(grads[0] as tf.Tensor), expected.dx, tolerance);
          const dk = (await take(grads[1] as tf.Tensor)).map((value, i) => (used[i] ? value : 0));
          expectClose(dk, expected.dk, tolerance);
          if (hasBias) expectClose(await take(grads[2] as tf.Tensor), expected.db, tolerance);
        },
      ),
      { seed: 1, numRuns: examples.length + (isGpu(backend) ? 6 : 100), examples },
    );
  });

  it('has second derivatives', async () => {
    // One pixel, one feature: y = x k, L = y^2, dL/dk = 2 x^2 k, d2L/dk2 = 2 x^2 = 18 at x = 3
    const x = tf.fill<tf.Rank.R4>([1, 1, 1, 1], 3);
    const k = tf.ones<tf.Rank.R4>([1, 1, 1, 1]);
    const loss = (kernel: tf.Tensor) => tf.sum(tf.square(causalConv2d(x, kernel as tf.Tensor4D, null)));
    const second = tf.grad((kernel) => tf.grad(loss)(kernel))(k);
    expectClose(await take(second), [18], 1e-4);
    tf.dispose([x, k]);
  });

  // tfjs's wasm backend lacks the gradient of its own convolution
  it.skipIf(backend.startsWith('wasm'))('has second derivatives where the kernel is shifted', async () => {
    // One row of x = (2, 3), of which each pixel sees itself by k0 and the one to the right by k1: y = (2 k0 + 3 k1, 3 k0)
    // L = sum(y^2) / 2: d2L/dk2 = [[4 + 9, 6], [6, 9]]
    const x = tf.tensor4d([2, 3], [1, 1, 2, 1]);
    const kernel = tf.tensor4d([1, 5], [1, 2, 1, 1]);
    const loss = (k: tf.Tensor) =>
      tf.mul(0.5, tf.sum(tf.square(causalConv2d(x, k as tf.Tensor4D, null, 'linear', 0, 2))));
    const first = (k: tf.Tensor, column: number) =>
      tf.slice(tf.grad(loss)(k), [0, column, 0, 0], [1, 1, 1, 1]);
    expectClose(await take(tf.grad((k) => first(k, 0))(kernel)), [13, 6], 1e-4);
    expectClose(await take(tf.grad((k) => first(k, 1))(kernel)), [6, 9], 1e-4);
    tf.dispose([x, kernel]);
  });

  it('has second derivatives where only the first column of a kernel is used', async () => {
    // As with one pixel and one feature: d2L/dk2 = 2 (2^2 + 3^2)
    const x = tf.tensor4d([2, 3], [1, 1, 2, 1]);
    const kernel = tf.tensor4d([1, 100], [1, 2, 1, 1]);
    const loss = (k: tf.Tensor) => tf.sum(tf.square(causalConv2d(x, k as tf.Tensor4D, null, 'linear', 0)));
    expectClose(await take(tf.grad((k) => tf.grad(loss)(k))(kernel)), [26, 0], 1e-4);
    tf.dispose([x, kernel]);
  });

  it('leaves no tensor behind, with and without a tape', async () => {
    const x = tf.ones<tf.Rank.R4>([2, 4, 4, 3]);
    const kernel = tf.ones<tf.Rank.R4>([2, 3, 3, 5]);
    const bias = tf.ones<tf.Rank.R1>([5]);
    await expectNoLeaks(() => causalConv2d(x, kernel, bias, 'relu'));
    await expectNoLeaks(() => tf.grad((k) => causalConv2d(x, k as tf.Tensor4D, bias, 'relu'))(kernel));
    const row = tf.ones<tf.Rank.R4>([1, 3, 3, 5]);
    await expectNoLeaks(() => causalConv2d(x, row, bias));
    await expectNoLeaks(() =>
      tf.grads((xs, k) => causalConv2d(xs as tf.Tensor4D, k as tf.Tensor4D, bias))([x, row]),
    );
    await expectNoLeaks(() =>
      tf.grads((xs, k) => causalConv2d(xs as tf.Tensor4D, k as tf.Tensor4D, bias, 'relu', 0))([x, row]),
    );
    tf.dispose([x, kernel, bias, row]);
  });
});

describe.runIf(backends.includes('cpu'))('taps that are not used', () => {
  beforeAll(() => useBackend('cpu'));

  it('are not computed with where the kernel is one row', async () => {
    const x = tf.ones<tf.Rank.R4>([1, 1, 4, 1]);
    const kernel = tf.tensor4d([1, 1, 100], [1, 3, 1, 1]); // the last one would show
    expect(await take(causalConv2d(x, kernel, null))).toEqual([1, 2, 2, 2]);
    expect(await take(causalConv2d(x, kernel, null, 'linear', 1, 3))).toEqual([101, 102, 102, 2]);
    expect(await take(causalConv2d(x, kernel, null, 'linear', 0))).toEqual([1, 1, 1, 1]);
    tf.dispose([x, kernel]);
  });
});

describe('the gradient', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it('is not computed for an image that nothing asks about', async () => {
    const x = tf.ones<tf.Rank.R4>([1, 4, 4, 1]);
    const kernel = tf.ones<tf.Rank.R4>([4, 7, 1, 2]);
    const profile = async (wanted: 'kernel' | 'both') => {
      const { kernelNames } = await tf.profile(() => {
        const f = (k: tf.Tensor, xs: tf.Tensor = x) =>
          causalConv2d(xs as tf.Tensor4D, k as tf.Tensor4D, null);
        return wanted === 'kernel'
          ? tf.grad((k) => f(k))(kernel)
          : tf.grads((k, xs) => f(k, xs))([kernel, x]);
      });
      return kernelNames;
    };
    expect(await profile('both')).toContain('GatherV2'); // flips the kernel for the gradient of x
    expect(await profile('kernel')).not.toContain('GatherV2');
  });
});

interface Device {
  device: { limits: unknown };
}

onEachBackend('checkBatchFits', (backend) => {
  afterEach(() => {
    vi.restoreAllMocks();
    if (backend === 'webgl') tf.env().set('WEBGL_MAX_TEXTURE_SIZE', realTextureSize);
  });
  let realTextureSize = 0;

  /** Makes the GPU hold no more than so many bytes in a tensor; a square number of kilobytes. */
  function limitTo(bytes: number): void {
    if (backend === 'webgl') {
      realTextureSize ||= tf.env().getNumber('WEBGL_MAX_TEXTURE_SIZE');
      tf.env().set('WEBGL_MAX_TEXTURE_SIZE', Math.sqrt(bytes / 4));
    } else if (backend === 'webgpu') {
      const { device } = tf.backend() as unknown as Device;
      const real = device.limits as Record<string, number>;
      const lowered: Record<string, number> = {
        maxBufferSize: 2 * bytes,
        maxStorageBufferBindingSize: bytes,
      };
      const limits = new Proxy(real, { get: (_, name: string) => lowered[name] ?? real[name] });
      vi.spyOn(device, 'limits', 'get').mockReturnValue(limits);
    }
  }

  it('lets pass what fits', () => {
    expect(() => checkBatchFits([16, 28, 28, 128])).not.toThrow();
  });

  it('says what batch fits on a GPU, and limits no other backend', async () => {
    limitTo(4 * 64 ** 2); // 4,096 numbers: 16 images of [4,4,16]
    const tooMany = () => checkBatchFits([17, 4, 4, 16]);
    if (isGpu(backend)) {
      expect(() => checkBatchFits([16, 4, 4, 16])).not.toThrow();
      expect(tooMany).toThrow(RangeError);
      expect(tooMany).toThrow(
        `A batch of 17 images is too large for ${backend} here: one tensor [17,4,4,16] has 17408 bytes, ` +
          '16384 is the limit; at most 16 images fit',
      );
      expect(() => checkBatchFits([1, 64, 64, 2])).toThrow('not even one image fits');
    } else {
      expect(tooMany).not.toThrow();
    }
  });

  it('speaks where a model is trained on too large a batch, which leaves no tensor behind', async () => {
    const model = pixelCNN({ imageShape: [4, 4, 1], levels: 16, hiddenDim: 2, outDim: 2, numBlocks: 1 });
    model.compile({ optimizer: 'sgd', loss: bitsPerDim });
    const x = tf.zeros<tf.Rank.R4>([17, 4, 4, 1]);
    await expectNoLeaks(async () => {
      limitTo(4 * 64 ** 2);
      const training = model.trainOnBatch(x, x);
      if (isGpu(backend)) await expect(training).rejects.toThrow('at most 16 images fit');
      else expect(await training).toBeGreaterThan(0);
    });
    x.dispose();
    model.dispose();
  });
});
