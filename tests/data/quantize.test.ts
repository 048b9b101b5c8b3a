import fc from 'fast-check';
import { imageSet, quantize } from 'pixelcnn-layers/data';
import { describe, expect, it } from 'vitest';
import { forAll, sampled } from '../support/runs';

describe('quantize', () => {
  it('is floor(v * to / from), in integers, for every value of every pair of levels', () => {
    for (const from of sampled(255, 50).map((i) => 256 - i)) {
      const images = imageSet({ data: Uint8Array.from({ length: from }, (_, v) => v), shape: [1, 1, from, 1], levels: from });
      for (let to = 2; to <= from; to++) {
        const { data, levels } = quantize(images, to);
        let wrong = levels === to ? 0 : 1;
        for (let v = 0; v < from; v++) if (data[v] !== (v * to - ((v * to) % from)) / from) wrong++;
        if (wrong > 0) expect([from, to, wrong]).toEqual([from, to, 0]);
      }
    }
  });

  it('works for codes of 16 bits, and returns bytes for at most 256 levels', () => {
    for (const from of [257, 300, 65536]) {
      const data = Uint16Array.from({ length: from }, (_, v) => v);
      const images = imageSet({ data, shape: [1, 1, from, 1], levels: from });
      for (const to of [2, 3, 255, 256, 257, from - 1, from]) {
        const coarse = quantize(images, to);
        expect(coarse.levels).toBe(to);
        expect(coarse.data).toBeInstanceOf(to <= 256 ? Uint8Array : Uint16Array);
        const wrong = data.filter((v) => coarse.data[v] !== (v * to - ((v * to) % from)) / from);
        expect([from, to, wrong.length]).toEqual([from, to, 0]);
        expect(imageSet(coarse).data).toBe(coarse.data); // checks every value
      }
    }
  });

  it('returns a new set with the same shape and labels, and does not change its input', () => {
    const sets = fc
      .tuple(fc.integer({ min: 2, max: 256 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }))
      .chain(([levels, n, c]) => {
        const data = fc.uint8Array({ minLength: n * c * 6, maxLength: n * c * 6, max: levels - 1 });
        return fc.tuple(data, fc.constant({ n, c, levels }), fc.integer({ min: 2, max: levels }));
      });
    forAll([sets], { numRuns: 30, seed: 1 }, ([data, { n, c, levels }, to]) => {
      const before = Uint8Array.from(data);
      const images = imageSet({ data, shape: [n, 2, 3, c], levels, labels: new Uint8Array(n).fill(5) });
      const coarse = imageSet(quantize(images, to)); // checks every value
      expect(coarse.shape).toEqual(images.shape);
      expect(coarse.labels).toEqual(images.labels);
      expect(data).toEqual(before);
      if (to === levels) expect(coarse).toEqual(images);
    });
  });

  it('refuses more levels than the images have, and invalid sets', () => {
    const images = imageSet({ data: Uint8Array.of(3), shape: [1, 1, 1, 1], levels: 4 });
    for (const bad of [5, 1, 2.5])
      expect(() => quantize(images, bad)).toThrow(`quantize: levels: wanted an integer from 2 to 4, got ${bad}`);
    expect(() => quantize({ ...images, levels: 3 }, 2)).toThrow('quantize: images: data: wanted integer levels');
  });
});
