import { describe, expect, it, vi } from 'vitest';
import { intervalsFor } from '../../../src/runtime/codec/intervals';
import { TOTAL } from '../../../src/runtime/codec/range-coder';
import { softmaxOf } from '../../../src/runtime/distributions/categorical';
import { distributionOf } from '../../../src/runtime/distributions/kinds';
import { outputStride, type PixelDistribution } from '../../../src/runtime/distributions/pixel-distribution';
import { noise } from '../../support/tensors';

const mixture = (levels: number) =>
  distributionOf({ imageShape: [1, 1, 1], levels, distribution: { kind: 'logisticMixture', components: 3 } });
const gaussian = (levels: number) =>
  distributionOf({ imageShape: [1, 1, 1], levels, distribution: { kind: 'gaussian', offset: levels >> 1 } });

/** A distribution that gives the probabilities of all levels and nothing else. */
const own = (levels: number): PixelDistribution => {
  const { logProbs } = softmaxOf(1, levels);
  return { imageChannels: 1, levels, numParameters: levels, logProbs };
};

const distributions: [string, (levels: number) => PixelDistribution][] = [
  ['a softmax', (levels) => softmaxOf(1, levels)],
  ['a mixture', mixture],
  ['a Gaussian', gaussian],
  ['one of a user', own],
];

/** Outputs of two images: random numbers times 1, 10 and 1000, so that masses are broad, narrow and next to nothing. */
const outputsOf = (distribution: PixelDistribution, scale: number, seed: number) =>
  Float32Array.from(noise(2 * outputStride(distribution), seed), (x) => scale * x);

describe.each(distributions)('the intervals of %s', (_, make) => {
  const few = [2, 3, 17].flatMap((levels) => [1, 10, 1000].map((scale) => [levels, scale] as const));
  const each = [...few, [256, 10] as const];

  it.each(each)('tile the range, each level at least 1 wide: %i levels, outputs times %i', (levels, scale) => {
    const distribution = make(levels);
    const outputs = outputsOf(distribution, scale, levels);
    const intervals = intervalsFor(distribution, 2)({ outputs, channel: 0, levels: new Int32Array(2) });
    for (const image of [0, 1]) {
      const parameters = outputs.slice(image * outputStride(distribution)).subarray(0, distribution.numParameters);
      const logProbs = new Float64Array(levels);
      distribution.logProbs(parameters, [], logProbs);
      let begin = 0;
      for (let level = 0; level < levels; level++) {
        const interval = intervals.of(image, level);
        expect(interval).toMatchObject({ level, begin });
        expect(interval.frequency).toBeGreaterThanOrEqual(1);
        const share = Math.exp(logProbs[level] as number);
        expect(Math.abs(interval.frequency / TOTAL - share)).toBeLessThan((2 * levels + 4) / TOTAL + 1e-12);
        const ends = [begin, begin + interval.frequency - 1, begin + Math.floor(interval.frequency / 2)];
        for (const target of ends) expect(intervals.at(image, target)).toEqual(interval);
        begin += interval.frequency;
      }
      expect(begin).toBe(TOTAL);
    }
  });

  it('do not exist for outputs that are not finite', () => {
    const distribution = make(4);
    const outputs = new Float32Array(outputStride(distribution)).fill(Number.NaN);
    const intervals = intervalsFor(distribution, 1)({ outputs, channel: 0, levels: new Int32Array(1) });
    expect(() => intervals.of(0, 1)).toThrow('not finite');
    expect(() => intervals.at(0, 5)).toThrow('not finite');
  });
});

describe('a distribution function', () => {
  const shared = (below: (level: number) => number, levelAt: (u: number) => number) => {
    const distribution = { ...own(4096), cdf: () => ({ below, levelAt }) };
    const intervalsOf = intervalsFor(distribution, 1);
    return intervalsOf({ outputs: new Float32Array(4096), channel: 0, levels: new Int32Array(1) });
  };

  it('is asked a few times for a level that is far from where it has its mass', () => {
    const below = vi.fn((level: number) => (level > 4000 ? 1 + 1e-6 : 0)); // nearly all of level 4000
    const intervals = shared(below, () => 4000);
    for (const level of [0, 1, 63, 2000, 3999, 4000, 4001, 4095]) {
      const interval = intervals.of(0, level);
      expect(interval.frequency).toBe(level === 4000 ? TOTAL - 2 * 4095 : 2);
      below.mockClear();
      expect(intervals.at(0, interval.begin)).toEqual(interval);
      expect(below.mock.calls.length).toBeLessThan(2 * 12 + 8);
    }
  });

  it('begins at 0, whatever it returns', () => {
    const [one, none] = [() => 1, () => 0];
    const intervals = shared(one, none);
    expect(intervals.of(0, 0)).toMatchObject({ begin: 0, frequency: TOTAL - 2 * 4095 });
    expect(intervals.at(0, 5)).toMatchObject({ level: 0, begin: 0 });
  });

  it('that decreases, or returns no level, is an error', () => {
    const falls = shared((level) => (level === 9 ? 0.5 : level / 4096), Math.floor);
    expect(() => falls.of(0, 9)).toThrow('cdf of the distribution: below(10) is less than below(9)');
    const least = shared((level) => (level < 10 ? 100.5 : 98.5) / (TOTAL - 2 * 4096), Math.floor); // no width at all
    expect(() => least.of(0, 9)).toThrow('below(10) is less than below(9)');
    const even = (level: number) => level / 4096;
    for (const level of [-1, 0.5, 4096, Number.NaN])
      expect(() => shared(even, () => level).at(0, 1)).toThrow('cdf of the distribution: levelAt: wanted integer levels 0 to 4095');
  });
});
