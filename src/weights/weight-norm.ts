import { inOrder, type Origin } from './model-weights';

// Weight-normed convolutions as PyTorch saves them: `weight_v` and `weight_g`.

/**
 * The tensors of a normalized kernel, or of its gain, whose name there is `….weight_v` or `….weight_g`.
 *
 * @param order how the kernel's axes [rows,columns,in,out] lie there
 * @param isAnew whether it is normalized otherwise here, or not at all, so that the direction is the kernel itself, and
 * the gains are its norms
 */
export function normalizedOrigin(
  name: string,
  role: string,
  kernel: readonly number[],
  order: readonly number[],
  isAnew: boolean,
): Origin {
  const direction = inOrder(name.replace(/g$/, 'v'), kernel, order);
  const gain = {
    name: name.replace(/v$/, 'g'),
    shape: order.map((axis, i) => (i === 0 ? (kernel[axis] as number) : 1)),
  };
  const isKernel = role === 'kernel';
  if (!isAnew) return isKernel ? direction : { parts: [gain], make: (g) => g }; // [out,1,1,1] -> [out]
  return {
    parts: [...direction.parts, gain],
    make(v, g) {
      const whole = direction.make(weightNorm(v, g));
      return isKernel ? whole : norms(whole, kernel.at(-1) as number);
    },
  };
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
