import { exp } from './exp';
import { expFloat32, oneMinusExpFloat32 } from './exp-f32';

const { fround } = Math;

// The functions that kernels know, of exact operations, which give the same bits everywhere.

/** max(x, y) as f32x4.pmax has it: NaN stays in x. */
// biome-ignore lint/complexity/useMathMinMax: Math.max would lose the sign of -0
export const pmax = (x: number, y: number): number => (x < y ? y : x);

/** In float64, as tanh is. */
export const sigmoid = (x: number): number => 1 / (1 + exp(-x));

/** By its series to x^5 where x is so small that 1 - e would lose digits. */
export const tanh = (x: number): number => {
  const x2 = x * x;
  if (Math.abs(x) < 1 / 64) return x * (1 + x2 * (x2 * (2 / 15) - 1 / 3));
  const e = exp(-2 * Math.abs(x));
  return Math.sign(x) * ((1 - e) / (1 + e));
};

/** tanh(a) sigmoid(b) of float32 numbers, each step rounded to float32. */
export function tanhTimesSigmoid(a: number, b: number): number {
  const ma = oneMinusExpFloat32(-2 * Math.abs(a));
  const eb = expFloat32(-Math.abs(b));
  const above = b >= 0 ? ma : fround(ma * eb);
  const below = fround(fround(2 - ma) * fround(1 + eb));
  return Math.sign(a) * fround(above / below);
}
