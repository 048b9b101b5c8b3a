import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  activations,
  exp,
  expFloat32,
  log,
  oneMinusExpFloat32,
  softplus,
  tanh,
  tanhTimesSigmoid,
  timesSigmoid,
} from '../../../src/runtime/kernels/arithmetic';
import { useBackend } from '../../support/backends';
import { forAll } from '../../support/runs';

const { clippedRelu, elu, gelu, geluNew, hardSigmoid, levelNumber, mish, selu, sigmoid, softsign, swish } = activations;
const nan = Number.NaN;

/** Expects a function to be so near to another, for numbers at random and relative to what is right. */
function expectNear(of: (x: number) => number, right: (x: number) => number, inputs: fc.Arbitrary<number>, digits: number): void {
  forAll([inputs], { numRuns: 400, seed: 1 }, (x) => {
    const wanted = right(x);
    expect(Math.abs(of(x) - wanted)).toBeLessThanOrEqual(digits * Math.abs(wanted));
  });
}

/** A digest of the bits of many values, the same everywhere. */
function digestOf(of: (i: number) => number): number {
  let digest = 0;
  const bits = new Uint32Array(2);
  for (let i = -6000; i < 6000; i++) {
    new Float64Array(bits.buffer)[0] = of(i);
    digest = (Math.imul(digest, 31) + (bits[0] as number) + (bits[1] as number)) | 0;
  }
  return digest;
}

it.each<[string, (x: number) => number, inputs: number[], wanted: number[]]>([
  ['exp', exp, [0, -1e-44, -800, -Infinity, 800, Infinity, nan], [1, 1, 0, 0, Infinity, Infinity, nan]],
  ['log', log, [1, 0, -0, Infinity, -1, -5e-324, -Infinity, nan], [0, -Infinity, -Infinity, Infinity, nan, nan, nan, nan]],
  ['expFloat32', expFloat32, [0, -0, -88, -Infinity, nan], [1, 1, 0, 0, nan]],
  ['oneMinusExpFloat32', oneMinusExpFloat32, [0, -0, -88, -Infinity, nan], [0, 0, 1, 1, nan]],
  ['sigmoid', sigmoid, [-Infinity, -1000, 0, 1000, Infinity, nan], [0, 0, 0.5, 1, 1, nan]],
  ['tanh', tanh, [-Infinity, -1000, 0, 1000, Infinity, nan], [-1, -1, 0, 1, 1, nan]],
  ['tanhTimesSigmoid of 0', (a) => tanhTimesSigmoid(a, 0), [-Infinity, Infinity, nan], [-0.5, 0.5, nan]],
  ['tanhTimesSigmoid of 1', (a) => tanhTimesSigmoid(a, 1), [0, -0, nan], [0, -0, nan]],
  ['tanhTimesSigmoid of infinity', (b) => tanhTimesSigmoid(Infinity, b), [Infinity, -Infinity, nan], [1, 0, nan]],
  ['timesSigmoid of 3', (b) => timesSigmoid(3, b), [Infinity, -Infinity, nan], [3, 0, nan]],
  ['timesSigmoid at 0', (a) => timesSigmoid(a, 0), [-3, nan], [-1.5, nan]],
])('%s is exact where it must be, has its limits, and keeps NaN', (_, of, inputs, wanted) => {
  expect(inputs.map(of)).toEqual(wanted);
});

describe('exp', () => {
  it('is e^x to 11 digits', () => {
    expectNear(exp, Math.exp, fc.double({ min: -700, max: 709, noNaN: true }), 1e-11);
    expect(exp(709) / Math.exp(709)).toBeCloseTo(1, 10);
  });

  it('computes the same bits everywhere', () => {
    expect(digestOf((i) => exp(i / 9.7))).toBe(-1742991997);
  });
});

/** ln x to 45 digits, of the bits of x: x = m 2^k, ln m = 2 artanh((m - 1) / (m + 1)), in fixed point. */
function exactLog(x: number): number {
  const ONE = 1n << 200n;
  const series = (above: bigint, below: bigint) => {
    const s = (above * ONE) / below;
    const s2 = (s * s) / ONE;
    let sum = 0n;
    for (let power = s, n = 1n; power !== 0n; power = (power * s2) / ONE, n += 2n) sum += power / n;
    return 2n * sum;
  };
  let k = 0;
  let m = x;
  for (; m >= Math.SQRT2; k++) m /= 2;
  for (; m < Math.SQRT1_2; k--) m *= 2;
  const whole = BigInt(m * 2 ** 53); // m has 53 bits
  const unit = 1n << 53n;
  const sum = series(whole - unit, whole + unit) + BigInt(k) * series(1n, 3n); // ln 2 = 2 artanh(1/3)
  const digits = sum / (1n << 90n); // 110 bits of fraction
  return Number(digits) / 2 ** 110;
}

describe('log', () => {
  const numbers = fc.oneof(
    fc.double({ min: Number.MIN_VALUE, noNaN: true, noDefaultInfinity: true }), // of any magnitude
    fc.double({ min: 0.5, max: 2, noNaN: true }),
    fc.double({ min: -1e-9, max: 1e-9, noNaN: true }).map((x) => 1 + x),
    fc.double({ min: Number.MIN_VALUE, max: 2 ** -1022, noNaN: true }), // subnormal
  );

  it('is the natural logarithm to 15 digits, also next to 1 and of subnormal numbers', () =>
    forAll([numbers], { numRuns: 400, seed: 1 }, (x) => {
      const right = exactLog(x);
      expect(Math.abs(log(x) - right)).toBeLessThanOrEqual(3e-16 * Math.abs(right));
      expect(Math.abs(log(x) - Math.log(x))).toBeLessThanOrEqual(5e-16 * Math.abs(right));
    }));

  it('computes the same bits everywhere', () => {
    expect(digestOf((i) => log((i + 6000.5) / 9.7) + log(1 + i / 6001))).toBe(92205012);
  });
});

describe('functions of float32', () => {
  /** Of any magnitude, or near 0. */
  const float32 = (min: number, max: number, near: number) =>
    fc.oneof(
      fc.float({ min, max, noNaN: true }),
      fc.double({ min: Math.max(min, -near), max: Math.min(max, near), noNaN: true }).map(Math.fround),
    );

  it('expFloat32 is e^x to seven digits, of numbers of at most 0', () => {
    expectNear(expFloat32, Math.exp, fc.float({ min: -87, max: 0, noNaN: true }), 1.2e-7);
  });

  it('oneMinusExpFloat32 is 1 - e^x to seven digits, also next to 0', () => {
    expectNear(oneMinusExpFloat32, (x) => -Math.expm1(x), float32(-20, 0, 2), 1.2e-7);
  });

  it.each([
    ['tanhTimesSigmoid', tanhTimesSigmoid, Math.tanh, 4e-7],
    ['timesSigmoid', timesSigmoid, (a: number) => a, 3e-7],
  ] as const)('%s is accurate to seven digits, however small, and float32', (_, of, fn, digits) =>
    forAll([float32(-80, 80, 3), float32(-80, 80, 3)], { numRuns: 400, seed: 1 }, (a, b) => {
      const y = of(a, b);
      const right = fn(a) / (1 + Math.exp(-b));
      // beside seven digits, numbers below 1e-38 have fewer
      expect(Math.abs(y - right)).toBeLessThanOrEqual(digits * Math.abs(right) + 1e-44);
      expect(Math.fround(y)).toBe(y);
    }),
  );
});

describe('sigmoid and tanh', () => {
  const numbers = fc.double({ min: -600, max: 600, noNaN: true });

  it('sigmoid is 1 / (1 + e^-x) to 10 digits', () => {
    expectNear(sigmoid, (x) => 1 / (1 + Math.exp(-x)), numbers, 1e-10);
    for (const x of [-1, -0.1, 0.1, 1]) expect(sigmoid(x) + sigmoid(-x)).toBeCloseTo(1, 10);
  });

  it('tanh is the hyperbolic tangent to 10 digits, however small, and odd', () => {
    const small = fc.double({ min: -12, max: 1, noNaN: true }).map((exponent) => 10 ** exponent);
    expectNear(tanh, Math.tanh, fc.oneof(numbers, small), 3e-11); // e^-2x has 11 digits; 1 - e^-2x, near 0.3, has fewer
    for (let i = 5; i < 500; i++) {
      const x = i / 1000; // from its series to its definition
      expect(Math.abs(tanh(x) - Math.tanh(x))).toBeLessThanOrEqual(3e-11 * Math.tanh(x));
      expect(tanh(-x)).toBe(-tanh(x));
    }
  });
});

describe('activations', () => {
  const inputs = Array.from({ length: 801 }, (_, i) => Math.fround((i - 400) / 40));
  const far = [-1000, -90, -30, 30, 90, 1000];

  it.each([
    ['elu', elu],
    ['selu', selu],
    ['relu6', (x: number) => clippedRelu(x, 6)],
    ['hardSigmoid', hardSigmoid],
    ['softsign', softsign],
    ['swish', swish],
    ['softplus', softplus],
    ['gelu', gelu],
    ['gelu_new', geluNew],
    ['mish', mish],
  ] as const)('%s is what tfjs-layers computes, and keeps NaN', async (name, fn) => {
    await useBackend('cpu');
    const xs = [...inputs, ...far, 0, -0];
    const layer = layers.activation({ activation: name as 'elu' });
    const expected = tf.tidy(() => (layer.apply(tf.tensor1d(xs)) as tf.Tensor).dataSync());
    for (const [i, x] of xs.entries()) {
      const right = expected[i] as number;
      expect(Math.abs(fn(x) - right)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(right)));
    }
    expect(fn(Number.NaN)).toBeNaN();
  });

  it('softplus keeps its digits however small the result', () => {
    for (let x = -80; x < 80; x += 0.37) {
      const right = Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0);
      expect(Math.abs(softplus(x) - right)).toBeLessThanOrEqual(2e-11 * right);
    }
  });
});

describe('levelNumber', () => {
  it.each([2, 3, 10, 17, 255, 256, 1000, 65536])('tells all of %i levels apart, from 1', (levels) => {
    for (let level = 0; level < levels; level++) {
      if (levelNumber(Math.fround(level / (levels - 1)), levels - 1) !== level + 1) expect.fail(`level ${level}`);
    }
  });

  it('rounds to the nearest, half upwards, and recognizes invalid levels', () => {
    const numbers: [x: number, number: number][] = [
      [0.12, 1], [0.125, 2], [-0.12, 1], [-0.125, 1], [-0.13, 0], // 0.48, 0.5, ...: a half upwards
      [0.874, 4], [0.876, 5], [1.124, 5], [1.125, 0], [nan, 0], [Infinity, 0], [-Infinity, 0],
    ]; // biome-ignore format: pairs
    for (const [x, number] of numbers) expect(levelNumber(Math.fround(x), 4)).toBe(number);
  });
});
