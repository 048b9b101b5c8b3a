import { sizeFromShape } from '../runtime/core/check';
import { inOrder, type ModelWeight, type Origin, permuted } from './model-weights';
import type { Repository } from './repositories';

/** What PyTorch's wrappers add to names: DistributedDataParallel in front, torch.compile also before an inner module. */
const ADDED = /^(?:(?:module|_orig_mod)\.)+|(?<=\.)_orig_mod\./g;

/** Buffers, which are not weights: masks, positions, counts. */
const BUFFER = /(?:^|\.)(?:mask|background|num_batches_tracked|n_averaged)$/;

/** The name of a tensor without what wrappers add to it; null if it is no weight. */
export function unwrappedName(name: string, { prefix, ignored }: Partial<Repository> = {}): string | null {
  const own = name.replaceAll(ADDED, '').replace(prefix ?? '', '');
  return BUFFER.test(own) || ignored?.test(own) ? null : own;
}

/** Finds the tensors of a state dict that each weight of a model is computed from; null for weights that it does not have. */
export function originsIn(repository: Repository, weights: readonly ModelWeight[]): (Origin | null)[] {
  const { known, linear, inputsFirst, normalizedAnew } = repository;
  const names = weights.map(({ name }) => nameIn(repository, name, weights));
  return weights.map((weight, i): Origin | null => {
    const name = names[i] as string;
    if (known?.test(name) === false) return null;
    const areInputsFirst = inputsFirst?.test(name) ?? false;
    if (!/\.weight_[vg]$/.test(name)) {
      const sameName = weights.filter((_, k) => names[k] === name);
      return rowsOrigin(name, weight, sameName, areInputsFirst);
    }
    if (weight.kernel === null) return null;
    const features = areInputsFirst ? [2, 3] : [3, 2]; // of [rows,columns,in,out]
    const order = linear?.test(name) ? features : [...features, 0, 1];
    return normalizedOrigin(name, weight.role, weight.kernel, order, normalizedAnew?.test(name) ?? false);
  });
}

/** The name of a weight there. */
function nameIn({ names }: Repository, name: string, weights: readonly ModelWeight[]): string {
  const theirs = names.reduce((old, [pattern, replacement]) => old.replace(pattern, replacement), name);
  return theirs.replace(/<(\w+)>/, (_, n: string) => {
    const layers = new Set(weights.map(({ layer }) => layer).filter((layer) => layer.startsWith(n)));
    return String((/^\d/.test(n) ? Number(n) : layers.size) + 1);
  });
}

/** A weight as rows of a matrix, below those of the weights before it that have the same name there. */
function rowsOrigin(
  name: string,
  weight: ModelWeight,
  sameName: readonly ModelWeight[],
  areInputsFirst: boolean,
): Origin {
  const isKernel = weight.role === 'kernel';
  const isTable = sameName.some(({ role }) => role === 'embeddings');
  const columns = (isKernel ? weight.shape.at(-2) : isTable ? weight.shape.at(-1) : 1) as number;
  const rowsOf = (some: readonly ModelWeight[]) =>
    some.reduce((rows, { shape }) => rows + sizeFromShape(shape) / columns, 0);
  const [first, own, rows] = [
    rowsOf(sameName.slice(0, sameName.indexOf(weight))),
    rowsOf([weight]),
    rowsOf(sameName),
  ];
  const isTransposed = isKernel && areInputsFirst;
  const matrix = isTransposed ? [columns, rows] : [rows, columns];
  return {
    parts: [{ name, shape: isKernel || isTable ? matrix : [rows] }],
    make(numbers) {
      const byRow = isTransposed ? permuted(numbers, matrix, [1, 0]) : numbers;
      const ours = byRow.slice(first * columns, (first + own) * columns);
      return isKernel ? permuted(ours, [own, columns], [1, 0]) : ours; // [out,in] -> [in,out]
    },
  };
}

/**
 * The tensors of a normalized kernel, or of its gain, whose name there is `….weight_v` or `….weight_g`.
 *
 * @param order how the kernel's axes [rows,columns,in,out] lie there
 * @param isAnew whether it is normalized otherwise here, or not at all; then gains are the norms of the kernel itself
 */
function normalizedOrigin(
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
