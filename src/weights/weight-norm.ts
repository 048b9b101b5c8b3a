import { type ModelWeight, type Origin, permuted } from './model-weights';

// Weight-normed convolutions as PyTorch saves them: `weight_v`, `weight_g` and `bias`.

/** What turns this library's name of a convolution, `layer.part`, into another program's: replacements, one after the other. */
export type Renaming = readonly (readonly [
  pattern: RegExp,
  replacement: string | ((match: string, group: string) => string),
])[];

/** Another program's name for a convolution; null if it is none of those that match `known`. */
export function convolutionName(
  { layer, part }: ModelWeight,
  renaming: Renaming,
  known: RegExp,
): string | null {
  const name = renaming.reduce(
    (old, [pattern, to]) => old.replace(pattern, to as string),
    `${layer}.${part}`,
  );
  return known.test(name) ? name : null;
}

/**
 * The tensors of a weight of a convolution that is called `conv` there. `isLinear`: it is a linear layer there, without
 * rows and columns. `isTransposed`: there, it is a transposed one. `isAnew`: it is normalized otherwise here, or not at
 * all, so the direction is the kernel itself, and the gains are its norms.
 */
export function normalizedOrigin(
  conv: string,
  { role, kernel }: ModelWeight,
  {
    isLinear = false,
    isTransposed = false,
    isAnew = isTransposed,
  }: { readonly isLinear?: boolean; readonly isTransposed?: boolean; readonly isAnew?: boolean },
): Origin {
  const [rows, columns, featuresIn, featuresOut] = kernel as [number, number, number, number];
  if (role === 'bias')
    return { parts: [{ name: `${conv}.bias`, shape: [featuresOut] }], make: (bias) => bias };
  const features = isTransposed ? [featuresIn, featuresOut] : [featuresOut, featuresIn];
  const window = isLinear ? [] : [rows, columns];
  const shape = [...features, ...window];
  const direction = { name: `${conv}.weight_v`, shape };
  const gain = { name: `${conv}.weight_g`, shape: shape.map((size, axis) => (axis === 0 ? size : 1)) };
  // [out,in,rows,columns] or [in,out,rows,columns] -> [rows,columns,in,out]
  const turned = (v: Float32Array) =>
    permuted(v, [...features, rows, columns], isTransposed ? [2, 3, 0, 1] : [2, 3, 1, 0]);
  const isKernel = role === 'kernel';
  if (isAnew) {
    return {
      parts: [direction, gain],
      make(v, g) {
        const whole = turned(weightNorm(v, g));
        return isKernel ? whole : norms(whole, featuresOut);
      },
    };
  }
  return isKernel ? { parts: [direction], make: turned } : { parts: [gain], make: (g) => g }; // [out,1,1,1] -> [out]
}

/** Returns gain direction / ||direction||, with the norm of each slice along the first axis, as in PyTorch. */
export function weightNorm(direction: Float32Array, gain: Float32Array): Float32Array {
  const size = direction.length / gain.length;
  const kernel = new Float32Array(direction.length);
  for (const [i, length] of gain.entries()) {
    const part = direction.subarray(i * size, (i + 1) * size);
    const norm = Math.sqrt(part.reduce((sum, one) => sum + one * one, 0));
    kernel.set(
      part.map((one) => (length * one) / norm),
      i * size,
    );
  }
  return kernel;
}

/** The norm of each output's weights, [rows,columns,in,out] -> [out]. */
function norms(kernel: Float32Array, featuresOut: number): Float32Array {
  const squares = new Float64Array(featuresOut);
  for (const [i, one] of kernel.entries()) {
    squares[i % featuresOut] = (squares[i % featuresOut] as number) + one * one;
  }
  return Float32Array.from(squares, Math.sqrt);
}
