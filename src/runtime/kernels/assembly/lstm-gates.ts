import { exp, oneMinusExp } from './exp-f32';
import { ifPositive, withSign } from './gate-f32';

// Functions of four numbers at once.

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
