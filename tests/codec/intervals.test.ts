import { describe, expect, it } from 'vitest';
import { intervalsFor } from '../../src/codec/intervals';
import { TOTAL } from '../../src/codec/range-coder';
import { softmaxOf } from '../../src/distributions/categorical';
import { outputStride, type PixelDistribution } from '../../src/distributions/pixel-distribution';
import { distributionOf } from '../../src/distributions/readers';
import { noise } from '../support/tensors';

const mixture = (levels: number) =>
  distributionOf({ imageShape: [1, 1, 1], levels, distribution: { kind: 'logisticMixture', components: 3 } });

/** A distribution that gives the probabilities of all levels and nothing else. */
const own = (levels: number): PixelDistribution => {
  const { logProbs } = softmaxOf(1, levels);
  return { imageChannels: 1, levels, numParameters: levels, logProbs };
};

const distributions: [string, (levels: number) => PixelDistribution][] = [
  ['a softmax', (levels) => softmaxOf(1, levels)],
  ['a mixture', mixture],
  ['one of a user', own],
];

/** Outputs of two images: random numbers times 1, 10 and 1000, so that masses are broad, narrow and next to nothing. */
const outputsOf = (distribution: PixelDistribution, scale: number, seed: number) =>
  Float32Array.from(noise(2 * outputStride(distribution), seed), (x) => scale * x);

describe.each(distributions)('the intervals of %s', (_, make) => {
  const each = [2, 3, 17, 256].flatMap((levels) => [1, 10, 1000].map((scale) => [levels, scale] as const));

  it.each(each)(
    'tile the range, each level at least 1 wide: %i levels, outputs times %i',
    (levels, scale) => {
      const distribution = make(levels);
      const intervals = intervalsFor(distribution, 2);
      const outputs = outputsOf(distribution, scale, levels);
      intervals.take({ outputs, channel: 0, levels: new Int32Array(2) });
      for (const image of [0, 1]) {
        const parameters = outputs
          .slice(image * outputStride(distribution))
          .subarray(0, distribution.numParameters);
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
    },
  );

  it('are none of what is not finite', () => {
    const distribution = make(4);
    const intervals = intervalsFor(distribution, 1);
    const outputs = new Float32Array(outputStride(distribution)).fill(Number.NaN);
    intervals.take({ outputs, channel: 0, levels: new Int32Array(1) });
    expect(() => intervals.of(0, 1)).toThrow('not finite');
    expect(() => intervals.at(0, 5)).toThrow('not finite');
  });
});
