import { picture } from 'pixelcnn-layers/runtime';
import { describe, expect, it } from 'vitest';
import { errorOf } from '../../support/errors';

const CLEAR = [0, 0, 0, 0];
const grey = (value: number) => [value, value, value, 255];
const colours = (...of: number[]) => [of.slice(0, 3), of.slice(3)].map((one) => [...one, 255]);
/** The pixels of a sheet, row by row. */
function rowsOf({ data, width, height }: ReturnType<typeof picture>): number[][][] {
  const pixel = (i: number) => Array.from(data.slice(4 * i, 4 * i + 4));
  return Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => pixel(y * width + x)));
}

describe('picture', () => {
  it('shows intensities from black to white, images side by side with transparent gaps, and row by row', () => {
    const images = { data: Uint8Array.of(0, 1, 2, 3, 4, 5), shape: [3, 1, 2, 1] as [number, number, number, number] };
    const [a, b, c, d, e, f] = [0, 51, 102, 153, 204, 255].map(grey);
    const sheet = picture(images, { levels: 6 }, { columns: 2 });
    expect(rowsOf(sheet)).toEqual([
      [a, b, CLEAR, c, d],
      [CLEAR, CLEAR, CLEAR, CLEAR, CLEAR],
      [e, f, CLEAR, CLEAR, CLEAR],
    ]);
  });

  it('enlarges pixels to squares, with gaps of any width', () => {
    const images = { data: Uint8Array.of(0, 1, 1, 0), shape: [2, 1, 2, 1] as [number, number, number, number] };
    const [black, white] = [grey(0), grey(255)];
    const row = [black, black, white, white, white, white, black, black];
    expect(rowsOf(picture(images, { levels: 2 }, { columns: 2, scale: 2, gap: 0 }))).toEqual([row, row]);
  });

  it.each([
    ['a colour for each level', Uint8Array.of(9, 8, 7, 6, 5, 4), [0, 1], 1, colours(9, 8, 7, 6, 5, 4)],
    ['a grey for each level', Uint8Array.of(9, 200), [1, 0], 1, [grey(200), grey(9)]],
    ['a grey for each level of three channels', Uint8Array.of(9, 200), [1, 0, 0, 0, 1, 1], 3, colours(200, 9, 9, 9, 200, 200)],
    ['intensities of three channels', undefined, [1, 0, 1, 0, 0, 1], 3, colours(255, 0, 255, 0, 0, 255)],
  ])('takes %s', (_, palette, levels, channels, pixels) => {
    const images = { data: Uint8Array.from(levels), shape: [1, 1, 2, channels] as [number, number, number, number] };
    expect(rowsOf(picture(images, { levels: 2, palette }))).toEqual([pixels]);
  });

  it('makes a sheet that is nearly square, and no wider than its images', () => {
    const sheet = (count: number, height: number, width: number) => {
      const shape: [number, number, number, number] = [count, height, width, 1];
      return picture({ data: new Uint8Array(count * height * width), shape }, { levels: 2 }, { gap: 0 });
    };
    expect(sheet(9, 4, 4)).toMatchObject({ width: 12, height: 12 });
    expect(sheet(8, 2, 8)).toMatchObject({ width: 16, height: 8 });
    expect(picture({ data: new Uint8Array(4), shape: [1, 2, 2, 1] }, { levels: 2 }, { columns: 9 })).toMatchObject({ width: 2, height: 2 });
  });

  const images = { data: Uint8Array.of(0, 2), shape: [1, 1, 2, 1] as [number, number, number, number] };
  it.each<[string, () => unknown]>([
    ['picture: images: wanted integer levels 0 to 1, got 2', () => picture(images, { levels: 2 })],
    ['picture: model: wanted a model, a set of images or { levels, palette }, got undefined', () => picture(images, undefined as never)],
    ['picture: model: levels: wanted an integer', () => picture(images, {} as never)],
    [
      'picture: model: palette: wanted 1 or 3 bytes for each of 3 levels, got 4',
      () => picture(images, { levels: 3, palette: new Uint8Array(4) }),
    ],
    ['picture: images: wanted images of 1 or 3 channels, got 2', () => picture({ ...images, shape: [1, 1, 1, 2] }, { levels: 3 })],
    [
      'picture: model: palette: wanted a grey for each level, for images of 3 channels, got 9',
      () => picture({ data: new Uint8Array(3), shape: [1, 1, 1, 3] }, { levels: 3, palette: new Uint8Array(9) }),
    ],
    ['picture: scale: wanted an integer of at least 1, got 0.5', () => picture(images, { levels: 3 }, { scale: 0.5 })],
  ])('refuses: %s', (message, draw) => {
    expect(draw).toThrow(errorOf(TypeError, message));
  });
});
