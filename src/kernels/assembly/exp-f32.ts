/** e^x of float32 numbers of at most 0, to seven digits; 0 below -87, NaN of NaN. */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  const shift = f32x4.splat(12583039); // 1.5 2^23 + 127
  const shifted = f32x4.add(f32x4.mul(x, f32x4.splat(1.442695)), shift);
  const k = f32x4.sub(shifted, shift);
  // ln 2 in two parts, of which the first times k is exact
  const r = f32x4.sub(f32x4.sub(x, f32x4.mul(k, f32x4.splat(0.693145751953125))), f32x4.mul(k, f32x4.splat(1.428606765330187e-6)));
  const r2 = f32x4.mul(r, r);
  const low = f32x4.add(f32x4.add(f32x4.splat(1), r), f32x4.mul(f32x4.add(f32x4.splat(0.5), f32x4.mul(r, f32x4.splat(1.0 / 6))), r2));
  const high = f32x4.add(f32x4.add(f32x4.splat(1.0 / 24), f32x4.mul(r, f32x4.splat(1.0 / 120))), f32x4.mul(f32x4.splat(1.0 / 720), r2));
  const p = f32x4.add(low, f32x4.mul(high, f32x4.mul(r2, r2)));
  const power = i32x4.shl(shifted, 23); // 2^k, of its biased exponent in the last bits
  return v128.andnot(f32x4.mul(p, power), f32x4.lt(x, f32x4.splat(-87)));
}
