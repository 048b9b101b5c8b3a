import { copy, V } from './vector';

// What training runs: a convolution whose kernel has only causal rows, and its gradients, in tiles of registers. The kernel's last row lies on
// the output's own row, its middle column on the output's own column, and the taps to the right of that one are never touched.
//
// An image is padded by zeros once, [height + rows - 1][width + columns - 1][features], so that for each kernel row the inputs of a pixel lie
// side by side. A backward convolution looks at the same taps the other way round: rows below and columns to the right.

const LANES: usize = 8; // outputs of a tile
const PIXELS: usize = 4; // pixels, or inputs, of a tile
const BLOCK: usize = 32; // bytes of eight outputs

// @ts-ignore: decorator
@inline
function blocks(features: usize): usize {
  return (features + LANES - 1) / LANES;
}

/** Columns of the kernel that are used in a row of it, where rows are counted from the top of the window. */
// @ts-ignore: decorator
@inline
function usedColumns(row: usize, rows: usize, columns: usize, isBackward: bool): usize {
  return row == (isBackward ? 0 : rows - 1) ? (columns >> 1) + 1 : columns;
}

/** The first of them. */
// @ts-ignore: decorator
@inline
function firstColumn(row: usize, columns: usize, isBackward: bool): usize {
  return isBackward && row == 0 ? columns >> 1 : 0;
}

/** Taps that are used. */
// @ts-ignore: decorator
@inline
function usedTaps(rows: usize, columns: usize): usize {
  return (rows - 1) * columns + (columns >> 1) + 1;
}

// @ts-ignore: decorator
@inline
function paddedBytes(height: usize, width: usize, features: usize, rows: usize, columns: usize): usize {
  return (height + rows - 1) * (width + columns - 1 + PIXELS) * features * 4;
}

/** Bytes of scratch memory that {@link convolve}, {@link convolveBack} and {@link correlate} need at most. */
export function scratchBytes(
  height: usize,
  width: usize,
  featuresIn: usize,
  featuresOut: usize,
  rows: usize,
  columns: usize,
): usize {
  const most = max(featuresIn, featuresOut);
  const packed = (usedTaps(rows, columns) * (most + PIXELS) + 2) * (most + LANES) * 4;
  return packed + paddedBytes(height, width, most, rows, columns) + width * (featuresOut + LANES) * 4 + PIXELS * BLOCK;
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
  const isPointwise = rows == 1 && columns == 1 && width >= PIXELS;
  const rowBytes = (width + columns - 1) * featuresIn * 4;
  if (!isPointwise) memory.fill(padded, 0, paddedBytes(height, width, featuresIn, rows, columns));
  for (let n: usize = 0; n < images; n++) {
    const image = x + n * height * width * featuresIn * 4;
    const from = isPointwise ? image : padded;
    if (!isPointwise) {
      padImage(padded + (rows - 1) * rowBytes, image, 0, height, width, featuresIn, columns);
    }
    for (let h: usize = 0; h < height; h++) {
      const to = y + (n * height + h) * width * featuresOut * 4;
      convolveRow(to, from + h * rowBytes, rowBytes, width, featuresIn, featuresOut, rows, columns, false, weights, biases, least, tile);
    }
  }
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
  const isPointwise = rows == 1 && columns == 1 && width >= PIXELS && y == 0;
  const rowBytes = (width + columns - 1) * featuresOut * 4;
  if (!isPointwise) memory.fill(padded, 0, paddedBytes(height, width, featuresOut, rows, columns));
  for (let n: usize = 0; n < images; n++) {
    const offset = n * height * width * featuresOut * 4;
    const from = isPointwise ? dy + offset : padded;
    if (!isPointwise) {
      padImage(padded, dy + offset, y == 0 ? 0 : y + offset, height, width, featuresOut, columns);
    }
    for (let h: usize = 0; h < height; h++) {
      const to = dx + (n * height + h) * width * featuresIn * 4;
      convolveRow(to, from + h * rowBytes, rowBytes, width, featuresOut, featuresIn, rows, columns, true, weights, biases, -Infinity, tile);
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
  const isPointwise = rows == 1 && columns == 1;
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

/** The used taps of a kernel as [blocks of eight outputs][taps][in][8], the last block padded by zeros. */
function packKernel(to: usize, kernel: usize, featuresIn: usize, featuresOut: usize, rows: usize, columns: usize): void {
  for (let o: usize = 0; o < featuresOut; o += LANES) {
    const lanes = min(LANES, featuresOut - o);
    const inputs = usedTaps(rows, columns) * featuresIn; // the used taps are the first ones
    for (let i: usize = 0; i < inputs; i++, to += BLOCK) {
      if (lanes < LANES) memory.fill(to, 0, BLOCK);
      copy(to, kernel + (i * featuresOut + o) * 4, lanes * 4);
    }
  }
}

/** The same for the convolution backwards, whose inputs are the outputs: [blocks of eight inputs][taps, last first][out][8]. */
function packKernelBack(to: usize, kernel: usize, featuresIn: usize, featuresOut: usize, rows: usize, columns: usize): void {
  for (let i: usize = 0; i < featuresIn; i += LANES) {
    const lanes = min(LANES, featuresIn - i);
    for (let tap = usedTaps(rows, columns); tap > 0; tap--) {
      const from = kernel + ((tap - 1) * featuresIn + i) * featuresOut * 4;
      for (let o: usize = 0; o < featuresOut; o++, to += BLOCK) {
        for (let lane: usize = 0; lane < LANES; lane++) {
          store<f32>(to + lane * 4, lane < lanes ? load<f32>(from + (lane * featuresOut + o) * 4) : 0);
        }
      }
    }
  }
}

/** Copies an image [height,width,features] into the inside of its padded rows, where y > 0, or everywhere where y is 0. */
function padImage(to: usize, image: usize, y: usize, height: usize, width: usize, features: usize, columns: usize): void {
  const rowBytes = width * features * 4;
  to += (columns >> 1) * features * 4;
  for (let h: usize = 0; h < height; h++) {
    gate(to, rowBytes, image, y, 1, width * features);
    to += (width + columns - 1) * features * 4;
    image += rowBytes;
    if (y != 0) y += rowBytes;
  }
}

/** Copies pixels [features] to others so many bytes apart, where y > 0, or everywhere where y is 0. */
function gate(to: usize, toBytes: usize, from: usize, y: usize, pixels: usize, features: usize): void {
  const bytes = features * 4;
  if (y == 0) {
    for (let p: usize = 0; p < pixels; p++) copy(to + p * toBytes, from + p * bytes, bytes);
    return;
  }
  const zero = f32x4.splat(0);
  for (let p: usize = 0; p < pixels; p++, to += toBytes, from += bytes, y += bytes) {
    let i: usize = 0;
    for (; i + V <= bytes; i += V) v128.store(to + i, v128.and(v128.load(from + i), f32x4.gt(v128.load(y + i), zero)));
    for (; i < bytes; i += 4) store<f32>(to + i, load<f32>(y + i) > 0 ? load<f32>(from + i) : 0);
  }
}

/** sums[o] += the sum of dz[p][o] over a row. */
function sumRow(sums: usize, dz: usize, width: usize, outBytes: usize): void {
  for (let o: usize = 0; o < outBytes; o += V) {
    let sum = f32x4.splat(0);
    for (let p: usize = 0; p < width; p++) sum = f32x4.add(sum, v128.load(dz + p * outBytes + o));
    v128.store(sums + o, f32x4.add(v128.load(sums + o), sum));
  }
}

/** One row of outputs, from padded rows x. */
function convolveRow(
  y: usize,
  x: usize,
  rowBytes: usize,
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
): void {
  const pixel = featuresIn * 4, yPixel = featuresOut * 4;
  const l = f32x4.splat(least);
  const blockBytes = usedTaps(rows, columns) * featuresIn * BLOCK;
  for (let o: usize = 0; o < featuresOut; o += LANES, weights += blockBytes, biases += BLOCK) {
    const lanes = min(LANES, featuresOut - o);
    const biasA = v128.load(biases), biasB = v128.load(biases + V);
    for (let next: usize = 0; next < width; next += PIXELS) {
      const p = min(next, max(width, PIXELS) - PIXELS); // the last tile begins early
      let a0 = biasA, b0 = biasB, a1 = biasA, b1 = biasB, a2 = biasA, b2 = biasB, a3 = biasA, b3 = biasB;
      let w = weights;
      for (let r: usize = 0; r < rows; r++) {
        let x0 = x + r * rowBytes + (p + firstColumn(r, columns, isBackward)) * pixel;
        let x1 = x0 + pixel, x2 = x1 + pixel, x3 = x2 + pixel;
        const end = w + usedColumns(r, rows, columns, isBackward) * featuresIn * BLOCK;
        for (; w < end; w += BLOCK) {
          const wa = v128.load(w), wb = v128.load(w + V);
          let s = v128.load_splat<f32>(x0);
          a0 = f32x4.add(a0, f32x4.mul(s, wa));
          b0 = f32x4.add(b0, f32x4.mul(s, wb));
          s = v128.load_splat<f32>(x1);
          a1 = f32x4.add(a1, f32x4.mul(s, wa));
          b1 = f32x4.add(b1, f32x4.mul(s, wb));
          s = v128.load_splat<f32>(x2);
          a2 = f32x4.add(a2, f32x4.mul(s, wa));
          b2 = f32x4.add(b2, f32x4.mul(s, wb));
          s = v128.load_splat<f32>(x3);
          a3 = f32x4.add(a3, f32x4.mul(s, wa));
          b3 = f32x4.add(b3, f32x4.mul(s, wb));
          x0 += 4;
          x1 += 4;
          x2 += 4;
          x3 += 4;
        }
      }
      const isWhole = width >= PIXELS && lanes == LANES;
      const y0 = isWhole ? y + p * yPixel + o * 4 : tile, stride = isWhole ? yPixel : BLOCK;
      const y1 = y0 + stride, y2 = y1 + stride, y3 = y2 + stride;
      v128.store(y0, f32x4.pmax(a0, l));
      v128.store(y0 + V, f32x4.pmax(b0, l));
      v128.store(y1, f32x4.pmax(a1, l));
      v128.store(y1 + V, f32x4.pmax(b1, l));
      v128.store(y2, f32x4.pmax(a2, l));
      v128.store(y2 + V, f32x4.pmax(b2, l));
      v128.store(y3, f32x4.pmax(a3, l));
      v128.store(y3 + V, f32x4.pmax(b3, l));
      if (isWhole) continue;
      for (let q: usize = 0; q < min(width, PIXELS); q++) {
        copy(y + (p + q) * yPixel + o * 4, tile + q * BLOCK, lanes * 4);
      }
    }
  }
}

/** sums[j][o] += the sum over a row of x[p][j] dz[p][o], where j runs over the inputs of each kernel row in turn. */
function correlateRow(
  sums: usize,
  x: usize,
  rowBytes: usize,
  dz: usize,
  width: usize,
  featuresIn: usize,
  outBytes: usize,
  rows: usize,
  columns: usize,
): void {
  const pixel = featuresIn * 4;
  for (let r: usize = 0; r < rows; r++, x += rowBytes) {
    const inputs = usedColumns(r, rows, columns, false) * pixel;
    for (let j: usize = 0; j < inputs; j += V, sums += PIXELS * outBytes) {
      for (let o: usize = 0; o < outBytes; o += BLOCK) {
        let a0 = f32x4.splat(0), b0 = a0, a1 = a0, b1 = a0, a2 = a0, b2 = a0, a3 = a0, b3 = a0;
        let xp = x + j, d = dz + o;
        for (let p: usize = 0; p < width; p++, xp += pixel, d += outBytes) {
          const da = v128.load(d), db = v128.load(d + V);
          let s = v128.load_splat<f32>(xp);
          a0 = f32x4.add(a0, f32x4.mul(s, da));
          b0 = f32x4.add(b0, f32x4.mul(s, db));
          s = v128.load_splat<f32>(xp + 4);
          a1 = f32x4.add(a1, f32x4.mul(s, da));
          b1 = f32x4.add(b1, f32x4.mul(s, db));
          s = v128.load_splat<f32>(xp + 8);
          a2 = f32x4.add(a2, f32x4.mul(s, da));
          b2 = f32x4.add(b2, f32x4.mul(s, db));
          s = v128.load_splat<f32>(xp + 12);
          a3 = f32x4.add(a3, f32x4.mul(s, da));
          b3 = f32x4.add(b3, f32x4.mul(s, db));
        }
        const s0 = sums + o, s1 = s0 + outBytes, s2 = s1 + outBytes, s3 = s2 + outBytes;
        v128.store(s0, f32x4.add(v128.load(s0), a0));
        v128.store(s0 + V, f32x4.add(v128.load(s0 + V), b0));
        v128.store(s1, f32x4.add(v128.load(s1), a1));
        v128.store(s1 + V, f32x4.add(v128.load(s1 + V), b1));
        v128.store(s2, f32x4.add(v128.load(s2), a2));
        v128.store(s2 + V, f32x4.add(v128.load(s2 + V), b2));
        v128.store(s3, f32x4.add(v128.load(s3), a3));
        v128.store(s3 + V, f32x4.add(v128.load(s3 + V), b3));
      }
    }
  }
}
