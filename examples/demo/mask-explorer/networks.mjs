import { getMask } from 'pixelcnn-layers/runtime';

/**
 * @typedef {object} Size
 * @property {number} height
 * @property {number} width
 * @property {number} channels
 */

/**
 * A convolution from the features of one stack to those of another.
 *
 * @typedef {object} Conv
 * @property {number} to
 * @property {number} from
 * @property {Tap[][]} taps for each channel computed, what is read
 */

/** @typedef {{ row: number, column: number, channel: number }} Tap place read, rows and columns counted from the current pixel */

/**
 * A network as far as it matters for what depends on what: its layers, from the image up. Stack 0 gives the output, and below the first layer it is the
 * image. Convolutions of 1x1 with mask B are left out: within a channel's group they add nothing.
 *
 * @typedef {object} Network
 * @property {string[]} stacks their names
 * @property {Conv[][]} layers
 * @property {number[]} radii how far the window after each layer reaches, in pixels
 */

/**
 * @typedef {object} NetworkChoice
 * @property {number} channels
 * @property {number} firstKernelSize
 * @property {number} numBlocks each of 3x3
 */

/**
 * One stack: a convolution with mask A, then blocks with mask B.
 *
 * @param {NetworkChoice} choice
 * @returns {Network}
 */
export function plainNetwork({ channels, firstKernelSize, numBlocks }) {
  const layer = (kernelSize, maskType) => [
    { to: 0, from: 0, taps: readTaps({ kernelSize, maskType, channels }) },
  ];
  return {
    stacks: ['the stack'],
    layers: [layer(firstKernelSize, 'A'), ...Array.from({ length: numBlocks }, () => layer(3, 'B'))],
    radii: radiiOf(firstKernelSize, numBlocks),
  };
}

/**
 * Two stacks: a horizontal one (0), which also takes in what the vertical one (1) computes at its pixel in the same layer.
 *
 * @param {NetworkChoice} choice
 * @returns {Network}
 */
export function gatedNetwork({ channels, firstKernelSize, numBlocks }) {
  const layer = (size, maskType) => {
    const row = readTaps({ kernelSize: [1, size], maskType, channels });
    const above = readTaps({ kernelSize: size, maskType, channels, vertical: true });
    const vertical = maskType === 'A' ? 0 : 1; // the first layer has one thing to read, the image
    return [
      { to: 0, from: 0, taps: row },
      { to: 0, from: vertical, taps: above },
      { to: 1, from: vertical, taps: above },
    ];
  };
  return {
    stacks: ['the horizontal stack', 'the vertical stack'],
    layers: [layer(firstKernelSize, 'A'), ...Array.from({ length: numBlocks }, () => layer(3, 'B'))],
    radii: radiiOf(firstKernelSize, numBlocks),
  };
}

function radiiOf(firstKernelSize, numBlocks) {
  return Array.from({ length: numBlocks + 1 }, (_, index) => (firstKernelSize >> 1) + index);
}

/** What a mask lets each channel read, straight up before sideways, so that the paths found are the straightest. */
function readTaps({ kernelSize, maskType, channels, vertical = false }) {
  const features = { featuresIn: channels, featuresOut: channels, imageChannels: channels };
  const { shape, values } = getMask({ kernelSize, maskType, vertical, ...features });
  const [rows, columns] = shape;
  const taps = Array.from({ length: channels }, () => []);
  values.forEach((value, index) => {
    if (value === 0) return;
    const computed = index % channels;
    const channel = Math.floor(index / channels) % channels;
    const place = Math.floor(index / channels / channels);
    const row = Math.floor(place / columns) - (rows >> 1);
    const column = (place % columns) - (columns >> 1);
    taps[computed].push({ row, column, channel });
  });
  for (const list of taps) list.sort((a, b) => Math.abs(a.column) - Math.abs(b.column) || a.row - b.row);
  return taps;
}
