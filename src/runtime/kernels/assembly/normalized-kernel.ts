import { load4, startOf, step, write } from './tails';

// Kernels are [inputs,outputs], and four outputs are processed at a time. Their norms are sums of many squares, in
// float64.

/** y = gain direction / ||direction|| for each output. The square of a norm is at least `smallest`. */
export function normalizedKernel(
  y: usize, direction: usize, gain: usize,
  inputs: usize, outputs: usize, smallest: f64,
): void {
  const bytes = outputs * 4, end = inputs * bytes;
  for (let next: usize = 0; next < bytes; next += step(bytes)) {
    const o = startOf(next, bytes);
    let low = f64x2.splat(0), high = low; // the squares' sums, of two outputs each
    for (let i = o; i < end; i += bytes) {
      const v = load4(direction + i, bytes), vLow = lowHalf(v), vHigh = highHalf(v);
      low = f64x2.add(low, f64x2.mul(vLow, vLow));
      high = f64x2.add(high, f64x2.mul(vHigh, vHigh));
    }
    const factor = f32x4.div(load4(gain + o, bytes), joined(norms(low, smallest), norms(high, smallest)));
    for (let i = o; i < end; i += bytes) write(y + i, f32x4.mul(load4(direction + i, bytes), factor), bytes);
  }
}

/** The gradients of {@link normalizedKernel} from dy: ddirection, shaped like direction, and dgain [outputs]. */
export function normalizedKernelBack(
  ddirection: usize, dgain: usize, dy: usize, direction: usize, gain: usize,
  inputs: usize, outputs: usize, smallest: f64,
): void {
  const bytes = outputs * 4, end = inputs * bytes;
  for (let next: usize = 0; next < bytes; next += step(bytes)) {
    const o = startOf(next, bytes);
    let low = f64x2.splat(0), high = low, alongLow = low, alongHigh = low; // sums of squares, and of dy direction
    for (let i = o; i < end; i += bytes) {
      const v = load4(direction + i, bytes), vLow = lowHalf(v), vHigh = highHalf(v);
      const d = load4(dy + i, bytes);
      low = f64x2.add(low, f64x2.mul(vLow, vLow));
      high = f64x2.add(high, f64x2.mul(vHigh, vHigh));
      alongLow = f64x2.add(alongLow, f64x2.mul(lowHalf(d), vLow));
      alongHigh = f64x2.add(alongHigh, f64x2.mul(highHalf(d), vHigh));
    }
    const normLow = norms(low, smallest), normHigh = norms(high, smallest);
    write(dgain + o, joined(f64x2.div(alongLow, normLow), f64x2.div(alongHigh, normHigh)), bytes);
    const factor = f32x4.div(load4(gain + o, bytes), joined(normLow, normHigh));
    const along = joined(shares(alongLow, low, smallest), shares(alongHigh, high, smallest));
    for (let i = o; i < end; i += bytes) {
      const across = f32x4.sub(load4(dy + i, bytes), f32x4.mul(load4(direction + i, bytes), along));
      write(ddirection + i, f32x4.mul(across, factor), bytes);
    }
  }
}

/** The part of a gradient along the direction, which normalization removes; 0 if the norm is at its lower bound. */
@inline
function shares(along: v128, squares: v128, smallest: f64): v128 {
  return v128.and(f64x2.div(along, squares), f64x2.gt(squares, f64x2.splat(smallest)));
}

/** Norms from their squares. Keeps NaN. */
@inline
function norms(squares: v128, smallest: f64): v128 {
  return f64x2.sqrt(f64x2.pmax(squares, f64x2.splat(smallest)));
}

@inline
function lowHalf(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

@inline
function highHalf(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3));
}

/** Rounds two pairs of float64 to four float32 numbers. */
@inline
function joined(low: v128, high: v128): v128 {
  return v128.shuffle<f32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}
