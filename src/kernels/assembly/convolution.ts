import { gate, packKernel, packKernelBack, padImage } from './layout';
import { convolveRow, correlateRow, sumRow } from './rows';
import { copy } from './vector';
import { BLOCK, blocks, paddedBytes, PIXELS, usedColumns, usedTaps } from './window';

// A convolution whose kernel has only causal rows, and its gradients, on images one after the other. The kernel's last row lies on the output's own
// row, its middle column on the output's own column, and the taps to the right of that one are never touched. Addresses and strides count bytes.
//
// An image is padded by zeros, [height + rows - 1][width + columns - 1][features], so that for each kernel row the inputs of a pixel lie
// side by side. A backward convolution looks at the same taps the other way round: rows below and columns to the right.

/** Bytes of scratch memory that the functions below need at most. */
export function scratchBytes(
  height: usize,
  width: usize,
  featuresIn: usize,
  featuresOut: usize,
  rows: usize,
  columns: usize,
): usize {
  const taps = usedTaps(rows, columns), inBytes = blocks(featuresIn) * BLOCK, outBytes = blocks(featuresOut) * BLOCK;
  const paddedIn = paddedBytes(height, width, featuresIn, rows, columns);
  const paddedOut = paddedBytes(height, width, featuresOut, rows, columns);
  const forward = outBytes * (1 + taps * featuresIn) + PIXELS * BLOCK + paddedIn;
  const backward = inBytes * (1 + taps * featuresOut) + PIXELS * BLOCK + paddedOut;
  const correlation = outBytes * (taps * featuresIn + PIXELS * rows + width) + paddedIn;
  return max(forward, max(backward, max(correlation, outBytes * (1 + width))));
}

/** y = max(x * kernel + bias, least): x [images,height,width,in], kernel [rows,columns,in,out], bias [out] or 0, y [images,height,width,out]. */
export function convolve(
  y: usize,
  x: usize,
  kernel: usize,
  bias: usize,
  images: usize,
  height: usize,
  width: usize,
  featuresIn: usize,
  featuresOut: usize,
  rows: usize,
  columns: usize,
  least: f32,
  scratch: usize,
): void {
  const biases = scratch, weights = biases + blocks(featuresOut) * BLOCK;
  const depth = usedTaps(rows, columns) * featuresIn;
  const tile = weights + blocks(featuresOut) * depth * BLOCK, padded = tile + PIXELS * BLOCK;
  memory.fill(biases, 0, blocks(featuresOut) * BLOCK);
  if (bias != 0) memory.copy(biases, bias, featuresOut * 4);
  packKernel(weights, kernel, featuresIn, featuresOut, rows, columns);
  eachRow(y, x, 0, images, height, width, featuresIn, featuresOut, rows, columns, false, weights, biases, least, tile, padded);
}

/**
 * The gradient for x of {@link convolve}: dx = dz * kernel, backwards, where dz is dy [images,height,width,out], or where y is not 0, dy where
 * y > 0.
 */
export function convolveBack(
  dx: usize,
  dy: usize,
  y: usize,
  kernel: usize,
  images: usize,
  height: usize,
  width: usize,
  featuresIn: usize,
  featuresOut: usize,
  rows: usize,
  columns: usize,
  scratch: usize,
): void {
  const biases = scratch, weights = biases + blocks(featuresIn) * BLOCK;
  const depth = usedTaps(rows, columns) * featuresOut;
  const tile = weights + blocks(featuresIn) * depth * BLOCK, padded = tile + PIXELS * BLOCK;
  memory.fill(biases, 0, blocks(featuresIn) * BLOCK);
  packKernelBack(weights, kernel, featuresIn, featuresOut, rows, columns);
  eachRow(dx, dy, y, images, height, width, featuresOut, featuresIn, rows, columns, true, weights, biases, -Infinity, tile, padded);
}

/** All rows of all images `to`, from images `from` that pass where y > 0, or everywhere where y is 0. */
function eachRow(
  to: usize,
  from: usize,
  y: usize,
  images: usize,
  height: usize,
  width: usize,
  featuresIn: usize,
  featuresOut: usize,
  rows: usize,
  columns: usize,
  isBackward: bool,
  weights: usize,
  biases: usize,
  least: f32,
  tile: usize,
  padded: usize,
): void {
  const isPointwise = rows == 1 && columns == 1 && width >= PIXELS && y == 0; // needs no padding
  const rowBytes = (width + columns - 1) * featuresIn * 4, imageBytes = height * width * featuresIn * 4;
  if (!isPointwise) memory.fill(padded, 0, paddedBytes(height, width, featuresIn, rows, columns));
  const inside = padded + (isBackward ? 0 : (rows - 1) * rowBytes);
  for (let n: usize = 0; n < images; n++, from += imageBytes) {
    if (!isPointwise) padImage(inside, from, y == 0 ? 0 : y + n * imageBytes, height, width, featuresIn, columns);
    const window = isPointwise ? from : padded;
    for (let h: usize = 0; h < height; h++, to += width * featuresOut * 4) {
      convolveRow(to, window + h * rowBytes, rowBytes, width, featuresIn, featuresOut, rows, columns, isBackward, weights, biases, least, tile);
    }
  }
}

/**
 * The gradient for the kernel of {@link convolve}: dkernel [rows,columns,in,out], 0 at taps that are not used, of x [images,height,width,in] and
 * dz as in {@link convolveBack}. Sums run over a row first, then over rows.
 */
export function correlate(
  dkernel: usize,
  x: usize,
  dy: usize,
  y: usize,
  images: usize,
  height: usize,
  width: usize,
  featuresIn: usize,
  featuresOut: usize,
  rows: usize,
  columns: usize,
  scratch: usize,
): void {
  const outBytes = blocks(featuresOut) * BLOCK;
  const sums = scratch;
  const inputs = usedTaps(rows, columns) * featuresIn + PIXELS * rows; // each kernel row padded to whole tiles
  const dz = sums + inputs * outBytes, padded = dz + width * outBytes;
  memory.fill(sums, 0, padded - sums);
  const isPointwise = rows == 1 && columns == 1 && featuresIn % PIXELS == 0; // else the last tile would read past the image
  const rowBytes = (width + columns - 1) * featuresIn * 4;
  if (!isPointwise) memory.fill(padded, 0, paddedBytes(height, width, featuresIn, rows, columns));
  for (let n: usize = 0; n < images; n++) {
    const image = x + n * height * width * featuresIn * 4;
    const from = isPointwise ? image : padded;
    if (!isPointwise) padImage(padded + (rows - 1) * rowBytes, image, 0, height, width, featuresIn, columns);
    for (let h: usize = 0; h < height; h++) {
      const offset = (n * height + h) * width * featuresOut * 4;
      gate(dz, outBytes, dy + offset, y == 0 ? 0 : y + offset, width, featuresOut);
      correlateRow(sums, from + h * rowBytes, rowBytes, dz, width, featuresIn, outBytes, rows, columns);
    }
  }
  memory.fill(dkernel, 0, rows * columns * featuresIn * featuresOut * 4);
  let row = sums;
  for (let r: usize = 0; r < rows; r++) {
    const count = usedColumns(r, rows, columns, false) * featuresIn;
    const to = dkernel + r * columns * featuresIn * featuresOut * 4;
    for (let j: usize = 0; j < count; j++) copy(to + j * featuresOut * 4, row + j * outBytes, featuresOut * 4);
    row += ((count + PIXELS - 1) & ~(PIXELS - 1)) * outBytes;
  }
}

/** The gradient for the bias of {@link convolve}: the sums over pixels of dz as in {@link convolveBack}, a row first, then over rows. */
export function sumPixels(
  dbias: usize,
  dy: usize,
  y: usize,
  images: usize,
  height: usize,
  width: usize,
  featuresOut: usize,
  scratch: usize,
): void {
  const outBytes = blocks(featuresOut) * BLOCK;
  const sums = scratch, dz = sums + outBytes;
  memory.fill(sums, 0, outBytes + width * outBytes);
  for (let row: usize = 0; row < images * height; row++) {
    const offset = row * width * featuresOut * 4;
    gate(dz, outBytes, dy + offset, y == 0 ? 0 : y + offset, width, featuresOut);
    sumRow(sums, dz, width, outBytes);
  }
  copy(dbias, sums, featuresOut * 4);
}
