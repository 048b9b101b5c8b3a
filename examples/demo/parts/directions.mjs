import { turned } from '../../lib/turned.mjs';

/**
 * From which side to which a model of eight orientations draws, so that all kept pixels come first.
 *
 * @param {Uint8Array} known 1 for each pixel that is kept, row by row
 * @param {number} side of the image, a square
 * @returns {string[]} none where from top to bottom would do, or nothing does
 */
export function directionsFor(known, side) {
  const doFor = Array.from({ length: 8 }, (_, element) => {
    const { data } = turned({ data: known, shape: [1, side, side, 1] }, element);
    return data.lastIndexOf(1) < data.indexOf(0);
  });
  if (doFor[0]) return [];
  const found = doFor.flatMap((does, element) =>
    does ? DIRECTIONS[((element >> 1) & 2) | (element & 1)] : [],
  );
  return [...new Set(found)];
}

/** By whether images are transposed, and then whether their rows are flipped. */
const DIRECTIONS = ['from top to bottom', 'from bottom to top', 'from left to right', 'from right to left'];
