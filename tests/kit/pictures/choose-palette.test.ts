import { type ImageSet, imageSet } from 'pixelcnn-layers/data';
import { beforeAll, describe, expect, it } from 'vitest';
import { readDataset } from '../../../kit/data/datasets.mjs';
import { pickImages } from '../../../kit/data/pick-images.mjs';
import { choosePalette } from '../../../kit/pictures/choose-palette.mjs';
import { lossOf } from '../../../kit/pictures/palette.mjs';

let emoji: ImageSet;
beforeAll(async () => {
  const { train } = await readDataset('emoji');
  const places = Array.from({ length: 20 }, (_, i) => 80 * i);
  emoji = pickImages(train, places); // [20,16,16,3]
});

/** The colours of a palette, each as a number. */
const coloursOf = (palette: Uint8Array) => Array.from({ length: palette.length / 3 }, (_, i) => Buffer.from(palette).readUIntBE(3 * i, 3));

describe('choosePalette', () => {
  it('gives the same colours for the same seed, and others for another', () => {
    const palette = choosePalette(emoji, 16);
    expect(palette).toHaveLength(48);
    expect(choosePalette(emoji, 16, { seed: 1 })).toEqual(palette);
    expect(choosePalette(emoji, 16, { seed: 2 })).not.toEqual(palette);
  });

  it('goes from dark to light, and has each colour once', () => {
    const palette = choosePalette(emoji, 64);
    const lightness = Array.from({ length: 64 }, (_, level) =>
      [299, 587, 114].reduce((sum, weight, i) => sum + weight * (palette[3 * level + i] ?? 0), 0),
    );
    expect(lightness).toEqual([...lightness].sort((a, b) => a - b));
    expect(new Set(coloursOf(palette)).size).toBe(64);
  });

  it('throws away less with more colours, and less than as many greys and primaries', () => {
    const errors = [4, 16, 64].map((levels) => lossOf(emoji, choosePalette(emoji, levels)).mse);
    expect(errors).toEqual([...errors].sort((a, b) => b - a));
    const cube = Uint8Array.from({ length: 64 * 3 }, (_, i) => 85 * (Math.floor(i / 3 / 4 ** (i % 3)) % 4)); // 4 intensities a channel
    expect(errors[2]).toBeLessThan(lossOf(emoji, cube).mse / 4);
  });

  it('finds clusters', () => {
    const centres = [0, 0, 0, 100, 0, 0, 0, 200, 0, 0, 0, 250];
    const data = Uint8Array.from({ length: 1200 }, (_, i) => (centres[i % 12] ?? 0) + (Math.floor(i / 12) % 5)); // 5 of each, 2 apart at most
    const palette = choosePalette(imageSet({ data, shape: [4, 10, 10, 3], levels: 256 }), 4);
    expect(coloursOf(palette).sort()).toEqual(coloursOf(Uint8Array.from(centres, (value) => value + 2)).sort());
  });

  it('has exactly the colours of images that have no more', () => {
    const data = Uint8Array.from({ length: 48 }, (_, i) => [1, 2, 3, 200, 100, 0, 9, 9, 9, 1, 2, 3][i % 12] ?? 0);
    const few = imageSet({ data, shape: [4, 2, 2, 3], levels: 256 });
    expect([...choosePalette(few, 3)]).toEqual([1, 2, 3, 9, 9, 9, 200, 100, 0]);
    expect(() => choosePalette(few, 4)).toThrow('--palette: wanted at most 3, the colours of the images, got 4');
  });

  it('refuses other images and numbers of levels by name', () => {
    const grey = imageSet({ data: new Uint8Array(4), shape: [1, 2, 2, 1], levels: 256 });
    expect(() => choosePalette(grey, 2)).toThrow('choosePalette: wanted RGB images [N,H,W,3] of 256 levels, got [1,2,2,1]');
    for (const levels of [1, 2.5, 4097, '8' as never])
      expect(() => choosePalette(emoji, levels)).toThrow(`choosePalette: levels: wanted 2 to 4096, got ${levels}`);
  });
});
