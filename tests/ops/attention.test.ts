import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TrainingKernels } from '../../src/kernels/training-kernels';
import { trainingKernels } from '../../src/kernels/webassembly';
import { attention, chunkOf } from '../../src/ops/attention';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { slowAttention } from '../support/slow-attention';
import { expectClose, expectNoLeaks, noise, take } from '../support/tensors';

const cases = fc.record({
  n: fc.integer({ min: 1, max: 3 }),
  h: fc.integer({ min: 1, max: 4 }),
  w: fc.integer({ min: 1, max: 4 }),
  heads: fc.integer({ min: 1, max: 3 }),
  size: fc.integer({ min: 1, max: 5 }),
  scale: fc.constantFrom(0.1, 1, 5),
  chunk: fc.constantFrom(1, 2, 3, 5, undefined),
  seed: fc.integer({ min: 1, max: 1000 }),
});

const run = (heads: number, chunk?: number) => (queries: tf.Tensor, keys: tf.Tensor, values: tf.Tensor) =>
  attention({ queries, keys, values } as Parameters<typeof attention>[0], heads, null, chunk) as tf.Tensor;

onEachBackend('attention', (backend) => {
  it('equals loops in plain numbers, forward and in all gradients, in chunks of any size', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ n, h, w, heads, size, scale, chunk, seed }) => {
        const shape: [number, number, number, number] = [n, h, w, heads * size];
        const length = n * h * w * heads * size;
        const numbers = [0, 1, 2, 3].map((i) => noise(length, seed + i).map((value) => scale * value));
        const sizes = { n, places: h * w, heads, size };
        const expected = slowAttention(numbers as unknown as Parameters<typeof slowAttention>[0], sizes);
        const [q, k, v, dy] = numbers.map((of) => tf.tensor4d(of, shape)) as tf.Tensor4D[];
        const inputs = [q, k, v] as tf.Tensor[];
        const { value, grads } = tf.valueAndGrads(run(heads, chunk))(inputs, dy);
        tf.dispose([...inputs, dy as tf.Tensor]);
        const tolerance = (isGpu(backend) ? 2e-5 : 5e-6) * Math.max(1, scale ** 2);
        expect(value.shape).toEqual(shape);
        expectClose(await take(value), expected.y, tolerance);
        for (const [i, gradient] of grads.entries())
          expectClose(await take(gradient), expected.gradients[i] as Float64Array, tolerance * scale ** 2);
      }),
      { seed: 1, numRuns: isGpu(backend) ? 4 : 60 },
    );
  });

  it('gives zeros for one place, and for the second of two the values of the first', async () => {
    const gradients = (values: number[], slope: number[], places: number) => {
      const [q, k, v, dy] = [values, values, values, slope].map((of) => tf.tensor4d(of, [1, places, 1, 3])) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]; // biome-ignore format: one line
      const { value, grads } = tf.valueAndGrads(run(1))([q, k, v], dy);
      tf.dispose([q, k, v, dy]);
      return Promise.all([value, ...grads].map(take)) as Promise<[number[], number[], number[], number[]]>;
    };
    for (const zeros of await gradients([3, 5, 7], [1, 2, 3], 1)) expect(zeros).toEqual([0, 0, 0]);
    const [y, dq, dk, dv] = await gradients([3, 5, 7, -1, 2, 4], [9, 9, 9, 1, 2, 3], 2);
    expectClose(y, [0, 0, 0, 3, 5, 7], 1e-5);
    expectClose(dv, [1, 2, 3, 0, 0, 0], 1e-5);
    for (const none of [dq, dk]) expectClose(none, [0, 0, 0, 0, 0, 0], 1e-4); // of a weight that is always 1
  });

  it('takes maps without places, and batches without images', async () => {
    for (const shape of [
      [1, 0, 2, 2],
      [1, 2, 0, 2],
      [0, 2, 2, 2],
    ] as [number, number, number, number][]) {
      const inputs = [0, 1, 2].map(() => tf.zeros(shape));
      const { value, grads } = tf.valueAndGrads(run(2))(inputs);
      for (const empty of [value, ...grads]) {
        expect(empty.shape).toEqual(shape);
        expect(await take(empty)).toEqual([]);
      }
      tf.dispose(inputs);
    }
  });

  it('hides later places whatever their scores', async () => {
    // The third place has a score of 3e38 with every query: only the fourth sees it.
    const [q, k] = [tf.ones<tf.Rank.R4>([1, 1, 4, 1]), tf.tensor4d([0, 0, 3e38, 0], [1, 1, 4, 1])];
    const v = tf.tensor4d([3, 5, 7, 9], [1, 1, 4, 1]);
    expectClose((await take(run(1)(q, k, v))).slice(0, 3), [0, 3, 4], 1e-6);
    // The first three have -1e10, which is still more than what is hidden.
    const low = tf.tensor4d([-1e10, -1e10, -1e10, 0], [1, 1, 4, 1]);
    expectClose(await take(run(1)(q, low, v)), [0, 3, 4, 5], 1e-6);
    tf.dispose([q, k, v, low]);
  });

  it('holds the weights of a chunk of queries at a time, for the gradients too', async () => {
    const places = 24 * 24;
    const x = tf.tensor4d(noise(places), [1, 24, 24, 1]);
    const before = tf.memory().numBytes;
    for (const compute of [() => run(1)(x, x, x), () => tf.grads(run(1))([x, x, x])]) {
      const { peakBytes, result } = await tf.profile(compute);
      // Computed together, each of about ten intermediate results would be as large as all weights.
      expect(peakBytes - before).toBeLessThan(3 * 4 * places ** 2);
      tf.dispose(result);
    }
    x.dispose();
  });

  it('has second derivatives', async () => {
    // One head of one feature, of two earlier places with keys 0 and values 0 and 1, at the third query q = 0:
    // y = s(q (k2 - k1)), dy/dk2 = q s' = 0, and its derivative for q is s'(0) = 1/4, for k1 it is 0
    const q = tf.zeros<tf.Rank.R4>([1, 1, 3, 1]);
    const k = tf.zeros<tf.Rank.R4>([1, 1, 3, 1]);
    const v = tf.tensor4d([0, 1, 9], [1, 1, 3, 1]);
    const ofKeys = (queries: tf.Tensor, keys: tf.Tensor) =>
      tf.slice(tf.grad((x) => run(1, 1)(queries, x, v))(keys), [0, 0, 1, 0], [1, 1, 1, 1]);
    const [dq, dk] = tf.grads(ofKeys)([q, k]) as [tf.Tensor, tf.Tensor];
    expectClose(await take(dq), [0, 0, 0.25], 1e-6);
    expectClose(await take(dk), [0, 0, 0], 1e-6);
    tf.dispose([q, k, v]);
  });

  it('drops weights, the same for the gradient and whatever the chunks, and keeps their mean', async () => {
    const [h, w] = [6, 8];
    // Of keys 0 and values 1, place i has a mean of i weights 1/i: of those kept, 4/3 as much
    const [q, k, v] = [0, 0, 1].map((value) => tf.fill<tf.Rank.R4>([2, h, w, 4], value)) as [
      tf.Tensor4D,
      tf.Tensor4D,
      tf.Tensor4D,
    ];
    const dropped = (chunk: number) => (values: tf.Tensor) =>
      attention({ queries: q, keys: k, values: values as tf.Tensor4D }, 2, { rate: 0.25, seed: 'a' }, chunk);
    const whole = await take(dropped(48)(v));
    expectClose(await take(dropped(5)(v)), whole, 1e-5);
    const later = whole.filter((_, i) => Math.floor(i / 4) % (h * w) > 0);
    expect(new Set(later).size).toBeGreaterThan(40);
    expect(Math.abs(later.reduce((sum, value) => sum + value, 0) / later.length - 1)).toBeLessThan(0.05);
    // Each place drops others: if all dropped the same, none would keep fewer than one before it.
    const kept = Array.from({ length: h * w }, (_, i) => Math.round(i * (whole[4 * i] as number) * 0.75));
    expect(kept.some((count, i) => count < (kept[i - 1] ?? 0))).toBe(true);
    // y is linear in v, so the sum over v dv is that of y
    const gradient = await take(tf.grad((x) => dropped(7)(x) as tf.Tensor)(v));
    const sum = (numbers: number[]) => numbers.reduce((total, value) => total + value, 0);
    expect(Math.abs(sum(gradient) - sum(whole))).toBeLessThan(1e-3);
    tf.dispose([q, k, v]);
  });

  it('has the gradients of what is left of the weights, for queries and keys too', async () => {
    const shape: [number, number, number, number] = [1, 2, 4, 2];
    const all = [1, 2, 3, 4].map((seed) => Array.from(noise(16, seed)));
    const [q, k, v, g] = all as [number[], number[], number[], number[]];
    /** The sum of g y. */
    const loss = (queries: tf.Tensor, keys: tf.Tensor) => {
      const inputs = { queries, keys, values: tf.tensor4d(v, shape) } as Parameters<typeof attention>[0];
      return tf.sum(tf.mul(attention(inputs, 1, { rate: 0.5, seed: 'b' }, 3), tf.tensor4d(g, shape)));
    };
    const at = (queries: number[], keys: number[]) =>
      take(tf.tidy(() => loss(tf.tensor4d(queries, shape), tf.tensor4d(keys, shape))));
    const slopesOf = async (values: number[], lossAt: (of: number[]) => Promise<number[]>) => {
      const slopes: number[] = [];
      for (const i of values.keys()) {
        const moved = (by: number) => lossAt(values.map((value, j) => (j === i ? value + by : value)));
        slopes.push((((await moved(0.05))[0] as number) - ((await moved(-0.05))[0] as number)) / 0.1);
      }
      return slopes;
    };
    const [dq, dk] = tf.tidy(() => tf.grads(loss)([tf.tensor4d(q, shape), tf.tensor4d(k, shape)])) as [
      tf.Tensor,
      tf.Tensor,
    ];
    expectClose(await take(dq), await slopesOf(q, (of) => at(of, k)), 2e-3);
    expectClose(await take(dk), await slopesOf(k, (of) => at(q, of)), 2e-3);
  });

  it('leaves no tensor behind, with and without a tape', async () => {
    const x = tf.ones<tf.Rank.R4>([2, 2, 3, 4]);
    await expectNoLeaks(() => run(2, 2)(x, x, x));
    await expectNoLeaks(() => tf.grads(run(2, 2))([x, x, x]));
    const one = tf.ones<tf.Rank.R4>([2, 1, 1, 4]);
    await expectNoLeaks(() => tf.grads(run(2, 2))([one, one, one]));
    tf.dispose([x, one]);
  });

  it('says what does not fit, before it computes', () => {
    // 2^14 images of 2 heads and 2^14 places: even the weights of one query are 2^29. No such tensor is made.
    const x = tf.zeros<tf.Rank.R4>([1, 1, 1, 1]);
    const shape = [2 ** 14, 2 ** 7, 2 ** 7, 2] as const;
    const large = Object.create(x, { shape: { value: shape } }) as tf.Tensor4D;
    expect(() => run(2)(large, large, large)).toThrow(
      'attend: images, heads, height, width: wanted sizes whose product is at most 268435456, got [16384, 2, 128, 128]',
    );
    x.dispose();
  });
});

it('computes as many queries together as their weights fit, at least one', () => {
  expect(chunkOf([1, 7, 7, 64], 8)).toBe(64); // all of them
  expect(chunkOf([16, 32, 32, 64], 8)).toBe(128); // an eighth
  expect(chunkOf([64, 32, 32, 64], 8)).toBe(32); // 64 * 8 images and heads, of 32 * 1024 weights: 2^24
  expect(chunkOf([2 ** 13, 128, 128, 2], 2)).toBe(1); // each has 2^28
  expect(chunkOf([0, 7, 7, 64], 8)).toBe(64);
});

/** As `attention` on wasm with own kernels, or without. */
async function gradientsOf(inputs: tf.Tensor[], dy: tf.Tensor, heads: number, own: boolean) {
  tf.env().set('PIXELCNN_WASM_KERNELS', own);
  const { value, grads } = tf.valueAndGrads(run(heads))(inputs, dy);
  tf.env().set('PIXELCNN_WASM_KERNELS', true);
  return Promise.all([value, ...grads].map(take));
}

/** Places up to several chunks of queries, and heads of up to 64 features. */
const largerCases = fc.record({
  n: fc.integer({ min: 1, max: 2 }),
  h: fc.integer({ min: 1, max: 15 }),
  w: fc.integer({ min: 1, max: 15 }),
  heads: fc.integer({ min: 1, max: 3 }),
  size: fc.integer({ min: 1, max: 64 }),
  scale: fc.constantFrom(0.1, 1, 3),
  seed: fc.integer({ min: 1, max: 1000 }),
});

describe.runIf(backends.includes('wasm'))('attention by own kernels on wasm', () => {
  beforeAll(() => useBackend('wasm'));

  it('equals loops in plain numbers, and operations of tfjs, over many places and features', async () => {
    await fc.assert(
      fc.asyncProperty(largerCases, async ({ n, h, w, heads, size, scale, seed }) => {
        const shape: [number, number, number, number] = [n, h, w, heads * size];
        const numbers = [0, 1, 2, 3].map((i) => noise(n * h * w * heads * size, seed + i).map((value) => scale * value)); // biome-ignore format: one line
        const sizes = { n, places: h * w, heads, size };
        const slow = slowAttention(numbers as unknown as Parameters<typeof slowAttention>[0], sizes);
        const tensors = numbers.map((of) => tf.tensor4d(of, shape));
        const [inputs, dy] = [tensors.slice(0, 3), tensors[3] as tf.Tensor];
        const own = await gradientsOf(inputs, dy, heads, true);
        const composed = await gradientsOf(inputs, dy, heads, false);
        tf.dispose(tensors);
        for (const [i, expected] of [slow.y, ...slow.gradients].entries()) {
          const largest = Math.max(scale ** 3, ...expected.map(Math.abs));
          expectClose(own[i] as number[], expected, 3e-6 * largest * Math.max(1, scale ** 2));
          expectClose(own[i] as number[], composed[i] as number[], 1e-5 * largest * Math.max(1, scale ** 2));
        }
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  it('is exactly what it was whatever comes later, and has no gradient for that', async () => {
    const [places, units] = [75, 6];
    const shape: [number, number, number, number] = [1, 5, 15, units];
    const [q, k, v] = [1, 2, 3].map((seed) => noise(places * units, seed)) as [Float32Array, Float32Array, Float32Array]; // biome-ignore format: one line
    const outputs = async (keys: Float32Array, values: Float32Array) => {
      const inputs = [q, keys, values].map((of) => tf.tensor4d(of, shape)) as [
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
      ];
      const y = run(2)(...inputs);
      tf.dispose(inputs);
      return take(y);
    };
    const whole = await outputs(k, v);
    for (let i = 0; i < places; i++) {
      const [keys, values] = [k, v].map((of) => of.slice().fill(1e30, i * units)) as [
        Float32Array,
        Float32Array,
      ]; // from place i on
      const upTo = (i + 1) * units;
      expect((await outputs(keys, values)).slice(0, upTo)).toEqual(whole.slice(0, upTo));

      const inputs = [q, k, v].map((of) => tf.tensor4d(of, shape));
      const dy = tf.tensor4d(new Float32Array(places * units).fill(1, i * units, upTo), shape);
      const [, dq, dk, dv] = (await gradientsOf(inputs, dy, 2, true)) as [
        unknown,
        number[],
        number[],
        number[],
      ];
      const isZero = (numbers: number[]) => numbers.every((value) => value === 0);
      expect(isZero(dq.slice(0, i * units)) && isZero(dq.slice(upTo))).toBe(true);
      expect(isZero(dk.slice(i * units)) && isZero(dv.slice(i * units))).toBe(true);
      expect(isZero(dv.slice(0, i * units))).toBe(i === 0);
      tf.dispose([...inputs, dy]);
    }
  });

  it('is right where scores are far apart, and far from 0', async () => {
    // Of keys 0, 200, ..., the last one seen takes all the weight, at scores up to 1.6e6: e^score is no number
    const places = 20;
    const q = tf.fill([1, 4, 5, 1], 400);
    const k = tf.tensor4d(
      Array.from({ length: places }, (_, i) => 200 * i),
      [1, 4, 5, 1],
    );
    const v = tf.tensor4d(
      Array.from({ length: places }, (_, i) => i + 1),
      [1, 4, 5, 1],
    );
    const dy = tf.ones([1, 4, 5, 1]);
    for (const sign of [1, -1]) {
      const queries = tf.mul(q, sign);
      const [y, dq, dk, dv] = (await gradientsOf([queries, k, v], dy, 1, true)) as [number[], number[], number[], number[]]; // biome-ignore format: one line
      // With the other sign, the first one takes all
      expect(y).toEqual(Array.from({ length: places }, (_, i) => (sign > 0 || i === 0 ? i : 1)));
      const all = Array.from({ length: places }, (_, i) => (i === 0 ? places - 1 : 0));
      expect(dv).toEqual(sign > 0 ? Array.from({ length: places }, (_, i) => (i < places - 1 ? 1 : 0)) : all);
      expect([...dq, ...dk].every((value) => value === 0)).toBe(true);
      queries.dispose();
    }
    tf.dispose([q, k, v, dy]);
  });

  it('keeps a NaN of a query within its head, and a NaN of a key to later places', async () => {
    const [q, k] = [noise(20 * 4, 1), noise(20 * 4, 2)];
    q[9 * 4] = Number.NaN; // place 9, head 0
    k[13 * 4 + 2] = Number.NaN; // place 13, head 1
    const inputs = [q, k, k].map((of) => tf.tensor4d(of, [1, 4, 5, 4])) as [tf.Tensor, tf.Tensor, tf.Tensor];
    inputs[2].dispose();
    inputs[2] = tf.ones([1, 4, 5, 4]);
    const y = await take(run(2)(...inputs));
    const isNaNAt = (place: number, head: number) => Number.isNaN(y[place * 4 + head * 2]);
    for (let place = 0; place < 20; place++)
      expect([isNaNAt(place, 0), isNaNAt(place, 1)]).toEqual([place === 9, place > 13]);
    tf.dispose(inputs);
  });

  /** Names of the own kernels that run for attention and its gradient. */
  async function profiled(dtype: 'float32' | 'int32' = 'float32', rate = 0, between = () => {}) {
    const x = tf.cast(tf.tensor4d(noise(2 * 3 * 2 * 4).map((value) => 9 * value), [2, 3, 2, 4]), dtype); // biome-ignore format: one line
    const v = tf.ones<tf.Rank.R4>([2, 3, 2, 4]);
    const dropout = rate === 0 ? null : { rate, seed: 'a' };
    const { kernelNames, result } = await tf.profile(() =>
      tf.grad((values) => {
        const y = attention({ queries: x, keys: x, values: values as tf.Tensor4D }, 2, dropout);
        between();
        return y;
      })(v),
    );
    const values = await take(result as tf.Tensor);
    tf.dispose([x, v]);
    return { names: kernelNames.filter((name) => name.startsWith('PixelCNN')), values };
  }

  it('serves it and its gradients, and gives way where it is switched off, for integers and for dropout', async () => {
    const { names, values } = await profiled();
    expect(names).toEqual(['PixelCNNCausalAttention', 'PixelCNNCausalAttentionGradient']);
    expect((await profiled('int32')).names).toEqual([]);
    expect((await profiled('float32', 0.5)).names).toEqual([]);
    const turnOff = () => tf.env().set('PIXELCNN_WASM_KERNELS', false);
    const turnOn = () => tf.env().set('PIXELCNN_WASM_KERNELS', true);
    const offInBetween = await profiled('float32', 0, turnOff);
    const onInBetween = await profiled('float32', 0, turnOn); // it is off at first
    turnOff();
    const off = await profiled();
    turnOn();
    expect(offInBetween.names).toEqual(['PixelCNNCausalAttention']);
    expect(onInBetween.names).toEqual([]);
    expect(off.names).toEqual([]);
    for (const other of [offInBetween, onInBetween, off]) expectClose(other.values, values, 1e-5);
  });

  it('leaves nothing in memory where it throws', () => {
    const [x, gone] = [tf.ones<tf.Rank.R4>([1, 2, 2, 2]), tf.ones<tf.Rank.R4>([1, 2, 2, 2])];
    gone.dispose();
    const before = tf.backend().numDataIds();
    expect(() => attention({ queries: x, keys: gone, values: x }, 2)).toThrow();
    expect(tf.backend().numDataIds()).toBe(before);
    x.dispose();
  });
});

describe('the kernels of attention', () => {
  const cases = [1, 3, 4, 5].flatMap((size) => [1, 2, 8, 13, 75].map((places) => [size, places] as const));

  it.each(cases)('read and write nothing else, of %d features and %d places', (size, places) => {
    const [images, heads] = [2, 2];
    const memory = new WebAssembly.Memory({ initial: 8 });
    const loops = trainingKernels(memory) as TrainingKernels;
    const floats = new Float32Array(memory.buffer);
    const length = images * places * heads * size;
    let end = floats.length; // inputs at the very end of the memory, where reading on would be an error
    const place = (numbers: number) => {
      end -= numbers;
      return end;
    };
    const inputs = [0, 1, 2, 3].map((seed) => {
      const at = place(length);
      floats.set(noise(length, seed), at);
      return at;
    });
    const [q, k, v, dy] = inputs as [number, number, number, number];
    const [y, dq, dk, dv] = [0, 0, 0, 0].map(() => place(length)) as [number, number, number, number];
    const logSums = place(images * heads * places);
    const outputs = end;
    const sizes = [images, places, heads, size, 1 / Math.sqrt(size)] as const;
    const at = (numbers: number) => 4 * numbers;
    const within = (scratchBytes: number, fill: (scratch: number) => void) => {
      const scratch = outputs - scratchBytes / 4;
      floats.fill(Number.NaN, scratch, outputs); // whatever was there
      floats.fill(7, 0, scratch);
      const before = floats.slice();
      fill(at(scratch));
      expect(floats.subarray(0, scratch).every((value) => value === 7)).toBe(true);
      for (const input of inputs)
        expect(floats.slice(input, input + length)).toEqual(before.slice(input, input + length));
    };
    within(loops.attentionScratch(places, size), (scratch) =>
      loops.attention(at(y), at(logSums), at(q), at(k), at(v), ...sizes, scratch),
    );
    within(
      loops.attentionBackScratch(places, size),
      (scratch) =>
      loops.attentionBack(at(dq), at(dk), at(dv), at(dy), at(q), at(k), at(v), at(y), at(logSums), ...sizes, scratch), // biome-ignore format: one call
    );
    const numbers = [q, k, v, dy].map((from) => floats.slice(from, from + length));
    const expected = slowAttention(numbers as unknown as Parameters<typeof slowAttention>[0], { n: images, places, heads, size }); // biome-ignore format: one line
    for (const [i, from] of [y, dq, dk, dv].entries())
      expectClose(floats.slice(from, from + length), [expected.y, ...expected.gradients][i] as Float64Array, 2e-6); // biome-ignore format: one line
  });
});
