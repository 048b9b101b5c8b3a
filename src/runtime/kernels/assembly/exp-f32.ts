// The exponential of ../arithmetic.ts, of four numbers at once: e^x = 2^k e^r.

// ln 2 in two parts. The product of k and the first is exact.
const LN2_HIGH: f32 = 0.693145751953125, LN2_LOW: f32 = 1.428606765330187e-6;
const LOG2E: f32 = 1.442695;
/** 1.5 2^23 + 127. Adding it rounds to an integer, and leaves the biased exponent of 2^k in the last bits. */
const SHIFT: f32 = 12583039;
// Coefficients of r^3 to r^6 in e^r - 1.
const C3: f32 = 0.16666576, C4: f32 = 0.041666556, C5: f32 = 0.008363203, C6: f32 = 0.0013926213;
/** The x from which on downwards e^x is 0, because 2^k underflows. */
const LOWEST: f32 = -88;

@inline
export function exp(x: v128): v128 {
  const inRange = clamped(x), power = powerOf2(inRange);
  return f32x4.add(power, scaledExpm1(inRange, power));
}

/** 1 - e^x, accurate even where e^x is close to 1. */
@inline
export function oneMinusExp(x: v128): v128 {
  const inRange = clamped(x), power = powerOf2(inRange);
  return f32x4.sub(f32x4.sub(f32x4.splat(1), power), scaledExpm1(inRange, power));
}

/** x, at least {@link LOWEST}. Keeps NaN. */
@inline
export function clamped(x: v128): v128 {
  return f32x4.pmax(x, f32x4.splat(LOWEST));
}

/** 2^k, for a clamped x. */
@inline
export function powerOf2(x: v128): v128 {
  return i32x4.shl(shifted(x), 23);
}

/** 2^k (e^r - 1) */
@inline
export function scaledExpm1(x: v128, power: v128): v128 {
  const k = f32x4.sub(shifted(x), f32x4.splat(SHIFT));
  const xr = f32x4.sub(x, f32x4.mul(k, f32x4.splat(LN2_HIGH)));
  const r = f32x4.sub(xr, f32x4.mul(k, f32x4.splat(LN2_LOW)));
  const r2 = f32x4.mul(r, r);
  const low = f32x4.add(f32x4.splat(0.5), f32x4.mul(r, f32x4.splat(C3)));
  const c4 = f32x4.add(f32x4.splat(C4), f32x4.mul(r, f32x4.splat(C5)));
  const high = f32x4.add(c4, f32x4.mul(f32x4.splat(C6), r2));
  const sum = f32x4.add(low, f32x4.mul(high, r2));
  return f32x4.mul(power, f32x4.add(r, f32x4.mul(sum, r2)));
}

/** k, in the last bits. */
@inline
function shifted(x: v128): v128 {
  return f32x4.add(f32x4.mul(x, f32x4.splat(LOG2E)), f32x4.splat(SHIFT));
}
