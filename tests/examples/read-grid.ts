import { readFile } from 'node:fs/promises';
import { readPng } from '../support/read-png';

/** The colour of each pixel of each digit, 8x8, in a grid, row by row, as `gridPng` places them: pixels of side 10, gaps of 8. */
export async function readGrid(file: string) {
  const { width, height, at } = readPng(await readFile(file));
  const [columns, rows] = [(width - 8) / 88, (height - 8) / 88];
  const colours = Array.from({ length: rows * columns }, (_, n) =>
    Array.from({ length: 64 }, (_, pixel) => {
      const x = 8 + 88 * (n % columns) + 10 * (pixel % 8);
      const y = 8 + 88 * Math.floor(n / columns) + 10 * Math.floor(pixel / 8);
      return at(x, y) as [number, number, number];
    }),
  );
  return { columns, rows, colours };
}
