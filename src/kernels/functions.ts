import { exp } from './exp';
import { expFloat32 } from './exp-f32';

const { fround } = Math;

/** The functions of one number that kernels know, in float64, of exact operations. */
export const sigmoid = (x: number): number => 1 / (1 + exp(-x));

export const tanh = (x: number): number => {
  const e = exp(-2 * Math.abs(x));
  return Math.sign(x) * ((1 - e) / (1 + e));
};

/** tanh(a) sigmoid(b) of float32 numbers, each step rounded to float32. */
export function tanhTimesSigmoid(a: number, b: number): number {
  const ea = expFloat32(-2 * Math.abs(a));
  const eb = expFloat32(-Math.abs(b));
  const above = b >= 0 ? fround(1 - ea) : fround(fround(1 - ea) * eb);
  const below = fround(fround(1 + ea) * fround(1 + eb));
  return Math.sign(a) * fround(above / below);
}
