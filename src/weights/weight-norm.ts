import { type ModelWeight, type Origin, permuted } from './model-weights';

// Weight-normed convolutions as PyTorch saves them: `weight_v`, `weight_g` and `bias`.

/** Returns gain direction / ||direction||, with the norm of each slice along the first axis, as in PyTorch. */
export function weightNorm(direction: Float32Array, gain: Float32Array): Float32Array {
  const size = direction.length / gain.length;
  const kernel = new Float32Array(direction.length);
  for (const [i, length] of gain.entries()) {
    const part = direction.subarray(i * size, (i + 1) * size);
    const norm = Math.sqrt(part.reduce((sum, one) => sum + one * one, 0));
    for (const [j, one] of part.entries()) kernel[i * size + j] = (length * one) / norm;
  }
  return kernel;
}

/** The tensors of a direction of this shape, and of its gain. */
export const directionAndGain = (conv: string, shape: readonly number[]) =>
  [
    { name: `${conv}.weight_v`, shape },
    { name: `${conv}.weight_g`, shape: shape.map((size, axis) => (axis === 0 ? size : 1)) },
  ] as const;

/** The bias of a convolution that is called `conv` there. */
export const biasOrigin = (conv: string, features: number): Origin => ({
  parts: [{ name: `${conv}.bias`, shape: [features] }],
  make: (bias) => bias,
});

/**
 * The tensors of a weight of a convolution that is called `conv` there. `isLinear`: it is a linear
 * layer there, without rows and columns. `isFolded`: it is normalized there, but not here.
 */
export function normalizedOrigin(
  conv: string,
  { role, kernel }: ModelWeight,
  { isLinear, isFolded = false }: { readonly isLinear: boolean; readonly isFolded?: boolean },
): Origin {
  const [rows, columns, featuresIn, featuresOut] = kernel as [number, number, number, number];
  if (role === 'bias') return biasOrigin(conv, featuresOut);
  const whole = [featuresOut, featuresIn, rows, columns];
  const [direction, gain] = directionAndGain(conv, isLinear ? whole.slice(0, 2) : whole);
  const turned = (v: Float32Array) => permuted(v, whole, [2, 3, 1, 0]); // [out,in,rows,columns] -> [rows,columns,in,out]
  if (isFolded) return { parts: [direction, gain], make: (v, g) => turned(weightNorm(v, g)) };
  return role === 'kernel' ? { parts: [direction], make: turned } : { parts: [gain], make: (g) => g }; // [out,1,1,1] -> [out]
}
