/** e^x as in ../arithmetic.ts. */
@inline
export function exp(x: v128): v128 {
  const shift = f64x2.splat(6755399441056767); // 1.5 2^52 + 1023
  const shifted = f64x2.add(f64x2.mul(x, f64x2.splat(1.4426950408889634)), shift);
  const r = f64x2.sub(x, f64x2.mul(f64x2.sub(shifted, shift), f64x2.splat(0.6931471805599453)));
  const r2 = f64x2.mul(r, r), r4 = f64x2.mul(r2, r2);
  const p0 = f64x2.add(f64x2.splat(1), r);
  const p2 = f64x2.add(f64x2.splat(0.5), f64x2.mul(r, f64x2.splat(1.0 / 6)));
  const p4 = f64x2.add(f64x2.splat(1.0 / 24), f64x2.mul(r, f64x2.splat(1.0 / 120)));
  const p6 = f64x2.add(f64x2.splat(1.0 / 720), f64x2.mul(r, f64x2.splat(1.0 / 5040)));
  const p8 = f64x2.add(f64x2.splat(1.0 / 40320), f64x2.mul(r, f64x2.splat(1.0 / 362880)));
  const low = f64x2.add(p0, f64x2.mul(p2, r2)), high = f64x2.add(p4, f64x2.mul(p6, r2));
  const p = f64x2.add(low, f64x2.mul(f64x2.add(high, f64x2.mul(p8, r4)), r4));
  const power = i64x2.shl(shifted, 52); // 2^k, of its biased exponent in the last bits
  return v128.andnot(f64x2.mul(p, power), f64x2.lt(x, f64x2.splat(-708)));
}
