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
import { runs } from '../../support/runs';

const { clippedRelu, elu, gelu, geluNew, hardSigmoid, levelNumber, mish, selu, sigmoid, softsign, swish } = activations;
const { NaN: nan, NEGATIVE_INFINITY, POSITIVE_INFINITY } = Number;

describe('exp', () => {
  it('is e^x to 11 digits', () => {
    fc.assert(
      fc.property(fc.double({ min: -700, max: 709, noNaN: true }), (x) => {
        expect(Math.abs(exp(x) / Math.exp(x) - 1)).toBeLessThan(1e-11);
      }),
      runs({ seed: 1, numRuns: 400 }),
    );
  });

  it('is exact where it must be, and has limits', () => {
    expect([0, -1e-44, -800, Number.NEGATIVE_INFINITY, 800, Number.POSITIVE_INFINITY].map(exp)).toEqual([
      1,
      1,
      0,
      0,
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
    expect(exp(709) / Math.exp(709)).toBeCloseTo(1, 10);
    expect(exp(Number.NaN)).toBeNaN();
  });

  it('computes the same bits everywhere: a digest of many values', () => {
    let digest = 0;
    const bits = new Uint32Array(2);
    for (let i = -6000; i < 6000; i++) {
      new Float64Array(bits.buffer)[0] = exp(i / 9.7);
      digest = (Math.imul(digest, 31) + (bits[0] as number) + (bits[1] as number)) | 0;
    }
    expect(digest).toMatchInlineSnapshot(`-1742991997`);
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

  it('is the natural logarithm to 15 digits, also next to 1 and of subnormal numbers', () => {
    fc.assert(
      fc.property(numbers, (x) => {
        const right = exactLog(x);
        expect(Math.abs(log(x) - right)).toBeLessThanOrEqual(3e-16 * Math.abs(right));
        expect(Math.abs(log(x) - Math.log(x))).toBeLessThanOrEqual(5e-16 * Math.abs(right));
      }),
      runs({ seed: 1, numRuns: 400 }),
    );
  });

  it('has known values, and limits', () => {
    expect([1, 0, -0, POSITIVE_INFINITY].map(log)).toEqual([0, NEGATIVE_INFINITY, NEGATIVE_INFINITY, POSITIVE_INFINITY]);
    expect([-1, -Number.MIN_VALUE, NEGATIVE_INFINITY, nan].map(log)).toEqual([nan, nan, nan, nan]);
    expect([2, 10, 0.5, Math.E].map(log)).toEqual([Math.LN2, Math.LN10, -Math.LN2, 1]);
    expect(log(Number.MIN_VALUE)).toBe(-744.4400719213812);
    expect(log(Number.MAX_VALUE)).toBe(709.782712893384);
  });

  it('undoes exp', () => {
    for (let x = -700; x < 700; x += 1.7) expect(Math.abs(log(exp(x)) - x)).toBeLessThan(1e-11);
  });

  it('computes the same bits everywhere: a digest of many values', () => {
    let digest = 0;
    const bits = new Uint32Array(2);
    for (let i = -6000; i < 6000; i++) {
      new Float64Array(bits.buffer)[0] = log((i + 6000.5) / 9.7) + log(1 + i / 6001);
      digest = (Math.imul(digest, 31) + (bits[0] as number) + (bits[1] as number)) | 0;
    }
    expect(digest).toMatchInlineSnapshot(`92205012`);
  });
});

describe('expFloat32', () => {
  it('is e^x to seven digits, of float32 numbers of at most 0', () => {
    fc.assert(
      fc.property(fc.float({ min: -87, max: 0, noNaN: true }), (x) => {
        expect(Math.abs(expFloat32(x) / Math.exp(x) - 1)).toBeLessThan(1.2e-7);
      }),
      runs({ seed: 1, numRuns: 400 }),
    );
  });

  it('is exact at 0, 0 far below, and keeps NaN', () => {
    expect([0, -0, -88, NEGATIVE_INFINITY, nan].map(expFloat32)).toEqual([1, 1, 0, 0, nan]);
  });
});

describe('oneMinusExpFloat32', () => {
  it('is 1 - e^x to seven digits, also next to 0', () => {
    const inputs = fc.oneof(
      fc.float({ min: -20, max: 0, noNaN: true }), // of any magnitude
      fc.double({ min: -2, max: 0, noNaN: true }).map(Math.fround),
    );
    fc.assert(
      fc.property(inputs, (x) => {
        const right = -Math.expm1(x);
        expect(Math.abs(oneMinusExpFloat32(x) - right)).toBeLessThanOrEqual(1.2e-7 * right);
      }),
      runs({ seed: 1, numRuns: 400 }),
    );
  });

  it('is exact at 0, 1 far below, and keeps NaN', () => {
    expect([0, -0, -88, NEGATIVE_INFINITY, nan].map(oneMinusExpFloat32)).toEqual([0, 0, 1, 1, nan]);
  });
});

const numbers = fc.double({ min: -600, max: 600, noNaN: true });

describe('sigmoid', () => {
  it('is 1 / (1 + e^-x) to 10 digits', () => {
    fc.assert(
      fc.property(numbers, (x) => {
        expect(Math.abs(sigmoid(x) * (1 + Math.exp(-x)) - 1)).toBeLessThan(1e-10);
      }),
      runs({ seed: 1, numRuns: 100 }),
    );
    for (const x of [-1, -0.1, 0.1, 1]) expect(sigmoid(x) + sigmoid(-x)).toBeCloseTo(1, 10);
  });

  it('has its limits, and keeps NaN', () => {
    const inputs = [Number.NEGATIVE_INFINITY, -1000, 0, 1000, Number.POSITIVE_INFINITY];
    expect(inputs.map(sigmoid)).toEqual([0, 0, 0.5, 1, 1]);
    expect(sigmoid(Number.NaN)).toBeNaN();
  });
});

describe('tanh', () => {
  it('is the hyperbolic tangent to 10 digits, however small, and odd', () => {
    const small = fc.double({ min: -12, max: 1, noNaN: true }).map((exponent) => 10 ** exponent);
    fc.assert(
      fc.property(fc.oneof(numbers, small), (x) => {
        // e^-2x has 11 digits; 1 - e^-2x, near 0.3, has fewer
        expect(Math.abs(tanh(x) - Math.tanh(x))).toBeLessThanOrEqual(3e-11 * Math.abs(Math.tanh(x)));
        expect(tanh(-x)).toBe(-tanh(x));
      }),
      runs({ seed: 1, numRuns: 100 }),
    );
    for (
      let x = 0.005;
      x < 0.5;
      x += 0.001 // from its series to its definition
    )
      expect(Math.abs(tanh(x) - Math.tanh(x))).toBeLessThanOrEqual(3e-11 * Math.tanh(x));
  });

  it('has its limits, and keeps NaN', () => {
    const inputs = [Number.NEGATIVE_INFINITY, -1000, 0, 1000, Number.POSITIVE_INFINITY];
    expect(inputs.map(tanh)).toEqual([-1, -1, 0, 1, 1]);
    expect(tanh(Number.NaN)).toBeNaN();
  });
});

describe('tanhTimesSigmoid', () => {
  const float32 = fc.oneof(
    fc.float({ min: -80, max: 80, noNaN: true }), // of any magnitude
    fc.double({ min: -3, max: 3, noNaN: true }).map(Math.fround),
  );

  it('is accurate to seven digits, however small, and float32', () => {
    fc.assert(
      fc.property(float32, float32, (a, b) => {
        const y = tanhTimesSigmoid(a, b);
        const right = Math.tanh(a) / (1 + Math.exp(-b));
        // beside seven digits, numbers below 1e-38 have fewer
        expect(Math.abs(y - right)).toBeLessThanOrEqual(4e-7 * Math.abs(right) + 1e-44);
        expect(Math.fround(y)).toBe(y);
      }),
      runs({ seed: 1, numRuns: 400 }),
    );
  });

  it('has its limits, keeps the sign of 0, and keeps NaN', () => {
    expect([0, -0].map((a) => tanhTimesSigmoid(a, 1))).toEqual([0, -0]);
    expect(tanhTimesSigmoid(POSITIVE_INFINITY, POSITIVE_INFINITY)).toBe(1);
    expect(tanhTimesSigmoid(NEGATIVE_INFINITY, 0)).toBe(-0.5);
    expect(tanhTimesSigmoid(3, NEGATIVE_INFINITY)).toBe(0);
    expect(tanhTimesSigmoid(0, 5)).toBe(0);
    expect(tanhTimesSigmoid(Number.NaN, 1)).toBeNaN();
    expect(tanhTimesSigmoid(1, Number.NaN)).toBeNaN();
  });
});

describe('timesSigmoid', () => {
  it('is accurate to seven digits, however small, and float32', () => {
    const float32 = fc.float({ min: -80, max: 80, noNaN: true });
    fc.assert(
      fc.property(float32, float32, (a, b) => {
        const y = timesSigmoid(a, b);
        const right = a / (1 + Math.exp(-b));
        expect(Math.abs(y - right)).toBeLessThanOrEqual(3e-7 * Math.abs(right) + 1e-44);
        expect(Math.fround(y)).toBe(y);
      }),
      runs({ seed: 1, numRuns: 400 }),
    );
  });

  it('has its limits, and keeps NaN', () => {
    expect(timesSigmoid(3, POSITIVE_INFINITY)).toBe(3);
    expect(timesSigmoid(3, NEGATIVE_INFINITY)).toBe(0);
    expect(timesSigmoid(-3, 0)).toBe(-1.5);
    expect(timesSigmoid(Number.NaN, 1)).toBeNaN();
    expect(timesSigmoid(1, Number.NaN)).toBeNaN();
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
      [0.12, 1], // 0.48
      [0.125, 2],
      [-0.12, 1],
      [-0.125, 1], // -0.5, half upwards
      [-0.13, 0],
      [0.874, 4],
      [0.876, 5],
      [1.124, 5],
      [1.125, 0], // 4.5
      [Number.NaN, 0],
      [Number.POSITIVE_INFINITY, 0],
      [Number.NEGATIVE_INFINITY, 0],
    ];
    for (const [x, number] of numbers) expect(levelNumber(Math.fround(x), 4)).toBe(number);
  });
});
