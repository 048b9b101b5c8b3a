import { PNG } from 'pngjs';

/** A PNG by its pixels: the colour of one as [red, green, blue], and as #rrggbb. */
export function readPng(png: Buffer) {
  const { width, height, data } = PNG.sync.read(png);
  const at = (x: number, y: number) => [...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 3)];
  return { width, height, at, hexAt: (x: number, y: number) => `#${Buffer.from(at(x, y)).toString('hex')}` };
}
