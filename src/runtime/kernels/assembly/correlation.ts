import { copyActive, padImage } from './packing';
import { correlateRow, sumRow } from './rows';
import { copy } from './vector';
import { adjacentTaps, extent, outBytesOf, paddedBytes, PIXELS, usedColumns, usedTaps } from './window';

// The gradients of a convolution for its weights; see the notes in convolution.ts.

// Scratch memory: sums for the bias [out] and for the kernel [inputs][out], dz of a row [width][out], the padded image,
// where `out` is in whole blocks.

/** The address behind all sums. The inputs of each span of adjacent taps, a kernel row or a tap, are whole tiles. */
@inline
function dzAt(scratch: usize, featuresIn: usize, featuresOut: usize, rows: usize, taps: usize, across: usize): usize {
  const spans = across == 1 ? rows : taps;
  return scratch + (1 + taps * featuresIn + PIXELS * spans) * outBytesOf(featuresOut);
}

@inline
function paddedAt(dz: usize, width: usize, featuresOut: usize): usize {
  return dz + width * outBytesOf(featuresOut);
}

export function correlationScratch(
  _images: usize, height: usize, width: usize, featuresIn: usize, featuresOut: usize, rows: usize, columns: usize,
  _left: usize, present: usize, down: usize, across: usize, groups: usize,
): usize {
  featuresIn /= groups;
  featuresOut /= groups;
  const dz = dzAt(0, featuresIn, featuresOut, rows, usedTaps(rows, columns, present), across);
  const padded = paddedBytes(height, width, featuresIn, extent(rows, down), extent(columns, across));
  return paddedAt(dz, width, featuresOut) + padded;
}

/**
 * The gradients for the kernel and the bias of `convolve`: dkernel [rows,columns,in,out], 0 at unused taps, and dbias
 * [out], from x [images,height,width,in] and dz as in `convolveBack`. Sums run over a row first, then over rows.
 */
export function correlate(
  dkernel: usize, dbias: usize, x: usize, dy: usize, y: usize,
  images: usize, height: usize, width: usize, featuresIn: usize, featuresOut: usize, rows: usize,
  columns: usize, left: usize, present: usize, down: usize, across: usize, groups: usize, scratch: usize,
): void {
  const ins = featuresIn / groups, outs = featuresOut / groups;
  memory.fill(dkernel, 0, rows * columns * ins * featuresOut * 4);
  for (let group: usize = 0; group < groups; group++) {
    correlateGroup(
      dkernel, dbias, x, dy, y, images, height, width, ins, featuresIn, outs, featuresOut, rows, columns, left, present,
      down, across, scratch,
    );
    x += ins * 4;
    dy += outs * 4;
    if (y != 0) y += outs * 4;
    dkernel += outs * 4;
    dbias += outs * 4;
  }
}

/** The gradients for some outputs, `outs` of the `allOuts` of a pixel, that see `ins` of its `allIns` inputs. */
function correlateGroup(
  dkernel: usize, dbias: usize, x: usize, dy: usize, y: usize,
  images: usize, height: usize, width: usize, ins: usize, allIns: usize, outs: usize, allOuts: usize, rows: usize,
  columns: usize, left: usize, present: usize, down: usize, across: usize, scratch: usize,
): void {
  const outBytes = outBytesOf(outs);
  const sums = scratch + outBytes;
  const dz = dzAt(scratch, ins, outs, rows, usedTaps(rows, columns, present), across);
  const padded = paddedAt(dz, width, outs);
  memory.fill(scratch, 0, padded - scratch);
  const isMasked = y != 0 || outBytes != allOuts * 4; // else dy is dz, in whole blocks
  // with other numbers of features the last tile would read past the image
  const isPointwise = rows == 1 && columns == 1 && ins % PIXELS == 0 && ins == allIns;
  const high = extent(rows, down), wide = extent(columns, across);
  const rowBytes = (width + wide - 1) * ins * 4;
  if (!isPointwise) memory.fill(padded, 0, paddedBytes(height, width, ins, high, wide));
  for (let n: usize = 0; n < images; n++) {
    const image = x + n * height * width * allIns * 4;
    const from = isPointwise ? image : padded;
    const inside = padded + (high - 1) * rowBytes;
    if (!isPointwise) padImage(inside, image, 0, height, width, ins, allIns, wide, left * across);
    for (let h: usize = 0; h < height; h++) {
      const offset = (n * height + h) * width * allOuts * 4;
      let ofRow = dy + offset;
      if (isMasked) {
        copyActive(dz, outBytes, ofRow, allOuts * 4, y == 0 ? 0 : y + offset, width, outs);
        ofRow = dz;
      }
      sumRow(scratch, ofRow, width, outBytes);
      const row = from + h * rowBytes;
      correlateRow(sums, row, rowBytes * down, across, ofRow, width, ins, outBytes, rows, columns, present);
    }
  }
  copy(dbias, scratch, outs * 4);
  unpackSums(dkernel, sums, ins, outs, allOuts, rows, columns, present, across);
}

/** Copies the sums, where each span of adjacent taps has whole tiles, to some outputs of a kernel [rows,columns,in,all outs]. */
function unpackSums(
  dkernel: usize, sums: usize,
  featuresIn: usize, outs: usize, allOuts: usize, rows: usize, columns: usize, present: usize, across: usize,
): void {
  const bytes = outs * 4, outBytes = outBytesOf(outs), inputBytes = allOuts * 4, tapBytes = featuresIn * inputBytes;
  for (let r: usize = 0; r < rows; r++, dkernel += columns * tapBytes) {
    const used = usedColumns(r, rows, columns, present, false), span = adjacentTaps(used, across);
    const inputs = span * featuresIn;
    for (let tap: usize = 0; tap < used; tap += span) {
      for (let j: usize = 0; j < inputs; j++) copy(dkernel + tap * tapBytes + j * inputBytes, sums + j * outBytes, bytes);
      sums += ((inputs + PIXELS - 1) & ~(PIXELS - 1)) * outBytes;
    }
  }
}
