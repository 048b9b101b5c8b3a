import { packKernel, packKernelBack, padImage } from './packing';
import { convolveRow } from './rows';
import { extent, paddedAt, paddedBytes, PIXELS, usedTaps } from './window';

// A convolution whose kernel has only causal rows, and its gradient for the image, image by image.
// The kernel's last row lies on the output's own row, and `left` of its columns lie to the left of
// the output's own column. Of that row, only the first `present` columns are read. Taps are `down` rows and `across`
// columns apart. Features are in `groups`, one after the other: outputs see only the inputs of their own, and kernels
// are [rows,columns,in/groups,out].
//
// An image is padded by zeros, [height + extent of rows - 1][width + extent of columns - 1][features], so that for each
// kernel row the inputs of a pixel are contiguous, unless taps are dilated. A backward convolution uses the same taps in
// reverse: rows below, and `left` columns to the right.

export function convolutionScratch(
  _images: usize, height: usize, width: usize, featuresIn: usize, featuresOut: usize, rows: usize, columns: usize,
  _left: usize, present: usize, down: usize, across: usize, groups: usize,
): usize {
  featuresIn /= groups;
  featuresOut /= groups;
  const taps = usedTaps(rows, columns, present), high = extent(rows, down), wide = extent(columns, across);
  const forward = paddedAt(0, featuresIn, featuresOut, taps);
  const backward = paddedAt(0, featuresOut, featuresIn, taps);
  return max(
    forward + paddedBytes(height, width, featuresIn, high, wide),
    backward + paddedBytes(height, width, featuresOut, high, wide),
  );
}

/** y = max(x * kernel + bias, lowerBound): x [images,height,width,in], kernel [rows,columns,in/groups,out]; bias may be 0. */
export function convolve(
  y: usize, x: usize, kernel: usize, bias: usize,
  images: usize, height: usize, width: usize, featuresIn: usize, featuresOut: usize, rows: usize,
  columns: usize, left: usize, present: usize, down: usize, across: usize, groups: usize, lowerBound: f32,
  scratch: usize,
): void {
  const ins = featuresIn / groups, outs = featuresOut / groups;
  for (let group: usize = 0; group < groups; group++, x += ins * 4, y += outs * 4, kernel += outs * 4) {
    packKernel(scratch, kernel, ins, outs, rows, columns, present, featuresOut);
    if (bias != 0) memory.copy(scratch, bias + group * outs * 4, outs * 4);
    eachRow(
      y, x, 0, images, height, width, ins, featuresIn, outs, featuresOut, rows, columns, left, present, down, across,
      false, scratch, lowerBound,
    );
  }
}

/** The gradient of {@link convolve} for x: dz * kernel, backwards, where y > 0 masks dz unless y is 0. */
export function convolveBack(
  dx: usize, dy: usize, y: usize, kernel: usize,
  images: usize, height: usize, width: usize, featuresIn: usize, featuresOut: usize, rows: usize,
  columns: usize, left: usize, present: usize, down: usize, across: usize, groups: usize, scratch: usize,
): void {
  const ins = featuresIn / groups, outs = featuresOut / groups;
  for (let group: usize = 0; group < groups; group++, dx += ins * 4, dy += outs * 4, kernel += outs * 4) {
    packKernelBack(scratch, kernel, ins, outs, rows, columns, present, featuresOut);
    eachRow(
      dx, dy, y == 0 ? 0 : y + group * outs * 4, images, height, width, outs, featuresOut, ins, featuresIn, rows,
      columns, columns - 1 - left, present, down, across, true, scratch, -Infinity,
    );
  }
}

/**
 * Computes all rows of images, of some features `ins` of the `allIns` of a pixel, to some `outs` of `allOuts`. `y` masks
 * `from` by y > 0, unless it is 0; `left` counts taps.
 */
function eachRow(
  to: usize, from: usize, y: usize,
  images: usize, height: usize, width: usize, ins: usize, allIns: usize, outs: usize, allOuts: usize, rows: usize,
  columns: usize, left: usize, present: usize, down: usize, across: usize, isBackward: bool, biases: usize,
  lowerBound: f32,
): void {
  const padded = paddedAt(biases, ins, outs, usedTaps(rows, columns, present));
  const isPointwise = rows == 1 && columns == 1 && width >= PIXELS && y == 0 && ins == allIns; // needs no padding
  const high = extent(rows, down), wide = extent(columns, across);
  const rowBytes = (width + wide - 1) * ins * 4, imageBytes = height * width * allIns * 4;
  if (!isPointwise) memory.fill(padded, 0, paddedBytes(height, width, ins, high, wide));
  const inside = padded + (isBackward ? 0 : (high - 1) * rowBytes);
  for (let n: usize = 0; n < images; n++, from += imageBytes) {
    const active: usize = y == 0 ? 0 : y + n * imageBytes;
    if (!isPointwise) padImage(inside, from, active, height, width, ins, allIns, wide, left * across);
    let row = isPointwise ? from : padded;
    for (let h: usize = 0; h < height; h++, row += rowBytes, to += width * allOuts * 4) {
      convolveRow(
        to, allOuts * 4, row, rowBytes * down, across, width, ins, outs, rows, columns, present, isBackward, biases,
        lowerBound,
      );
    }
  }
}
