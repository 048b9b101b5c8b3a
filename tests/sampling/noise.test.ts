import { describe, expect, it } from 'vitest';
import { customNoise, seededNoise } from '../../src/sampling/noise';

const take = (noise: ReturnType<typeof seededNoise>, images: number, places: number) =>
  Array.from({ length: places }, () => {
    const uniforms = new Float64Array(images);
    noise(uniforms);
    return Array.from(uniforms);
  });

describe('seededNoise', () => {
  it('gives an image the same stream however many are drawn with it', () => {
    const all = take(seededNoise(7, 0, 5), 5, 20);
    const part = take(seededNoise(7, 3, 2), 2, 20);
    expect(part).toEqual(all.map((row) => row.slice(3)));
    expect(take(seededNoise(7, 0, 5), 5, 20)).toEqual(all);
  });

  it('gives other images and other seeds other streams, uniform in [0, 1)', () => {
    const streams = [
      ...take(seededNoise(1, 0, 40), 40, 500),
      ...take(seededNoise(2, 0, 40), 40, 500), // [places][images]
    ].flat();
    expect(new Set(streams).size).toBe(streams.length);
    expect(streams.every((u) => u >= 0 && u < 1)).toBe(true);
    // ten bins of 4,000 expected: chi-square with 9 degrees of freedom exceeds 27.9 once in a thousand seeds
    const bins = new Array<number>(10).fill(0);
    for (const u of streams) bins[Math.floor(10 * u)] = (bins[Math.floor(10 * u)] as number) + 1;
    expect(bins.reduce((sum, n) => sum + (n - 4000) ** 2 / 4000, 0)).toBeLessThan(27.9);
  });
});

describe('customNoise', () => {
  it('calls the function image by image', () => {
    let count = 0;
    expect(take(customNoise(() => count++ / 8), 2, 3)).toEqual([[0, 1 / 8], [2 / 8, 3 / 8], [4 / 8, 5 / 8]]); // biome-ignore format: one line
  });

  it('refuses what is no uniform', () => {
    for (const bad of [1, -0.1, Number.NaN]) {
      const noise = customNoise(() => bad);
      expect(() => noise(new Float64Array(1))).toThrow(
        'sample: random: wanted a function that returns numbers in [0, 1)',
      );
    }
  });
});
