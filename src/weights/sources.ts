import type { ModelWeight, Origin } from './model-weights';
import { permuted } from './permuted';
import { pixelCnnPp } from './pixel-cnn-pp';

/**
 * Where weights come from, which says how they are named and how they lie:
 *
 * - `'keras'`: the names of this library, kernels [rows, columns, in, out];
 * - `'pytorch'`: the names of this library, kernels [out, in, rows, columns];
 * - `'pclucas14/pixel-cnn-pp'`: a state dict of that repository, https://github.com/pclucas14/pixel-cnn-pp.
 */
export type WeightSource = 'keras' | 'pytorch' | 'pclucas14/pixel-cnn-pp';

/** What makes a weight; null where there is nothing of the kind. */
type Source = (weight: ModelWeight) => Origin | null;

export const sources: { readonly [name in WeightSource]: Source } = {
  keras: ({ name, shape }) => ({ parts: [{ name, shape }], make: (numbers) => numbers }),
  pytorch(weight) {
    const order = pytorchOrder(weight);
    const shape = order.map((axis) => weight.shape[axis] as number);
    const back = order.map((_, axis) => order.indexOf(axis));
    return { parts: [{ name: weight.name, shape }], make: (numbers) => permuted(numbers, shape, back) };
  },
  'pclucas14/pixel-cnn-pp': pixelCnnPp,
};

/** The axes of a weight in PyTorch's order: of kernels [rows,columns,in,out] -> [out,in,rows,columns], [in,out] -> [out,in]. */
export function pytorchOrder({ role, shape: { length } }: ModelWeight): readonly number[] {
  if (role === 'kernel' && length === 4) return [3, 2, 0, 1];
  if (role === 'kernel' && length === 2) return [1, 0];
  return Array.from({ length }, (_, axis) => axis);
}

/** What wrappers of PyTorch put before names: DistributedDataParallel and torch.compile. */
const PREFIX = /^(?:module\.|_orig_mod\.)+/;

/** Buffers, which are no weights: masks, counts. */
const BUFFER = /(?:^|\.)(?:mask|num_batches_tracked|n_averaged)$/;

/** The name of a tensor without what PyTorch puts before it; null of a buffer. */
export function stateDictName(name: string): string | null {
  const own = name.replace(PREFIX, '');
  return BUFFER.test(own) ? null : own;
}
