import { load4, startOf, step, write } from './tails';

/**
 * A step of Adam: new weights y and means m1 of gradients and v1 of their squares, from gradients g, weights x and means m
 * and v, all [size]. At the addresses of `ofBeta1` and `ofBeta2` are the powers of beta1 and beta2 that the means of all
 * steps so far leave to their start. `rest1` is 1 - beta1; `rate` is negative. In the order of tfjs's operations.
 */
export function adam(
  y: usize, m1: usize, v1: usize, g: usize, x: usize, m: usize, v: usize, ofBeta1: usize, ofBeta2: usize,
  size: usize, beta1: f32, rest1: f32, beta2: f32, rest2: f32, epsilon: f32, rate: f32,
): void {
  const bytes = size * 4;
  const sum1 = f32x4.splat(1 - load<f32>(ofBeta1)), sum2 = f32x4.splat(1 - load<f32>(ofBeta2));
  for (let next: usize = 0; next < bytes; next += step(bytes)) {
    const i = startOf(next, bytes);
    const gradient = load4(g + i, bytes);
    const mean = blend(load4(m + i, bytes), beta1, gradient, rest1);
    const squares = blend(load4(v + i, bytes), beta2, f32x4.mul(gradient, gradient), rest2);
    const deviation = f32x4.add(f32x4.sqrt(f32x4.div(squares, sum2)), f32x4.splat(epsilon));
    const change = f32x4.mul(f32x4.div(f32x4.div(mean, sum1), deviation), f32x4.splat(rate));
    write(m1 + i, mean, bytes);
    write(v1 + i, squares, bytes);
    write(y + i, f32x4.add(change, load4(x + i, bytes)), bytes);
  }
}

function blend(x: v128, a: f32, y: v128, b: f32): v128 {
  return f32x4.add(f32x4.mul(x, f32x4.splat(a)), f32x4.mul(y, f32x4.splat(b)));
}
