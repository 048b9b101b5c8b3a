import { copyActive, padImage } from './packing';
import { correlateRow, sumRow } from './rows';
import { copy } from './vector';
import { outBytesOf, paddedBytes, PIXELS, usedColumns, usedTaps } from './window';

// The gradients of a convolution for its weights; see the notes in convolution.ts.

// Scratch memory: sums [inputs][out], dz of a row [width][out], the padded image, where `out` is in whole blocks.

/** The address behind the sums. The inputs of each kernel row are whole tiles. */
@inline
function dzAt(sums: usize, featuresIn: usize, featuresOut: usize, rows: usize, taps: usize): usize {
  return sums + (taps * featuresIn + PIXELS * rows) * outBytesOf(featuresOut);
}

@inline
function paddedAt(dz: usize, width: usize, featuresOut: usize): usize {
  return dz + width * outBytesOf(featuresOut);
}

/** The address of dz of a row, in whole blocks: of dy itself, or of `dz` if that has to be written. */
function dzRow(dz: usize, dy: usize, y: usize, offset: usize, width: usize, featuresOut: usize): usize {
  const outBytes = outBytesOf(featuresOut);
  if (y == 0 && outBytes == featuresOut * 4) return dy + offset;
  copyActive(dz, outBytes, dy + offset, y == 0 ? 0 : y + offset, width, featuresOut);
  return dz;
}

/** Bytes of scratch memory that {@link correlate} needs. */
export function correlationScratch(
  _images: usize, height: usize, width: usize, featuresIn: usize, featuresOut: usize, rows: usize, columns: usize,
  _left: usize, present: usize,
): usize {
  const dz = dzAt(0, featuresIn, featuresOut, rows, usedTaps(rows, columns, present));
  return paddedAt(dz, width, featuresOut) + paddedBytes(height, width, featuresIn, rows, columns);
}

/**
 * The gradient for the kernel of `convolve`: dkernel [rows,columns,in,out], 0 at unused taps, from x
 * [images,height,width,in] and dz as in `convolveBack`. Sums run over a row first, then over rows.
 */
export function correlate(
  dkernel: usize, x: usize, dy: usize, y: usize,
  images: usize, height: usize, width: usize, featuresIn: usize, featuresOut: usize, rows: usize,
  columns: usize, left: usize, present: usize, scratch: usize,
): void {
  const outBytes = outBytesOf(featuresOut);
  const sums = scratch;
  const dz = dzAt(sums, featuresIn, featuresOut, rows, usedTaps(rows, columns, present));
  const padded = paddedAt(dz, width, featuresOut);
  memory.fill(sums, 0, padded - sums);
  // with other numbers of features the last tile would read past the image
  const isPointwise = rows == 1 && columns == 1 && featuresIn % PIXELS == 0;
  const rowBytes = (width + columns - 1) * featuresIn * 4;
  if (!isPointwise) memory.fill(padded, 0, paddedBytes(height, width, featuresIn, rows, columns));
  for (let n: usize = 0; n < images; n++) {
    const image = x + n * height * width * featuresIn * 4;
    const from = isPointwise ? image : padded;
    const inside = padded + (rows - 1) * rowBytes;
    if (!isPointwise) padImage(inside, image, 0, height, width, featuresIn, columns, left);
    for (let h: usize = 0; h < height; h++) {
      const offset = (n * height + h) * width * featuresOut * 4;
      const row = from + h * rowBytes;
      correlateRow(sums, row, rowBytes, dzRow(dz, dy, y, offset, width, featuresOut), width, featuresIn, outBytes, rows, columns, present);
    }
  }
  unpackSums(dkernel, sums, featuresIn, featuresOut, rows, columns, present);
}

/** Copies the sums, where each kernel row has whole tiles, to a kernel [rows,columns,in,out]. */
export function unpackSums(
  dkernel: usize, sums: usize,
  featuresIn: usize, featuresOut: usize, rows: usize, columns: usize, present: usize,
): void {
  const bytes = featuresOut * 4, outBytes = outBytesOf(featuresOut);
  memory.fill(dkernel, 0, rows * columns * featuresIn * bytes);
  for (let r: usize = 0; r < rows; r++, dkernel += columns * featuresIn * bytes) {
    const inputs = usedColumns(r, rows, columns, present, false) * featuresIn;
    for (let j: usize = 0; j < inputs; j++) copy(dkernel + j * bytes, sums + j * outBytes, bytes);
    sums += ((inputs + PIXELS - 1) & ~(PIXELS - 1)) * outBytes;
  }
}

/** Bytes of scratch memory that {@link sumPixels} needs. */
export function sumPixelsScratch(_images: usize, _height: usize, width: usize, featuresOut: usize): usize {
  return (1 + width) * outBytesOf(featuresOut);
}

/**
 * The gradient for the bias of `convolve`: the sums over pixels of dz as in `convolveBack`, a row first, then
 * over rows.
 */
export function sumPixels(
  dbias: usize, dy: usize, y: usize,
  images: usize, height: usize, width: usize, featuresOut: usize, scratch: usize,
): void {
  const outBytes = outBytesOf(featuresOut);
  const sums = scratch, dz = sums + outBytes;
  memory.fill(scratch, 0, sumPixelsScratch(images, height, width, featuresOut));
  for (let row: usize = 0; row < images * height; row++) {
    const offset = row * width * featuresOut * 4;
    sumRow(sums, dzRow(dz, dy, y, offset, width, featuresOut), width, outBytes);
  }
  copy(dbias, sums, featuresOut * 4);
}
