/** The number of outputs of a tile, and their bytes. */
export const LANES: usize = 8;
export const BLOCK: usize = 32;
/** The number of pixels, or inputs, of a tile. */
export const PIXELS: usize = 4;

/** Bytes of a pixel's features in whole blocks. */
@inline
export function outBytesOf(features: usize): usize {
  return (features + LANES - 1) / LANES * BLOCK;
}

/** The number of columns used in a row of the kernel; `present` on the output's row. */
@inline
export function usedColumns(
  row: usize, rows: usize, columns: usize, present: usize, isBackward: bool,
): usize {
  return row == (isBackward ? 0 : rows - 1) ? present : columns;
}

/** The first column used in a row of the kernel. */
@inline
export function firstColumn(row: usize, columns: usize, present: usize, isBackward: bool): usize {
  return isBackward && row == 0 ? columns - present : 0;
}

/** Rows or columns from the first to the last of some taps. */
@inline
export function extent(taps: usize, dilation: usize): usize {
  return (taps - 1) * dilation + 1;
}

/** How many taps in a row of the kernel read adjacent pixels: all, or one by one if they are dilated. */
@inline
export function adjacentTaps(taps: usize, across: usize): usize {
  return across == 1 ? taps : 1;
}

@inline
export function usedTaps(rows: usize, columns: usize, present: usize): usize {
  return (rows - 1) * columns + present;
}

/** Bytes of an image padded for a window of an extent in rows and columns. */
@inline
export function paddedBytes(
  height: usize, width: usize, features: usize, rows: usize, columns: usize,
): usize {
  return (height + rows - 1) * (width + columns - 1 + PIXELS) * features * 4;
}

// Scratch memory of a convolution from features `from` to features `to`: biases, weights, a tile, the
// padded image.

@inline
export function weightsAt(biases: usize, to: usize): usize {
  return biases + outBytesOf(to);
}

@inline
export function tileAt(biases: usize, from: usize, to: usize, taps: usize): usize {
  return weightsAt(biases, to) + outBytesOf(to) * taps * from;
}

@inline
export function paddedAt(biases: usize, from: usize, to: usize, taps: usize): usize {
  return tileAt(biases, from, to, taps) + PIXELS * BLOCK;
}
