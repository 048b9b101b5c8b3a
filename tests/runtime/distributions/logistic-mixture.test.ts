import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mixtureOfLogistics } from '../../../src/runtime/distributions/logistic-mixture';
import { numParameters, parameterOffsets } from '../../../src/runtime/distributions/mixture-parameters';
import { channelOf } from '../../../src/runtime/distributions/pixel-distribution';
import gray from '../../golden/pixelcnn-plus-plus/pp_gray.json';
import rgb from '../../golden/pixelcnn-plus-plus/pp_rgb.json';
import { forAll } from '../../support/runs';
import { slowMixture } from '../../support/slow/mixture';

/** Seeded parameters of a pixel, as wide as they come out of a network. */
function parametersOf(count: number, seed: number, spread: number): Float32Array {
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Float32Array.from({ length: count }, () => (2 * uniform() - 1) * spread);
}

describe('a mixture of logistics', () => {
  it.each([['gray', gray], ['rgb', rgb]])('has the golden likelihoods and log-probabilities of all levels: %s', (_, golden) => {
    const [n, h, w, channels] = golden.images.shape as [number, number, number, number];
    const { components, levels } = golden.config;
    const mixture = mixtureOfLogistics({ imageChannels: channels, levels, components });
    const size = mixture.numParameters;
    expect(golden.parameters.shape).toEqual([n, h, w, size]);
    const parameters = Float32Array.from(golden.parameters.data);
    const pixel = (index: number) =>
      [parameters.subarray(index * size, (index + 1) * size), golden.images.data.slice(index * channels, (index + 1) * channels)] as const;
    for (let image = 0; image < n; image++) {
      let nats = 0;
      for (let index = image * h * w; index < (image + 1) * h * w; index++) {
        const [given, drawn] = pixel(index);
        for (const [channel, level] of drawn.entries()) nats -= mixture.logProb?.(given, drawn.slice(0, channel), level) as number;
      }
      const wanted = golden.nll_exact_nats_per_image[image] as number;
      expect(Math.abs(nats / wanted - 1)).toBeLessThan(1e-6); // parameters are given to 8 digits
    }
    const all = new Float64Array(levels);
    for (const { image, row, column, channel, log_prob_of_levels: wanted } of golden.places) {
      const [given, drawn] = pixel((image * h + row) * w + column);
      mixture.logProbs(given, drawn.slice(0, channel), all);
      for (const [level, nat] of wanted.entries()) expect(all[level]).toBeCloseTo(nat, 4);
    }
  }); // biome-ignore format: one line

  it('finds narrow components in the last of few levels, far from the first', () => {
    for (const levels of [3, 4, 9]) {
      const mixture = mixtureOfLogistics({ imageChannels: 1, levels, components: 1 });
      const all = new Float64Array(levels);
      const parameters = Float32Array.of(0, 1, -7); // 1 / s is 1097
      mixture.logProbs(parameters, [], all);
      expect(Array.from(all, (nats) => Math.round(1e9 * Math.exp(nats)))).toEqual([...new Array(levels - 1).fill(0), 1e9]);
      expect(mixture.logProb?.(parameters, [], levels - 1)).toBeCloseTo(0, 12);
    }
  });

  it('has the log-probabilities of its definition to all digits, in both tails, of narrow and wide scales, and of any channel', () => {
    const sizes = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom(2, 3, 16, 256, 1000), fc.constantFrom(1, 3, 5));
    const spreads = fc.constantFrom(0.5, 2, 4, 8, 12);
    forAll([sizes, spreads, fc.nat()], { numRuns: 120, seed: 1 }, ([imageChannels, levels, components], spread, seed) => {
      const sizes = { imageChannels, components, levels };
      const mixture = mixtureOfLogistics(sizes);
      const parameters = parametersOf(mixture.numParameters, seed, spread);
      for (const offset of parameterOffsets(sizes).means) // as wide as levels are
        for (let k = offset; k < offset + components; k++) parameters[k] = (parameters[k] as number) / spread;
      const labels = Array.from({ length: imageChannels }, (_, c) => (seed + c * c) % levels);
      const wanted = slowMixture(labels, [...parameters], sizes);
      const nats = labels.map((level, c) => mixture.logProb?.(parameters, labels.slice(0, c), level) as number);
      for (const [c, nat] of nats.entries()) expect(Math.abs(nat + (wanted[c] as number))).toBeLessThan(1e-9 * Math.max(1, -nat));
      const all = new Float64Array(levels);
      mixture.logProbs(parameters, labels.slice(0, -1), all);
      expect(all.reduce((sum, nat) => sum + Math.exp(nat), 0)).toBeCloseTo(1, 9);
    });
  });

  it('computes all levels at once bit for bit as one by one, however narrow or wide', () =>
    forAll(
      [fc.constantFrom(1, 3), fc.constantFrom(2, 3, 17, 256, 1000), fc.constantFrom(0.1, 2, 8, 40), fc.nat()],
      { numRuns: 50, seed: 3 },
      (imageChannels, levels, spread, seed) => {
        const mixture = mixtureOfLogistics({ imageChannels, levels, components: 3 });
        const parameters = parametersOf(mixture.numParameters, seed, spread);
        const earlier = imageChannels === 1 ? [] : [seed % levels, (3 * seed) % levels];
        const all = new Float64Array(levels);
        mixture.logProbs(parameters, earlier, all);
        for (const [level, nat] of all.entries()) {
          const one = mixture.logProb?.(parameters, earlier, level);
          if (!Object.is(one, nat)) expect({ level, nat: one }).toEqual({ level, nat });
        }
      },
    ));

  it('has probabilities that sum to 1 even if earlier channels are practically impossible', () => {
    // Means of 1e6 and 1e30 at scale e^-7: the first channel's level has a log p of -1e9 and -1e33, beside which those of
    // the second, of about -1, would lose their digits.
    for (const mean of [1e6, 1e30]) {
      const sizes = { imageChannels: 2, components: 2 };
      const { means, logScales } = parameterOffsets(sizes);
      const parameters = new Float32Array(numParameters(sizes));
      parameters.set([mean, mean], means[0]);
      parameters.set([-7, -7], logScales[0]);
      parameters.set([-0.5, 0.5], means[1]);
      parameters.set([-1, -2], logScales[1]);
      const mixture = mixtureOfLogistics({ ...sizes, levels: 16 });
      const all = new Float64Array(16);
      mixture.logProbs(parameters, [3], all);
      expect(all.reduce((sum, nat) => sum + Math.exp(nat), 0)).toBeCloseTo(1, 9);
      expect(mixture.levelAt?.(parameters, [3], 0.001)).toBeLessThan(8);
      expect(mixture.levelAt?.(parameters, [3], 0.999)).toBeGreaterThan(8);
    }
  });

  it('returns finite numbers for any log scale, even if a level is narrower than any number', () => {
    // log of the density at the middle, 1 / 4 s, times the width 2 / (L - 1); the edge has half of the mass
    const mixture = mixtureOfLogistics({ imageChannels: 1, levels: 256, components: 1 });
    for (const logScale of [700, 1e4, 1e30]) {
      const parameters = Float32Array.of(0, 0, logScale);
      const wanted = Math.log(1 / 4) + Math.log(2 / 255) - (parameters[2] as number);
      expect((mixture.logProb?.(parameters, [], 100) as number) / wanted).toBeCloseTo(1, 12);
      expect(mixture.logProb?.(parameters, [], 255)).toBeCloseTo(-Math.LN2, 9);
    }
  });

  it('draws the first level whose cumulative probability exceeds u', () =>
    forAll(
      [fc.constantFrom(1, 3), fc.constantFrom(2, 3, 256), fc.constantFrom(0.5, 4), fc.nat()],
      { numRuns: 25, seed: 2 },
      (imageChannels, levels, spread, seed) => {
        const mixture = mixtureOfLogistics({ imageChannels, levels, components: 3 });
        const parameters = parametersOf(mixture.numParameters, seed, spread);
        const earlier = imageChannels === 1 ? [] : [seed % levels];
        const all = new Float64Array(levels);
        mixture.logProbs(parameters, earlier, all);
        let below = 0;
        for (const [level, nat] of all.entries()) {
          const above = below + Math.exp(nat);
          const middle = (below + above) / 2;
          if (above - below > 1e-8) expect(mixture.levelAt?.(parameters, earlier, middle)).toBe(level);
          below = above;
        }
        expect(mixture.levelAt?.(parameters, earlier, 0)).toBeGreaterThanOrEqual(0);
      },
    ));

  it('draws no level that is as good as impossible, by uniforms next to 0 and 1', () => {
    const mixture = mixtureOfLogistics({ imageChannels: 1, levels: 256, components: 3 });
    for (let seed = 0; seed < 20; seed++) {
      const logits = parametersOf(3, seed, 2); // whose weights sum to somewhat more or less than 1
      const at = (mean: number) => Float32Array.of(...logits, mean, mean, mean, -7, -7, -7);
      expect(mixture.levelAt?.(at(1), [], 0)).toBeGreaterThan(128);
      expect(mixture.levelAt?.(at(-1), [], 1 - 2 ** -53)).toBeLessThan(128);
    }
  });

  it('reads parameters first for their own channel, and weights for the first', () => {
    const mixture = mixtureOfLogistics({ imageChannels: 3, levels: 4, components: 1 });
    const channels = Array.from({ length: 10 }, (_, parameter) => channelOf(mixture, parameter));
    expect(channels).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 2]); // logit; R: mean, scale, G on R; G: mean, scale, B on R; B: …, B on G
  });
});
