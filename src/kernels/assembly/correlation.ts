import { copyActive, padImage } from './packing';
import { correlateRow, sumRow } from './rows';
import { copy } from './vector';
import { BLOCK, blocks, paddedBytes, PIXELS, usedColumns, usedTaps } from './window';

// The gradients of a convolution for its weights; what convolution.ts says holds here too.

/** Bytes of scratch memory that the functions below need at most. */
export function correlationScratch(
  height: usize,
  width: usize,
  featuresIn: usize,
  featuresOut: usize,
  rows: usize,
  columns: usize,
  present: usize,
): usize {
  const inputs = usedTaps(rows, columns, present) * featuresIn + PIXELS * rows;
  return blocks(featuresOut) * BLOCK * (1 + inputs + width) + paddedBytes(height, width, featuresIn, rows, columns);
}

/**
 * The gradient for the kernel of `convolve`: dkernel [rows,columns,in,out], 0 at taps that are not used, of x [images,height,width,in] and
 * dz as in `convolveBack`. Sums run over a row first, then over rows.
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
  present: usize,
  scratch: usize,
): void {
  const outBytes = blocks(featuresOut) * BLOCK;
  const sums = scratch;
  const inputs = usedTaps(rows, columns, present) * featuresIn + PIXELS * rows; // each kernel row padded to whole tiles
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
      copyActive(dz, outBytes, dy + offset, y == 0 ? 0 : y + offset, width, featuresOut);
      correlateRow(sums, from + h * rowBytes, rowBytes, dz, width, featuresIn, outBytes, rows, columns, present);
    }
  }
  memory.fill(dkernel, 0, rows * columns * featuresIn * featuresOut * 4);
  let row = sums;
  for (let r: usize = 0; r < rows; r++) {
    const count = usedColumns(r, rows, columns, present, false) * featuresIn;
    const to = dkernel + r * columns * featuresIn * featuresOut * 4;
    for (let j: usize = 0; j < count; j++) copy(to + j * featuresOut * 4, row + j * outBytes, featuresOut * 4);
    row += ((count + PIXELS - 1) & ~(PIXELS - 1)) * outBytes;
  }
}

/** The gradient for the bias of `convolve`: the sums over pixels of dz as in `convolveBack`, a row first, then over rows. */
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
    copyActive(dz, outBytes, dy + offset, y == 0 ? 0 : y + offset, width, featuresOut);
    sumRow(sums, dz, width, outBytes);
  }
  copy(dbias, sums, featuresOut * 4);
}
