import type { ModelWeight, Origin } from './model-weights';
import { permuted } from './permuted';
import { pixelCnnPp } from './pixel-cnn-pp';
import { vqVae2 } from './vq-vae-2';

/**
 * The source of weights, which determines their names and the order of their axes.
 *
 * - `'keras'`: the names of this library, kernels [rows, columns, in, out];
 * - `'pytorch'`: the names of this library, kernels [out, in, rows, columns], those of dense layers [out, in], depthwise ones
 *   [in * multiplier, 1, rows, columns];
 * - `'pclucas14/pixel-cnn-pp'`: a state dict from https://github.com/pclucas14/pixel-cnn-pp, for `pixelCNNPlusPlus`;
 * - `'rosinality/vq-vae-2-pytorch'`: a state dict of a PixelSNAIL from https://github.com/rosinality/vq-vae-2-pytorch,
 *   for `pixelSNAIL`.
 */
export type WeightSource = 'keras' | 'pytorch' | 'pclucas14/pixel-cnn-pp' | 'rosinality/vq-vae-2-pytorch';

/** Finds the tensors that a weight of a model is computed from; null if the source has no such weight. */
type Source = (weight: ModelWeight, all: readonly ModelWeight[]) => Origin | null;

export const sources: { readonly [name in WeightSource]: Source } = {
  keras: ({ name, shape }) => ({ parts: [{ name, shape }], make: (numbers) => numbers }),
  pytorch(weight) {
    const { order, shape } = pytorchLayout(weight);
    const turned = order.map((axis) => weight.shape[axis] as number);
    const back = order.map((_, axis) => order.indexOf(axis));
    return { parts: [{ name: weight.name, shape }], make: (numbers) => permuted(numbers, turned, back) };
  },
  'pclucas14/pixel-cnn-pp': pixelCnnPp,
  'rosinality/vq-vae-2-pytorch': vqVae2,
};

/**
 * The layout of a weight in PyTorch: the order of its axes, and its shape. Kernels have rows and columns last; other
 * weights have the same layout as here.
 */
export function pytorchLayout({ part, role, shape }: ModelWeight) {
  const axes = [...shape.keys()];
  if (role !== 'kernel') return { order: axes, shape: [...shape] };
  const [window, features] = [axes.slice(0, -2), axes.slice(-2)];
  if (part === 'depthwise') {
    const [rows, columns, featuresIn, multiplier] = shape as [number, number, number, number];
    return { order: [...features, ...window], shape: [featuresIn * multiplier, 1, rows, columns] };
  }
  const order = [...features.reverse(), ...window]; // [rows,columns,in,out] -> [out,in,rows,columns], [in,out] -> [out,in]
  return { order, shape: order.map((axis) => shape[axis] as number) };
}

/** The prefixes that PyTorch's wrappers add to names: DistributedDataParallel and torch.compile. */
const PREFIX = /^(?:module\.|_orig_mod\.)+/;

/** Buffers, which are not weights: masks, positions, counts. */
const BUFFER = /(?:^|\.)(?:mask|background|num_batches_tracked|n_averaged)$/;

/** The name of a tensor without PyTorch's prefixes; null for a buffer. */
export function stateDictName(name: string): string | null {
  const own = name.replace(PREFIX, '');
  return BUFFER.test(own) ? null : own;
}
