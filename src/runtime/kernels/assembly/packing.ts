import { copy, V } from './vector';
import { BLOCK, LANES, usedTaps, weightsAt } from './window';

// The layouts of kernels and images for the tiles.

/**
 * Writes biases of 0 and the used taps of a kernel, [blocks of eight outputs][taps][in][8], padded by zeros. `all` is how
 * many outputs the kernel has, of which these are some, from its address on.
 */
export function packKernel(
  biases: usize, kernel: usize,
  featuresIn: usize, featuresOut: usize, rows: usize, columns: usize, present: usize, all: usize,
): void {
  let to = weightsAt(biases, featuresOut);
  memory.fill(biases, 0, to - biases);
  for (let o: usize = 0; o < featuresOut; o += LANES) {
    const lanes = min(LANES, featuresOut - o);
    const inputs = usedTaps(rows, columns, present) * featuresIn; // the used taps are the first ones
    for (let i: usize = 0; i < inputs; i++, to += BLOCK) {
      if (lanes < LANES) memory.fill(to, 0, BLOCK);
      copy(to, kernel + (i * all + o) * 4, lanes * 4);
    }
  }
}

/** {@link packKernel} for the backward convolution: [blocks of eight inputs][taps, last first][out][8]. */
export function packKernelBack(
  biases: usize, kernel: usize,
  featuresIn: usize, featuresOut: usize, rows: usize, columns: usize, present: usize, all: usize,
): void {
  let to = weightsAt(biases, featuresIn);
  memory.fill(biases, 0, to - biases);
  for (let i: usize = 0; i < featuresIn; i += LANES) {
    const lanes = min(LANES, featuresIn - i);
    for (let tap = usedTaps(rows, columns, present); tap > 0; tap--) {
      const from = kernel + ((tap - 1) * featuresIn + i) * all * 4;
      for (let o: usize = 0; o < featuresOut; o++, to += BLOCK) {
        for (let lane: usize = 0; lane < LANES; lane++) {
          store<f32>(to + lane * 4, lane < lanes ? load<f32>(from + (lane * all + o) * 4) : 0);
        }
      }
    }
  }
}

/**
 * Copies some features of an image into its padded rows, from column `left` on, masked by y > 0 unless the address y is 0.
 * The image has `all` features a pixel, of which these are some, from its address on. `columns` is the extent of the window.
 */
export function padImage(
  to: usize, image: usize, y: usize,
  height: usize, width: usize, features: usize, all: usize, columns: usize, left: usize,
): void {
  const rowBytes = width * all * 4, pixel = features * 4;
  to += left * pixel;
  for (let h: usize = 0; h < height; h++) {
    if (all == features) copyActive(to, rowBytes, image, rowBytes, y, 1, width * features);
    else copyActive(to, pixel, image, all * 4, y, width, features);
    to += (width + columns - 1) * pixel;
    image += rowBytes;
    if (y != 0) y += rowBytes;
  }
}

/** Copies pixels [features], which are numbers of bytes apart, to others, masked by y > 0 unless the address y is 0. */
export function copyActive(
  to: usize, toBytes: usize, from: usize, fromBytes: usize, y: usize, pixels: usize, features: usize,
): void {
  const bytes = features * 4;
  if (y == 0) {
    for (let p: usize = 0; p < pixels; p++) copy(to + p * toBytes, from + p * fromBytes, bytes);
    return;
  }
  const zero = f32x4.splat(0);
  for (let p: usize = 0; p < pixels; p++, to += toBytes, from += fromBytes, y += fromBytes) {
    let i: usize = 0;
    for (; i + V <= bytes; i += V) {
      const isActive = f32x4.gt(v128.load(y + i), zero);
      v128.store(to + i, v128.and(v128.load(from + i), isActive));
    }
    for (; i < bytes; i += 4) store<f32>(to + i, load<f32>(y + i) > 0 ? load<f32>(from + i) : 0);
  }
}
