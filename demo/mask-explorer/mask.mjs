import { getMask } from 'pixelcnn-layers/runtime';

/** @typedef {'plain' | 'horizontal' | 'vertical'} Stack a horizontal one reads a single row */

/**
 * The mask of a convolution over a grey image.
 *
 * @param {Stack} stack
 * @param {'A' | 'B'} maskType
 * @param {number} size of the kernel
 * @returns {{ rows: number, columns: number, values: ArrayLike<number> }} values row by row, 1 for a weight that is used and 0 for one that is not
 */
export function maskOf(stack, maskType, size) {
  const { shape, values } = getMask({
    kernelSize: stack === 'horizontal' ? [1, size] : size,
    vertical: stack === 'vertical',
    maskType,
    featuresIn: 1,
    featuresOut: 1,
    imageChannels: 1,
  });
  return { rows: shape[0], columns: shape[1], values };
}
