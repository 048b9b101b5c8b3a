import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { levelsOfPng, pngOfLevels } from '../../../kit/pictures/png-levels.mjs';

const pixelsOf = (png: Uint8Array) => [...PNG.sync.read(png).data].filter((_, i) => i % 4 < 3);

describe('a PNG of levels', () => {
  const data = Uint8Array.of(2, 0, 1, 2);

  it('has the colours of the palette, and gives the levels back', () => {
    const colours = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
    const png = pngOfLevels(data, [2, 2, 1], 3, colours);
    expect(png[25]).toBe(2); // RGB
    expect(pixelsOf(png)).toEqual([7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(levelsOfPng(png, 1, 3, colours)).toEqual({ shape: [2, 2, 1], data });
    const greys = Uint8Array.of(9, 3, 200);
    const grey = pngOfLevels(data, [2, 2, 1], 3, greys);
    expect(grey[25]).toBe(0);
    expect(pixelsOf(grey).filter((_, i) => i % 3 === 0)).toEqual([200, 9, 3, 200]);
    expect(levelsOfPng(grey, 1, 3, greys)).toEqual({ shape: [2, 2, 1], data });
    const rgb = Uint8Array.of(0, 1, 2, 2, 1, 0);
    expect(levelsOfPng(pngOfLevels(rgb, [1, 2, 3], 3, greys), 3, 3, greys)).toEqual({ shape: [1, 2, 3], data: rgb });
  });

  it('has more levels than a byte, with a palette of as many colours', () => {
    const palette = Uint8Array.from({ length: 900 }, (_, i) => (i % 3 === 0 ? Math.floor(i / 3) % 256 : Math.floor(i / 768)));
    const levels = Uint16Array.of(299, 0, 256, 43);
    expect(levelsOfPng(pngOfLevels(levels, [2, 2, 1], 300, palette), 1, 300, palette)).toEqual({ shape: [2, 2, 1], data: levels });
  });

  it('is read as the lowest of levels that look alike', () => {
    const palette = Uint8Array.of(5, 5, 5, 1, 1, 1, 5, 5, 5);
    const png = pngOfLevels(data, [2, 2, 1], 3, palette);
    const read = levelsOfPng(png, 1, 3, palette);
    expect([...read.data]).toEqual([0, 0, 1, 0]);
    expect(pngOfLevels(read.data, [2, 2, 1], 3, palette).equals(png)).toBe(true);
  });

  it('is refused where a colour is not in the palette, and named', () => {
    const colours = Uint8Array.of(0, 0, 0, 255, 255, 255);
    const png = pngOfLevels(Uint8Array.of(0, 1, 0, 1, 0, 255), [1, 2, 3], 256);
    const refusal = 'wanted colours of the palette (#000000, #ffffff), got #000100 in row 0, column 0';
    expect(() => levelsOfPng(png, 1, 2, colours)).toThrow(refusal);
    expect(() => levelsOfPng(png, 1, 2, Uint8Array.of(3, 4))).toThrow('wanted grey, got 0, 1, 0 in row 0, column 0');
    const grey = pngOfLevels(Uint8Array.of(9), [1, 1, 1], 256);
    expect(() => levelsOfPng(grey, 1, 2, Uint8Array.of(3, 4))).toThrow('wanted intensities of 2 levels (3, 4), got 9');
  });
});
