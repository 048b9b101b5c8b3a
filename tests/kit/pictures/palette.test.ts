import fc from 'fast-check';
import { type ImageSet, imageSet } from 'pixelcnn-layers/data';
import { describe, expect, it } from 'vitest';
import { fromPalette, lossOf, nearestLevel, paletteOfText, textOfPalette, toPalette } from '../../../kit/pictures/palette.mjs';
import { forAll } from '../../support/runs';

const rgb = (data: Uint8Array): ImageSet => imageSet({ data, shape: [data.length / 12, 2, 2, 3], levels: 256 }); // [N*12] -> [N,2,2,3]

/** Images, and palettes of few values, so that there are ties and equal colours. */
const values = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 1, 2, 100));
const bytes = (colours: { min: number; max: number }, multiple: number) =>
  fc
    .integer(colours)
    .chain((count) => fc.uint8Array({ minLength: multiple * count, maxLength: multiple * count }))
    .chain((all) => fc.tuple(fc.constant(all), fc.array(values, { minLength: all.length, maxLength: all.length })))
    .map(([all, few]) => all.map((value, i) => few[i] ?? value));

describe('toPalette', () => {
  it('gives each pixel the lowest level among those of the nearest colours', () => {
    const given = fc.tuple(bytes({ min: 1, max: 3 }, 12), bytes({ min: 2, max: 300 }, 3));
    forAll([given], { numRuns: 30, seed: 1 }, ([data, palette]) => {
      const { shape, levels, data: found } = toPalette(rgb(data), palette);
      expect([...shape, levels]).toEqual([data.length / 12, 2, 2, 1, palette.length / 3]);
      expect(found.BYTES_PER_ELEMENT).toBe(levels <= 256 ? 1 : 2);
      for (const [pixel, level] of found.entries()) {
        const distances = Array.from({ length: levels }, (_, one) =>
          [0, 1, 2].reduce((sum, i) => sum + ((palette[3 * one + i] ?? 0) - (data[3 * pixel + i] ?? 0)) ** 2, 0),
        );
        expect(level).toBe(distances.indexOf(Math.min(...distances)));
      }
    });
  });

  it('keeps levels there and back, where no two colours are alike', () => {
    const palettes = fc
      .uniqueArray(fc.integer({ min: 0, max: 2 ** 24 - 1 }), { minLength: 2, maxLength: 300 })
      .map((colours) => Uint8Array.from(colours.flatMap((one) => [one >> 16, (one >> 8) & 255, one & 255])));
    const picks = fc.array(fc.nat(), { minLength: 8, maxLength: 8 });
    forAll([palettes, picks], { numRuns: 15, seed: 2 }, (palette, picks) => {
      const levels = palette.length / 3;
      const data = (levels <= 256 ? Uint8Array : Uint16Array).from(picks.map((pick) => pick % levels));
      const images = imageSet({ data, shape: [2, 2, 2, 1], levels, labels: Uint8Array.of(3, 4) });
      const colours = fromPalette(images, palette);
      expect(colours.shape).toEqual([2, 2, 2, 3]);
      expect(toPalette(colours, palette)).toEqual(images);
      expect(lossOf(colours, palette)).toEqual({ mse: 0, psnr: Number.POSITIVE_INFINITY });
      expect(paletteOfText('palette', textOfPalette(palette))).toEqual(palette);
    });
  });

  it('says what is thrown away', () => {
    const palette = Uint8Array.of(0, 0, 0, 10, 20, 30);
    // Of 12 values, three are off by 1, 2 and 2: (1 + 4 + 4) / 12.
    const data = Uint8Array.of(0, 0, 0, 10, 20, 30, 11, 18, 32, 0, 0, 0);
    const { mse, psnr } = lossOf(rgb(data), palette);
    expect(mse).toBe(0.75);
    expect(psnr).toBeCloseTo(10 * Math.log10(65_025 / 0.75), 10);
  });
});

it('the nearest level of equally near ones is the lowest', () => {
  expect(nearestLevel(Uint8Array.of(9, 9, 9, 0, 0, 2, 2, 0, 0, 0, 2, 0), [0, 0, 0])).toBe(1);
});

describe('refuses by name', () => {
  const images = rgb(new Uint8Array(12));
  const two = new Uint8Array(6);

  it.each([
    ['grey images', { ...images, shape: [12, 1, 1, 1] }, '[N,H,W,3] of 256 levels, got [12,1,1,1] of 256'],
    ['images of 16 levels', { ...images, levels: 16 }, 'of 256 levels, got [1,2,2,3] of 16'],
    ['too few values', { ...images, data: new Uint8Array(11) }, 'toPalette: wanted RGB images'],
  ])('%s', (_, given, message) => {
    expect(() => toPalette(given as ImageSet, two)).toThrow(message);
  });

  it.each([
    ['one colour', new Uint8Array(3), 'got 3'],
    ['too many colours', new Uint8Array(3 * 65_537), '2 to 65536 levels'],
  ])('as a palette %s', (_, palette, message) => {
    for (const [name, convert] of Object.entries({ toPalette, fromPalette })) {
      const call = () => convert(images, palette as Uint8Array);
      expect(call).toThrow(`${name}: palette: wanted a Uint8Array of 3 bytes for each of`);
      expect(call).toThrow(message);
    }
  });

  it('levels that are not of the palette', () => {
    const levels = { data: Uint8Array.of(0, 2), shape: [2, 1, 1, 1], levels: 2 } as unknown as ImageSet;
    expect(() => fromPalette(levels, two)).toThrow('fromPalette: wanted levels 0 to 1, got 2');
    expect(() => fromPalette({ ...levels, levels: 3 }, two)).toThrow('wanted images [N,H,W,1] of 2 levels, got [2,1,1,1] of 3');
    expect(() => fromPalette(images, two)).toThrow('of 2 levels, got [1,2,2,3] of 256');
  });

  it.each([5, null, '00', '0000000', 'zzzzzzffffff', 'FFFFFF000000', '000000'])('the text %j', (text) => {
    expect(() => paletteOfText('run.json: palette', text)).toThrow(/^run\.json: palette: /);
  });
});
