const LN2_HIGH: f32 = 0.693138122558594, LN2_LOW: f32 = 9.0580006144592e-6;
// Coefficients of s^2, s^4, ... in (ln((1 + s) / (1 - s)) - 2 s) / s, of fdlibm's logf.
const C1: f32 = 0.66666662693, C2: f32 = 0.40000972152, C3: f32 = 0.28498786688, C4: f32 = 0.24279078841;
/** The bits of sqrt(1/2), and how much less they are than the bits of 1. */
const ROOT: i32 = 0x3f3504f3, TO_ONE: i32 = 0x3f800000 - 0x3f3504f3;

/**
 * ln x of four normal positive float32 numbers, to the last digit or so; keeps NaN.
 *
 * ln x = k ln 2 + ln m with m from sqrt(1/2) to sqrt(2), and ln m = 2 artanh s = f - (f^2/2 - s (f^2/2 + series)) with
 * f = m - 1, s = f / (2 + f).
 */
export function log(x: v128): v128 {
  const bits = i32x4.add(x, i32x4.splat(TO_ONE));
  const k = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_s(bits, 23), i32x4.splat(127)));
  const m = i32x4.add(v128.and(bits, i32x4.splat(0x7fffff)), i32x4.splat(ROOT));
  const f = f32x4.sub(m, f32x4.splat(1));
  const s = f32x4.div(f, f32x4.add(f32x4.splat(2), f));
  const s2 = f32x4.mul(s, s), s4 = f32x4.mul(s2, s2);
  const odd = f32x4.mul(s2, f32x4.add(f32x4.splat(C1), f32x4.mul(s4, f32x4.splat(C3))));
  const even = f32x4.mul(s4, f32x4.add(f32x4.splat(C2), f32x4.mul(s4, f32x4.splat(C4))));
  const half = f32x4.mul(f32x4.splat(0.5), f32x4.mul(f, f));
  const low = f32x4.add(f32x4.mul(s, f32x4.add(half, f32x4.add(odd, even))), f32x4.mul(k, f32x4.splat(LN2_LOW)));
  const y = f32x4.add(f32x4.mul(k, f32x4.splat(LN2_HIGH)), f32x4.sub(f, f32x4.sub(half, low)));
  return f32x4.add(y, f32x4.sub(x, x)); // NaN of NaN
}
