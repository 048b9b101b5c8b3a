import { V } from './vector';

/**
 * y = max(start + x w, lowerBound): y[n][o] from start[n][o] + x[n][0] w[0][o] + x[n][1] w[1][o] + ..., in tiles of
 * images and outputs held in registers. A start stride of 0 gives every image the same start. Weights lie in blocks of
 * four outputs, [outputs/4][inputs][4], so that a tile reads them sequentially; `block` is the distance from one block
 * to the next.
 *
 * Each sum runs over the inputs in order. The sums of a tile are independent of each other: 8 outputs for
 * four images, or 16 for a single one, the most that fit in registers next to the loaded numbers.
 */
export function product(
  y: usize, yStride: usize, start: usize, startStride: usize, x: usize, xStride: usize, w: usize,
  block: usize,
  images: usize, inputs: usize, span: usize, gap: usize, outputs: usize, lowerBound: f32,
): void {
  const bound = f32x4.splat(lowerBound), bytes = outputs * 4, inputBytes = inputs * V, spanBytes = span * V;
  let o: usize = 0;
  for (let wo = w, end = w + inputBytes; o < bytes && images >= 4; o += 2 * V) {
    const isHalf = bytes - o == V;
    let yn = y + o, sn = start + o, xn = x;
    for (let n = images; n >= 4; n -= 4) {
      if (isHalf) fourByFour(yn, yStride, sn, startStride, xn, xStride, wo, end, spanBytes, gap, bound);
      else fourByEight(yn, yStride, sn, startStride, xn, xStride, wo, end, spanBytes, gap, block, bound);
      yn += 4 * yStride;
      sn += 4 * startStride;
      xn += 4 * xStride;
    }
    wo += 2 * block;
    end += 2 * block;
  }
  for (let n = images & ~3; n < images; n++) {
    one(y + n * yStride, start + n * startStride, x + n * xStride, w, inputBytes, spanBytes, gap, block, bytes, bound);
  }
}

@inline
function fourByEight(
  y: usize, yStride: usize, start: usize, startStride: usize, x0: usize, xStride: usize, w: usize,
  end: usize, span: usize, gap: usize, block: usize, bound: v128,
): void {
  let a0 = v128.load(start), b0 = v128.load(start, 16);
  let a1 = v128.load((start += startStride)), b1 = v128.load(start, 16);
  let a2 = v128.load((start += startStride)), b2 = v128.load(start, 16);
  let a3 = v128.load((start += startStride)), b3 = v128.load(start, 16);
  let x1 = x0 + xStride, x2 = x1 + xStride, x3 = x2 + xStride;
  while (w < end) {
    const next = min(w + span, end);
    for (; w < next; x0 += 4, x1 += 4, x2 += 4, x3 += 4, w += V) {
      const wa = v128.load(w), wb = v128.load(w + block);
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
    }
    x0 += gap, x1 += gap, x2 += gap, x3 += gap;
  }
  v128.store(y, f32x4.pmax(a0, bound));
  v128.store(y, f32x4.pmax(b0, bound), 16);
  v128.store((y += yStride), f32x4.pmax(a1, bound));
  v128.store(y, f32x4.pmax(b1, bound), 16);
  v128.store((y += yStride), f32x4.pmax(a2, bound));
  v128.store(y, f32x4.pmax(b2, bound), 16);
  v128.store((y += yStride), f32x4.pmax(a3, bound));
  v128.store(y, f32x4.pmax(b3, bound), 16);
}

@inline
function fourByFour(
  y: usize, yStride: usize, start: usize, startStride: usize, x0: usize, xStride: usize, w: usize,
  end: usize, span: usize, gap: usize, bound: v128,
): void {
  let a0 = v128.load(start), a1 = v128.load((start += startStride));
  let a2 = v128.load((start += startStride)), a3 = v128.load((start += startStride));
  let x1 = x0 + xStride, x2 = x1 + xStride, x3 = x2 + xStride;
  while (w < end) {
    const next = min(w + span, end);
    for (; w < next; x0 += 4, x1 += 4, x2 += 4, x3 += 4, w += V) {
      const wa = v128.load(w);
      let s = v128.load_splat<f32>(x0);
      a0 = f32x4.add(a0, f32x4.mul(s, wa));
      s = v128.load_splat<f32>(x1);
      a1 = f32x4.add(a1, f32x4.mul(s, wa));
      s = v128.load_splat<f32>(x2);
      a2 = f32x4.add(a2, f32x4.mul(s, wa));
      s = v128.load_splat<f32>(x3);
      a3 = f32x4.add(a3, f32x4.mul(s, wa));
    }
    x0 += gap, x1 += gap, x2 += gap, x3 += gap;
  }
  v128.store(y, f32x4.pmax(a0, bound));
  v128.store((y += yStride), f32x4.pmax(a1, bound));
  v128.store((y += yStride), f32x4.pmax(a2, bound));
  v128.store((y += yStride), f32x4.pmax(a3, bound));
}

/** All outputs of one image: 16 at once, then the rest. */
@inline
function one(
  y: usize, start: usize, x: usize, w: usize, inputBytes: usize, span: usize, gap: usize, block: usize, bytes: usize,
  bound: v128,
): void {
  const block2: usize = 2 * block, block3: usize = 3 * block;
  for (; bytes >= 4 * V; bytes -= 4 * V) {
    let a = v128.load(start), b = v128.load(start, 16), c = v128.load(start, 32), d = v128.load(start, 48);
    let xi = x;
    const end = w + inputBytes;
    for (; w < end; xi += gap) {
      const next = min(w + span, end);
      for (; w + V < next; xi += 8, w += 2 * V) {
        let s = v128.load_splat<f32>(xi);
        a = f32x4.add(a, f32x4.mul(s, v128.load(w)));
        b = f32x4.add(b, f32x4.mul(s, v128.load(w + block)));
        c = f32x4.add(c, f32x4.mul(s, v128.load(w + block2)));
        d = f32x4.add(d, f32x4.mul(s, v128.load(w + block3)));
        s = v128.load_splat<f32>(xi, 4);
        a = f32x4.add(a, f32x4.mul(s, v128.load(w, 16)));
        b = f32x4.add(b, f32x4.mul(s, v128.load(w + block, 16)));
        c = f32x4.add(c, f32x4.mul(s, v128.load(w + block2, 16)));
        d = f32x4.add(d, f32x4.mul(s, v128.load(w + block3, 16)));
      }
      if (w < next) {
        const s = v128.load_splat<f32>(xi);
        a = f32x4.add(a, f32x4.mul(s, v128.load(w)));
        b = f32x4.add(b, f32x4.mul(s, v128.load(w + block)));
        c = f32x4.add(c, f32x4.mul(s, v128.load(w + block2)));
        d = f32x4.add(d, f32x4.mul(s, v128.load(w + block3)));
        xi += 4;
        w += V;
      }
    }
    v128.store(y, f32x4.pmax(a, bound));
    v128.store(y, f32x4.pmax(b, bound), 16);
    v128.store(y, f32x4.pmax(c, bound), 32);
    v128.store(y, f32x4.pmax(d, bound), 48);
    y += 4 * V;
    start += 4 * V;
    w += 4 * block - inputBytes;
  }
  if (bytes > 0) {
    // If fewer than three vectors are left, the last one is repeated.
    const end = w + inputBytes, last = bytes - V, second = min(V, last);
    const wSecond = second / V * block, wLast = last / V * block;
    let a = v128.load(start), b = v128.load(start + second), c = v128.load(start + last);
    for (; w < end; x += gap) {
      for (const next = min(w + span, end); w < next; x += 4, w += V) {
        const s = v128.load_splat<f32>(x);
        a = f32x4.add(a, f32x4.mul(s, v128.load(w)));
        b = f32x4.add(b, f32x4.mul(s, v128.load(w + wSecond)));
        c = f32x4.add(c, f32x4.mul(s, v128.load(w + wLast)));
      }
    }
    v128.store(y, f32x4.pmax(a, bound));
    v128.store(y + second, f32x4.pmax(b, bound));
    v128.store(y + last, f32x4.pmax(c, bound));
  }
}

/** y = max(start + x[0] w[0] + x[1] w[1] + ..., lowerBound), feature by feature, over rows of x and w at some distances. */
export function depthwise(
  y: usize, start: usize, x: usize, xRow: usize, w: usize, wRow: usize, rows: usize, bytes: usize, lowerBound: f32,
): void {
  for (let o: usize = 0; o < bytes; o += V) {
    let sum = v128.load(start + o);
    for (let i: usize = 0, xi = x + o, wi = w + o; i < rows; i++, xi += xRow, wi += wRow)
      sum = f32x4.add(sum, f32x4.mul(v128.load(xi), v128.load(wi)));
    v128.store(y + o, f32x4.pmax(sum, f32x4.splat(lowerBound)));
  }
}
