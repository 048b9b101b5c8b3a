import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { discretizedGaussian } from '../../../src/runtime/distributions/gaussian';
import golden from '../../golden/gaussian.json';
import { forAll } from '../../support/runs';

const gray = (levels: number, offset = 0) => discretizedGaussian({ imageChannels: 1, levels, offset });
type Row = [levels: number, offset: number, level: number, mean: number, logScale: number, logP: number];

/** Parameters, near the levels and far from them. */
const anywhere = fc.record({
  levels: fc.constantFrom(2, 3, 16, 256, 1000),
  mean: fc.oneof(fc.float({ min: -20, max: 300, noNaN: true }), fc.float({ noNaN: true, noDefaultInfinity: true })),
  logScale: fc.oneof(fc.float({ min: -4, max: 7, noNaN: true }), fc.float({ noNaN: true, noDefaultInfinity: true })),
});

function allOf({ levels, mean, logScale }: { levels: number; mean: number; logScale: number }, offset = 0) {
  const all = new Float64Array(levels);
  gray(levels, offset).logProbs(Float32Array.of(mean, logScale), [], all);
  return all;
}

describe('a discretized Gaussian', () => {
  it('has log p of arbitrary precision, in the middle, at ends, and where masses underflow', () => {
    for (const [levels, offset, level, mean, logScale, logP] of golden.rows as Row[]) {
      const got = gray(levels, offset).logProb(Float32Array.of(mean, logScale), [], level);
      expect(Math.abs(got - logP)).toBeLessThanOrEqual(1e-13 * Math.abs(logP));
    }
  });

  it('has levels that sum to 1, all at once bit for bit as one by one', () => {
    const check = (given: { levels: number; mean: number; logScale: number }) => {
      const all = allOf(given);
      expect(Math.abs(all.reduce((sum, nat) => sum + Math.exp(nat), 0) - 1)).toBeLessThan(1e-12);
      const parameters = Float32Array.of(given.mean, given.logScale);
      const { logProb } = gray(given.levels);
      expect(Array.from(all, (_, level) => logProb(parameters, [], level))).toEqual([...all]);
    };
    forAll([anywhere], { numRuns: 150, seed: 1 }, check);
  });

  it('is the same to the last bit if levels are mirrored about the mean, and shifted with the offset', () => {
    const check = ({ levels, mean, logScale }: { levels: number; mean: number; logScale: number }) => {
      const all = allOf({ levels, mean, logScale }, 0);
      expect([...allOf({ levels, mean: -mean, logScale }, levels - 1)].reverse()).toEqual([...all]);
    };
    forAll([anywhere], { numRuns: 100, seed: 2 }, check);
    expect(allOf({ levels: 16, mean: -1.5, logScale: 0 }, 8)).toEqual(allOf({ levels: 16, mean: 6.5, logScale: 0 }));
  });

  it('draws the first level whose cumulative probability exceeds u, and begins it where those before end', () => {
    const check = (given: { levels: number; mean: number; logScale: number }) => {
      const parameters = Float32Array.of(given.mean, given.logScale);
      const { levelAt, cdf } = gray(given.levels);
      const { below, levelAt: near } = cdf(parameters, []);
      let sum = 0;
      for (const [level, nat] of allOf(given).entries()) {
        const before = sum;
        expect(Math.abs(below(level) - before)).toBeLessThan(1e-12);
        sum += Math.exp(nat);
        const u = (before + sum) / 2;
        if (sum - before > 1e-10) expect([levelAt(parameters, [], u), near(u)]).toEqual([level, level]);
      }
    };
    forAll([anywhere], { numRuns: 50, seed: 3 }, check);
  });

  it('keeps NaN, and gives each channel its own mean and log scale', () => {
    for (const bad of [Number.NaN, Infinity, -Infinity])
      for (const level of [0, 3, 15]) expect(gray(16).logProb(Float32Array.of(bad, 0), [], level)).toBeNaN();
    expect(gray(16).logProb(Float32Array.of(0, Number.NaN), [], 3)).toBeNaN();
    const two = discretizedGaussian({ imageChannels: 2, levels: 16, offset: 0 });
    expect([0, 1, 2, 3].map((parameter) => two.channelOf(parameter))).toEqual([0, 0, 1, 1]);
    const second = gray(16).logProb(Float32Array.of(3, 1), [], 4);
    expect(two.logProb(Float32Array.of(9, 9, 3, 1), [5], 4)).toBe(second);
  });
});
