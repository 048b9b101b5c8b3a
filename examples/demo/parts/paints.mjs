import { isInkOnPaper, levelsOf } from './pictures.mjs';

const GREYS = [
  ['paper', 0],
  ['light grey', 0.25],
  ['grey', 0.5],
  ['dark grey', 0.75],
  ['ink', 1],
];
const COLOURS = [
  ['white', [255, 255, 255]],
  ['black', [16, 16, 16]],
  ['red', [239, 66, 58]],
  ['orange', [255, 156, 33]],
  ['yellow', [255, 214, 58]],
  ['green', [82, 181, 66]],
  ['blue', [41, 132, 230]],
  ['brown', [123, 82, 66]],
];

/**
 * What can be painted with, by name, in levels of a kind of image, each once. The first is what a blank image is of: paper or white.
 *
 * @param {import('./pictures.mjs').Kind} kind
 * @returns {{ name: string, values: number[] }[]}
 */
export function paintsOf(kind) {
  if (isInkOnPaper(kind))
    return GREYS.map(([name, share]) => ({ name, values: [Math.round(share * (kind.levels - 1))] }));
  const paints = new Map(); // by their levels: to a small palette, two colours may be one
  for (const [name, rgb] of COLOURS) {
    const values = levelsOf(rgb, kind);
    if (!paints.has(String(values))) paints.set(String(values), { name, values });
  }
  return [...paints.values()];
}

/**
 * An image of nothing.
 *
 * @param {import('./pictures.mjs').Kind} kind
 * @returns {Uint8Array} levels
 */
export function blankOf(kind) {
  const [height, width, channels] = kind.shape;
  const [{ values }] = paintsOf(kind);
  return Uint8Array.from({ length: height * width * channels }, (_, i) => values[i % channels]);
}
