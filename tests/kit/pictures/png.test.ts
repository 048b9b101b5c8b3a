import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { gridPng, smallestPng } from '../../../kit/pictures/png.mjs';
import { readPng } from '../../support/read-png';

describe('a grid of RGB images', () => {
  // Two images of 1x2 pixels with levels 0 to 2, side by side; the first pixel of the second image is given.
  const grid = { images: [0, 1, 2, 2, 2, 2, 1, 1, 0, 0, 0, 0], imageShape: [1, 2, 3], levels: 3, columns: 2, scale: 3, gap: 4 };
  const gap = [203, 208, 216];
  const blue = [20, 62, 140];

  it('shows the levels as they are', () => {
    const { width, height, at } = readPng(gridPng(grid));
    expect([width, height]).toEqual([4 + 2 * (2 * 3 + 4), 4 + 3 + 4]);
    expect(at(4, 4)).toEqual([0, 128, 255]);
    expect(at(9, 6)).toEqual([255, 255, 255]);
    expect(at(14, 4)).toEqual([128, 128, 0]);
    expect(at(19, 6)).toEqual([0, 0, 0]);
    expect([at(3, 4), at(10, 5), at(13, 5), at(5, 3), at(5, 7)]).toEqual(Array(5).fill(gap));
  });

  it('draws a line round given pixels, in the gap only', () => {
    const known = [0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0];
    const plain = readPng(gridPng(grid));
    const { width, height, at } = readPng(gridPng({ ...grid, known }));
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        // The given pixel is at 14..16, 4..6; the one at its right covers the line there.
        const isLine = x >= 12 && x <= 18 && y >= 2 && y <= 8 && !(x >= 14 && x <= 19 && y >= 4 && y <= 6);
        expect(at(x, y), `${x},${y}`).toEqual(isLine ? blue : plain.at(x, y));
      }
    }
  });

  it('has no room for a line without gaps', () => {
    const known = new Array(12).fill(1);
    expect(gridPng({ ...grid, known, gap: 0 }).equals(gridPng({ ...grid, gap: 0 }))).toBe(true);
  });

  it('refuses other channels', () => {
    expect(() => gridPng({ ...grid, imageShape: [1, 3, 2] })).toThrow('wanted 1 channel or 3, got 2');
  });
});

it('a grid of gray images is ink on paper, and sets given pixels apart', () => {
  // Three images of 1x2 pixels in two columns; levels 0 and 2 of three are paper and ink, 1 halfway.
  const images = { images: [0, 2, 1, 0, 2, 2], known: [0, 0, 0, 0, 1, 0], imageShape: [1, 2], levels: 3 };
  const { width, height, at } = readPng(gridPng({ ...images, columns: 2, scale: 3, gap: 2 }));
  expect([width, height]).toEqual([2 + 2 * (2 * 3 + 2), 2 + 2 * (1 * 3 + 2)]); // the first gap, then two images with a gap each
  const [gap, paper, ink] = [at(0, 0), [255, 255, 255], [24, 24, 32]];
  const halfway = [140, 140, 144]; // (255 + 24) / 2, rounded up, and (255 + 32) / 2
  const rows = {
    0: [gap, gap, gap, gap],
    2: [paper, ink, halfway, paper],
    4: [paper, ink, halfway, paper],
    7: [[20, 62, 140], ink, gap, gap],
  };
  for (const [y, colours] of Object.entries(rows)) {
    // From the first to the last column of each pixel, and no further.
    for (const [i, first] of [2, 5, 10, 13].entries()) for (const x of [first, first + 2]) expect(at(x, Number(y))).toEqual(colours[i]);
    for (const x of [0, 1, 8, 9, 16, 17]) expect(at(x, Number(y))).toEqual(gap);
  }
});

describe('a grid of images with a palette', () => {
  const palette = Uint8Array.of(1, 2, 3, 40, 50, 60);
  const grid = { images: [1, 0], imageShape: [1, 2, 1], levels: 2, palette, columns: 1, scale: 3, gap: 4 };

  it('shows its colours, and a line round given pixels', () => {
    const plain = readPng(gridPng(grid));
    const marked = readPng(gridPng({ ...grid, known: [1, 0] }));
    for (const { at } of [plain, marked]) {
      expect(at(5, 5)).toEqual([40, 50, 60]);
      expect(at(8, 5)).toEqual([1, 2, 3]);
    }
    expect(plain.at(3, 5)).toEqual([203, 208, 216]);
    expect(marked.at(3, 5)).toEqual([20, 62, 140]);
  });
});

describe('the smallest PNG', () => {
  it.each([1, 3])('holds the levels of all images and no more, with %i channels', (channels) => {
    const [height, width, count] = [2, 3, 3];
    const size = height * width * channels;
    const images = Uint8Array.from({ length: count * size }, (_, i) => (i * 7) % 17);
    const png = smallestPng({ images, imageShape: [height, width, channels] });
    const { at, ...all } = readPng(png);
    expect(all).toMatchObject({ width: 2 * width, height: 2 * height }); // two by two places for three images
    expect([png[24], png[25]]).toEqual([8, channels === 1 ? 0 : 2]); // bits of a value; gray or RGB
    for (let image = 0; image < 4; image++) {
      for (let pixel = 0; pixel < height * width; pixel++) {
        const x = (image % 2) * width + (pixel % width);
        const y = Math.floor(image / 2) * height + Math.floor(pixel / width);
        const [first, second, third] = [0, 1, 2].map((c) => images[image * size + pixel * channels + c] ?? 0);
        expect(at(x, y)).toEqual(channels === 1 ? [first, first, first] : [first, second, third]);
      }
    }
  });

  it.each([1, 3])('holds levels beyond a byte as 16 bits, with %i channels', (channels) => {
    const images = Uint16Array.from({ length: 2 * 2 * 3 * channels }, (_, i) => (i * 7919) % 65536);
    const png = smallestPng({ images, imageShape: [2, 3, channels] }); // two images side by side
    expect([png[24], png[25]]).toEqual([16, channels === 1 ? 0 : 2]); // bits of a value; gray or RGB
    const { width, data } = PNG.sync.read(png, { skipRescale: true });
    const values = data as ArrayLike<number>; // 16 bits each: red, green, blue and alpha
    for (let i = 0; i < 12; i++) {
      const [image, row, column] = [Math.floor(i / 6), Math.floor(i / 3) % 2, i % 3];
      const at = 4 * (row * width + 3 * image + column);
      const found = [values[at], values[at + 1], values[at + 2]];
      const [first, second, third] = [0, 1, 2].map((c) => images[i * channels + c]);
      expect(found).toEqual(channels === 1 ? [first, first, first] : [first, second, third]);
    }
  });
});
