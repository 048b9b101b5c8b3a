import { copy, plusProduct, sumOfLanes, transpose, V } from './vector';
import { BLOCK, LANES, PIXELS } from './window';

// The inner loops of causal attention and its gradients.
//
// A head's rows are copied side by side, as [places][size], with zeros up to whole tiles, so that no loop has a tail.
// Eight places at a time are transposed to [size][8], so that they lie in the lanes of two vectors, and are combined
// with the other places one by one. This way no sum, over features or over other places, runs over lanes.

@inline
export function rowBytes(size: usize): usize {
  return (size * 4 + V - 1) & ~(V - 1);
}

/** The bytes of a head, in whole blocks. */
@inline
export function headBytes(places: usize, size: usize): usize {
  return ((places + LANES - 1) & ~(LANES - 1)) * rowBytes(size);
}

/** A mask of the four lanes from `from` on: ones where they come after `lane`. */
@inline
export function laterThan(lane: usize, from: i32): v128 {
  return i32x4.gt_s(i32x4.add(i32x4(0, 1, 2, 3), i32x4.splat(from)), i32x4.splat(<i32>lane));
}

/** A mask of the four lanes from `from` on: ones where they do not come before `lane`. */
@inline
export function notBefore(lane: usize, from: i32): v128 {
  return i32x4.ge_s(i32x4.add(i32x4(0, 1, 2, 3), i32x4.splat(from)), i32x4.splat(<i32>lane));
}

/** to[place][lane] = sum of x[place][i] t[i][lane], four places at a time, so x and to must hold whole fours. */
export function dots(to: usize, x: usize, places: usize, row: usize, t: usize): void {
  for (const end = to + places * BLOCK; to < end; to += PIXELS * BLOCK, x += PIXELS * row) {
    let a0 = f32x4.splat(0), b0 = a0, a1 = a0, b1 = a0, a2 = a0, b2 = a0, a3 = a0, b3 = a0;
    let x0 = x, x1 = x0 + row, x2 = x1 + row, x3 = x2 + row;
    for (let ti = t, last = t + row * LANES; ti < last; x0 += 4, x1 += 4, x2 += 4, x3 += 4, ti += BLOCK) {
      const ta = v128.load(ti), tb = v128.load(ti, 16);
      let s = v128.load32_splat(x0);
      a0 = plusProduct(a0, s, ta);
      b0 = plusProduct(b0, s, tb);
      s = v128.load32_splat(x1);
      a1 = plusProduct(a1, s, ta);
      b1 = plusProduct(b1, s, tb);
      s = v128.load32_splat(x2);
      a2 = plusProduct(a2, s, ta);
      b2 = plusProduct(b2, s, tb);
      s = v128.load32_splat(x3);
      a3 = plusProduct(a3, s, ta);
      b3 = plusProduct(b3, s, tb);
    }
    v128.store(to, a0);
    v128.store(to, b0, 16);
    v128.store(to, a1, 32);
    v128.store(to, b1, 48);
    v128.store(to, a2, 64);
    v128.store(to, b2, 80);
    v128.store(to, a3, 96);
    v128.store(to, b3, 112);
  }
}

/** t[i][lane] += sum over places of x[place][i] w[place][lane], four features at a time. */
export function addProducts(t: usize, x: usize, places: usize, row: usize, w: usize): void {
  const end = w + places * BLOCK;
  for (let i: usize = 0; i < row; i += V, t += 4 * BLOCK) {
    let a0 = v128.load(t), b0 = v128.load(t, 16), a1 = v128.load(t, 32), b1 = v128.load(t, 48);
    let a2 = v128.load(t, 64), b2 = v128.load(t, 80), a3 = v128.load(t, 96), b3 = v128.load(t, 112);
    for (let wi = w, xi = x + i; wi < end; wi += BLOCK, xi += row) {
      const wa = v128.load(wi), wb = v128.load(wi, 16);
      let s = v128.load32_splat(xi);
      a0 = plusProduct(a0, s, wa);
      b0 = plusProduct(b0, s, wb);
      s = v128.load32_splat(xi, 4);
      a1 = plusProduct(a1, s, wa);
      b1 = plusProduct(b1, s, wb);
      s = v128.load32_splat(xi, 8);
      a2 = plusProduct(a2, s, wa);
      b2 = plusProduct(b2, s, wb);
      s = v128.load32_splat(xi, 12);
      a3 = plusProduct(a3, s, wa);
      b3 = plusProduct(b3, s, wb);
    }
    v128.store(t, a0);
    v128.store(t, b0, 16);
    v128.store(t, a1, 32);
    v128.store(t, b1, 48);
    v128.store(t, a2, 64);
    v128.store(t, b2, 80);
    v128.store(t, a3, 96);
    v128.store(t, b3, 112);
  }
}

/** to[place][i] += sum over lanes of w[place][lane] x[lane][i] */
export function addWeighted(to: usize, w: usize, places: usize, row: usize, x: usize): void {
  const end = w + places * BLOCK;
  for (const last = x + row; x < last; x += V, to += V) {
    let xi = x;
    const x0 = v128.load(xi), x1 = v128.load((xi += row)), x2 = v128.load((xi += row)), x3 = v128.load((xi += row));
    const x4 = v128.load((xi += row)), x5 = v128.load((xi += row)), x6 = v128.load((xi += row));
    const x7 = v128.load(xi + row);
    for (let wi = w, ti = to; wi < end; wi += BLOCK, ti += row) {
      let a = f32x4.mul(v128.load32_splat(wi), x0), b = f32x4.mul(v128.load32_splat(wi, 4), x1);
      a = plusProduct(a, v128.load32_splat(wi, 8), x2);
      b = plusProduct(b, v128.load32_splat(wi, 12), x3);
      a = plusProduct(a, v128.load32_splat(wi, 16), x4);
      b = plusProduct(b, v128.load32_splat(wi, 20), x5);
      a = plusProduct(a, v128.load32_splat(wi, 24), x6);
      b = plusProduct(b, v128.load32_splat(wi, 28), x7);
      v128.store(ti, f32x4.add(v128.load(ti), f32x4.add(a, b)));
    }
  }
}

/** The dot product of two rows of whole vectors. */
export function dot(x: usize, y: usize, bytes: usize): f32 {
  let sum = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += V) sum = f32x4.add(sum, f32x4.mul(v128.load(x + i), v128.load(y + i)));
  return sumOfLanes(sum);
}

/** Copies places of a head side by side, with zeros up to whole blocks of places and whole vectors of features. */
export function pack(to: usize, from: usize, places: usize, stride: usize, bytes: usize, row: usize): void {
  if (bytes < row || places % LANES != 0) memory.fill(to, 0, ((places + LANES - 1) & ~(LANES - 1)) * row);
  for (; places > 0; places--, from += stride, to += row) copy(to, from, bytes);
}

/** The inverse of {@link pack}. */
export function unpack(to: usize, from: usize, places: usize, stride: usize, bytes: usize, row: usize): void {
  for (; places > 0; places--, from += row, to += stride) copy(to, from, bytes);
}

/** [8][size] -> [size][8] */
export function toLanes(to: usize, from: usize, row: usize): void {
  turn(to, BLOCK, 4 * BLOCK, from, row, V, row);
  turn(to + V, BLOCK, 4 * BLOCK, from + 4 * row, row, V, row);
}

/** [size][8] -> [8][size] */
export function fromLanes(to: usize, from: usize, row: usize): void {
  turn(to, row, V, from, BLOCK, 4 * BLOCK, row);
  turn(to + 4 * row, row, V, from + V, BLOCK, 4 * BLOCK, row);
}

/** Transposes four rows of four, and continues with the next ones. */
function turn(to: usize, toStride: usize, toNext: usize, from: usize, stride: usize, next: usize, bytes: usize): void {
  for (; bytes > 0; bytes -= V, to += toNext, from += next) {
    transpose(to, toStride, 2 * toStride, 3 * toStride, from, stride, 2 * stride, 3 * stride);
  }
}
