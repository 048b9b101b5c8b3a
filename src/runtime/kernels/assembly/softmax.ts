import { exp } from './exp';
import { exp as expF32 } from './exp-f32';
import { largestOfLanes, sumOfLanes, V } from './vector';

/** y[n][l] = e^((x[n][l] - max x[n]) scale), float64, and its sums; x is padded to whole vectors with -Infinity. */
export function softmax(y: usize, sums: usize, x: usize, images: usize, levels: usize, scale: f64): void {
  const s = f64x2.splat(scale);
  for (let n: usize = 0; n < images; n++, x += levels * 4, y += levels * 8, sums += 8) {
    const max = f64x2.promote_low_f32x4(largest(x, levels * 4));
    let low = f64x2.splat(0), high = low; // sums of levels 0, 1, 4, 5, ... and of 2, 3, 6, 7, ...
    for (let i: usize = 0; i < levels; i += 2) {
      const logits = f64x2.promote_low_f32x4(v128.load64_zero(x + i * 4));
      const e = exp(f64x2.mul(f64x2.sub(logits, max), s));
      v128.store(y + i * 8, e);
      const sum = f64x2.add(low, e);
      low = high;
      high = sum;
    }
    const sum = f64x2.add(low, high);
    store<f64>(sums, f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
  }
}

/**
 * `drawCertain` of `SamplingKernels`, which inverts the distribution function in float32.
 *
 * With one rounding of at most 2^-24 a step, a cumulative sum and the threshold are each within
 * (levels / 4 + 3 log levels + 12) 2^-24 of the total. So a level is certain if the sums before and
 * with it are farther than (levels + 128) 2^-24 from the threshold.
 */
export function drawCertain(
  drawn: usize, uniforms: usize, row: usize, x: usize,
  images: usize, levels: usize, scale: f64,
): void {
  const bytes = levels * 4, s = f32x4.splat(<f32>scale), tolerance = <f32>(levels + 128) * 5.9604644775390625e-8;
  for (let n: usize = 0; n < images; n++, x += bytes, uniforms += 8, drawn += 4) {
    const max = largest(x, bytes);
    let sums = f32x4.splat(0);
    for (let i: usize = 0; i < bytes; i += V) {
      const e = expF32(f32x4.mul(f32x4.sub(v128.load(x + i), max), s));
      v128.store(row + i, e);
      sums = f32x4.add(sums, e);
    }
    const total = sumOfLanes(sums), threshold = <f32>load<f64>(uniforms) * total, margin = tolerance * total;
    let i: usize = 0;
    let before: f32 = 0, after: f32 = 0; // sums of the levels before i, and with those at i
    for (; i < bytes; i += V, before = after) {
      after = before + sumOfLanes(v128.load(row + i));
      if (after > threshold) break;
    }
    for (; i < bytes; i += 4, before = after) {
      after = before + load<f32>(row + i);
      if (after > threshold) break;
    }
    const isCertain = after - threshold > margin && (i == 0 || threshold - before > margin); // false if one is NaN
    store<i32>(drawn, isCertain ? <i32>(i >> 2) : -1);
  }
}

/** The largest of `bytes / 4` numbers, in every lane. */
@inline
function largest(x: usize, bytes: usize): v128 {
  let m = v128.load(x);
  for (let i: usize = V; i < bytes; i += V) m = f32x4.pmax(m, v128.load(x + i));
  return largestOfLanes(m);
}
