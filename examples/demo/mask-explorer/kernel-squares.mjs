import { getMask } from 'pixelcnn-layers/runtime';

/**
 * What a mask is made of.
 *
 * @typedef {object} MaskChoice
 * @property {number} kernelSize
 * @property {'A' | 'B'} maskType
 * @property {boolean} vertical
 * @property {number} imageChannels
 * @property {number} features of each channel, coming in and going out
 */

/**
 * One weight of a kernel. Rows and columns count from the centre: row -1 is the one above.
 *
 * @typedef {object} Square
 * @property {number} row
 * @property {number} column
 * @property {number} from feature looked at
 * @property {number} to feature computed
 * @property {boolean} isUsed
 */

/**
 * The kernel from each feature looked at to each feature computed.
 *
 * @param {MaskChoice} choice
 * @returns {Square[][][][]} [from][to][row][column]
 */
export function kernelSquares({ kernelSize, maskType, vertical, imageChannels, features }) {
  const total = features * imageChannels;
  const { values } = getMask({
    kernelSize,
    featuresIn: total,
    featuresOut: total,
    maskType,
    imageChannels,
    vertical,
  });
  const range = (n) => Array.from({ length: n }, (_, i) => i);
  const centre = kernelSize >> 1;
  const square = (from, to, y, x) => ({
    row: y - centre,
    column: x - centre,
    from,
    to,
    isUsed: values[((y * kernelSize + x) * total + from) * total + to] === 1,
  });
  return range(total).map((from) =>
    range(total).map((to) =>
      range(kernelSize).map((y) => range(kernelSize).map((x) => square(from, to, y, x))),
    ),
  );
}
