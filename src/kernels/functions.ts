import { exp } from './exp';

/** The functions of one number that kernels know, in float64, of exact operations. */
export const sigmoid = (x: number): number => 1 / (1 + exp(-x));

export const tanh = (x: number): number => {
  const e = exp(-2 * Math.abs(x));
  return Math.sign(x) * ((1 - e) / (1 + e));
};
