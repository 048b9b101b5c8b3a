import { copy, plusProduct, V } from './vector';
import { adjacentTaps, BLOCK, firstColumn, LANES, PIXELS, tileAt, usedColumns, usedTaps, weightsAt } from './window';

// The inner loops of a convolution and its gradients, a row of an image at a time, in tiles held in
// registers.

/** sums[o] += the sum of dz[p][o] over a row. */
export function sumRow(sums: usize, dz: usize, width: usize, outBytes: usize): void {
  for (let o: usize = 0; o < outBytes; o += V) {
    let sum = f32x4.splat(0);
    for (let p: usize = 0; p < width; p++) sum = f32x4.add(sum, v128.load(dz + p * outBytes + o));
    v128.store(sums + o, f32x4.add(v128.load(sums + o), sum));
  }
}

/**
 * One row of outputs, from padded rows x and a kernel that {@link packKernel} packed at `biases`. Its rows read rows of x
 * that are `rowBytes` apart, its columns pixels that are `across` apart. Pixels of y are `yPixel` bytes apart.
 */
export function convolveRow(
  y: usize, yPixel: usize, x: usize, rowBytes: usize, across: usize, width: usize, featuresIn: usize, featuresOut: usize,
  rows: usize, columns: usize, present: usize, isBackward: bool, biases: usize, lowerBound: f32,
): void {
  const pixel = featuresIn * 4, gap = (across - 1) * pixel;
  const l = f32x4.splat(lowerBound);
  const taps = usedTaps(rows, columns, present), blockBytes = taps * featuresIn * BLOCK;
  const tile = tileAt(biases, featuresIn, featuresOut, taps);
  let weights = weightsAt(biases, featuresOut);
  for (let o: usize = 0; o < featuresOut; o += LANES, weights += blockBytes, biases += BLOCK) {
    const lanes = min(LANES, featuresOut - o);
    const biasA = v128.load(biases), biasB = v128.load(biases + V);
    for (let next: usize = 0; next < width; next += PIXELS) {
      const p = min(next, max(width, PIXELS) - PIXELS); // the last tile begins early
      let a0 = biasA, b0 = biasB, a1 = biasA, b1 = biasB, a2 = biasA, b2 = biasB, a3 = biasA, b3 = biasB;
      let w = weights;
      for (let r: usize = 0; r < rows; r++) {
        const used = usedColumns(r, rows, columns, present, isBackward);
        let x0 = x + r * rowBytes + (p + firstColumn(r, columns, present, isBackward) * across) * pixel;
        let x1 = x0 + pixel, x2 = x1 + pixel, x3 = x2 + pixel;
        const end = w + used * featuresIn * BLOCK, spanBytes = adjacentTaps(used, across) * featuresIn * BLOCK;
        while (w < end) {
          for (const next = w + spanBytes; w < next; x0 += 4, x1 += 4, x2 += 4, x3 += 4, w += BLOCK) {
            const wa = v128.load(w), wb = v128.load(w + V);
            let s = v128.load_splat<f32>(x0);
            a0 = plusProduct(a0, s, wa);
            b0 = plusProduct(b0, s, wb);
            s = v128.load_splat<f32>(x1);
            a1 = plusProduct(a1, s, wa);
            b1 = plusProduct(b1, s, wb);
            s = v128.load_splat<f32>(x2);
            a2 = plusProduct(a2, s, wa);
            b2 = plusProduct(b2, s, wb);
            s = v128.load_splat<f32>(x3);
            a3 = plusProduct(a3, s, wa);
            b3 = plusProduct(b3, s, wb);
          }
          x0 += gap, x1 += gap, x2 += gap, x3 += gap;
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

/** sums[j][o] += the sum over a row of x[p][j] dz[p][o], for the inputs j of each span of adjacent taps in turn. */
export function correlateRow(
  sums: usize, x: usize, rowBytes: usize, across: usize, dz: usize,
  width: usize, featuresIn: usize, outBytes: usize, rows: usize, columns: usize, present: usize,
): void {
  const pixel = featuresIn * 4;
  for (let r: usize = 0; r < rows; r++, x += rowBytes) {
    const used = usedColumns(r, rows, columns, present, false), span = adjacentTaps(used, across);
    for (let tap: usize = 0; tap < used; tap += span) {
      const xs = x + tap * across * pixel;
      for (let j: usize = 0; j < span * pixel; j += V, sums += PIXELS * outBytes) {
        for (let o: usize = 0; o < outBytes; o += BLOCK) {
          let a0 = f32x4.splat(0), b0 = a0, a1 = a0, b1 = a0, a2 = a0, b2 = a0, a3 = a0, b3 = a0;
          let xp = xs + j, d = dz + o;
          for (let p: usize = 0; p < width; p++, xp += pixel, d += outBytes) {
            const da = v128.load(d), db = v128.load(d + V);
            let s = v128.load_splat<f32>(xp);
            a0 = plusProduct(a0, s, da);
            b0 = plusProduct(b0, s, db);
            s = v128.load_splat<f32>(xp + 4);
            a1 = plusProduct(a1, s, da);
            b1 = plusProduct(b1, s, db);
            s = v128.load_splat<f32>(xp + 8);
            a2 = plusProduct(a2, s, da);
            b2 = plusProduct(b2, s, db);
            s = v128.load_splat<f32>(xp + 12);
            a3 = plusProduct(a3, s, da);
            b3 = plusProduct(b3, s, db);
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
}
