import { turned } from '../../kit/models/turned.mjs';

/**
 * From which side to which a model draws in other orders than row by row from the top, so that all kept pixels come first.
 *
 * @param {Uint8Array} known 1 for each pixel that is kept, row by row
 * @param {number} side of the image, a square
 * @param {number[]} orders the orientations, by number, in which it may draw
 * @returns {string[]} none where from top to bottom would do, or nothing does
 */
export function directionsFor(known, side, orders) {
  const isFirst = (order) => {
    const { data } = turned({ data: known, shape: [1, side, side, 1] }, order);
    return data.lastIndexOf(1) < data.indexOf(0);
  };
  if (isFirst(0)) return [];
  const found = orders.filter(isFirst).flatMap((order) => DIRECTIONS[((order >> 1) & 2) | (order & 1)]);
  return [...new Set(found)];
}

/** By whether images are transposed, and then whether their rows are flipped. */
const DIRECTIONS = ['from top to bottom', 'from bottom to top', 'from left to right', 'from right to left'];
