import { exp, oneMinusExp } from './exp-f32';

/** tanh(a) sigmoid(b) of float32 numbers: with e = e^-2|a|, tanh |a| is (1 - e) / (1 + e). */
@inline
export function tanhTimesSigmoid(a: v128, b: v128): v128 {
  const ma = oneMinusExp(f32x4.mul(f32x4.abs(a), f32x4.splat(-2))), eb = exp(f32x4.neg(f32x4.abs(b)));
  const one = f32x4.splat(1);
  const above = f32x4.mul(ma, ifPositive(b, one, eb));
  const below = f32x4.mul(f32x4.sub(f32x4.splat(2), ma), f32x4.add(one, eb));
  return withSign(f32x4.div(above, below), a);
}

@inline
export function timesSigmoid(a: v128, b: v128): v128 {
  const eb = exp(f32x4.neg(f32x4.abs(b)));
  return f32x4.div(ifPositive(b, a, f32x4.mul(a, eb)), f32x4.add(f32x4.splat(1), eb));
}

@inline
export function ifPositive(x: v128, yes: v128, no: v128): v128 {
  return v128.bitselect(yes, no, f32x4.ge(x, f32x4.splat(0)));
}

/** A non-negative number with the sign of another. */
@inline
export function withSign(x: v128, sign: v128): v128 {
  return v128.or(x, v128.and(sign, f32x4.splat(-0.0)));
}

export function sigmoid(x: v128): v128 {
  const e = exp(f32x4.neg(f32x4.abs(x))), one = f32x4.splat(1);
  return f32x4.div(ifPositive(x, one, e), f32x4.add(one, e));
}

export function tanh(x: v128): v128 {
  const m = oneMinusExp(f32x4.mul(f32x4.abs(x), f32x4.splat(-2)));
  return withSign(f32x4.div(m, f32x4.sub(f32x4.splat(2), m)), x);
}

/** y (1 - y) */
@inline
export function slopeOfSigmoid(y: v128): v128 {
  return f32x4.mul(y, f32x4.sub(f32x4.splat(1), y));
}

/** 1 - y^2 */
@inline
export function slopeOfTanh(y: v128): v128 {
  return f32x4.sub(f32x4.splat(1), f32x4.mul(y, y));
}
