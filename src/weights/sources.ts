import { checkList, throwTypeError } from '../core/check';
import { type ModelWeight, type Origin, permuted } from './model-weights';
import { openAI, teddykoker } from './repositories/image-gpt';
import { pixelCnnPp } from './repositories/pixel-cnn-pp';
import { vqVae2 } from './repositories/vq-vae-2';

/**
 * The source of weights, which determines their names and the order of their axes.
 *
 * - `'keras'`: the names of this library, kernels [rows, columns, in, out];
 * - `'pytorch'`: the names of this library, kernels [out, in, rows, columns], or [out, in] for dense layers,
 *   [in * multiplier, 1, rows, columns] for depthwise ones. A kernel is a weight called `kernel` or
 *   `…_kernel`, even of your own layer; other weights keep this library's layout;
 * - `'pclucas14/pixel-cnn-pp'`: a state dict from https://github.com/pclucas14/pixel-cnn-pp, for `pixelCNNPlusPlus`;
 * - `'rosinality/vq-vae-2-pytorch'`: a state dict of a PixelSNAIL from https://github.com/rosinality/vq-vae-2-pytorch,
 *   for `pixelSNAIL`;
 * - `'openai/image-gpt'`: a state dict of Image GPT as Hugging Face's `ImageGPTForCausalImageModeling` has it, for
 *   `imageGPT` with `norm: 'rms'` and `activation: 'quickGelu'`;
 * - `'teddykoker/image-gpt'`: a state dict from https://github.com/teddykoker/image-gpt, for `imageGPT` with
 *   `residual: 'normalized'`; its classifier and centroids are ignored.
 */
export type WeightSource = keyof typeof sources;

/** The layouts of weights under this library's names. */
export const layouts = ['keras', 'pytorch'] as const;
type Layout = (typeof layouts)[number];

/** A caller's order of axes, by the weight's name. */
export type AxesOf = (name: string) => readonly number[] | null | undefined;

/** The order of a weight's axes in a file, perhaps without axes of length 1; null if the layout determines it. */
type OrderOf = (weight: ModelWeight) => readonly number[] | null;

/** Finds the tensors that a weight of a model is computed from; null if the source has no such weight. */
type Source = (weight: ModelWeight, all: readonly ModelWeight[], orderOf: OrderOf) => Origin | null;

export const sources = {
  keras: (weight, _, orderOf) => originIn('keras', weight, orderOf),
  pytorch: (weight, _, orderOf) => originIn('pytorch', weight, orderOf),
  'pclucas14/pixel-cnn-pp': pixelCnnPp,
  'rosinality/vq-vae-2-pytorch': vqVae2,
  'openai/image-gpt': openAI,
  'teddykoker/image-gpt': teddykoker,
} satisfies Readonly<Record<string, Source>>;

function originIn(layout: Layout, weight: ModelWeight, orderOf: OrderOf): Origin {
  const { order, shape } = laidOut(layout, weight, orderOf);
  const turned = order.map((axis) => weight.shape[axis] as number);
  const back = order.map((_, axis) => order.indexOf(axis));
  return { parts: [{ name: weight.name, shape }], make: (numbers) => permuted(numbers, turned, back) };
}

/**
 * The order of a weight's axes in a file, and its shape there. In PyTorch, kernels have rows and
 * columns last; other weights keep this library's layout.
 */
export function laidOut(layout: Layout, weight: ModelWeight, orderOf: OrderOf) {
  const { part, role, shape } = weight;
  const axes = [...shape.keys()];
  const given = orderOf(weight);
  const isTurned = given === null && layout === 'pytorch' && role === 'kernel';
  const [window, features] = [axes.slice(0, -2), axes.slice(-2)];
  if (isTurned && part === 'depthwise') {
    const [rows, columns, featuresIn, multiplier] = shape as [number, number, number, number];
    return { order: [...features, ...window], shape: [featuresIn * multiplier, 1, rows, columns] };
  }
  // [rows,columns,in,out] -> [out,in,rows,columns], [in,out] -> [out,in]
  const order = isTurned ? [...features.reverse(), ...window] : (given ?? axes);
  return {
    order: [...order, ...axes.filter((axis) => !order.includes(axis))], // then those of length 1
    shape: order.map((axis) => shape[axis] as number),
  };
}

/**
 * Checks the option `axes`, which messages call `what`, and returns it as a function of weights.
 *
 * @throws TypeError, when the result is called, if `axes` does not list each axis of the weight once
 */
export function ordersOf(what: string, axes: AxesOf | undefined): OrderOf {
  return ({ name, shape }) => {
    const order = axes?.(name) ?? null;
    if (order === null) return null;
    const of = `${what}('${name}')`;
    const left = [...shape.keys()].filter((axis) => !checkList(of, order).includes(axis));
    // An axis that does not exist, or comes twice, makes them too many.
    if (order.length + left.length !== shape.length || left.some((axis) => shape[axis] !== 1))
      throwTypeError(of, `an order of the axes of [${shape}]`, order);
    return order;
  };
}

/** What PyTorch's wrappers add to names: DistributedDataParallel in front, torch.compile also before an inner module. */
const ADDED = /^(?:(?:module|_orig_mod)\.)+|(?<=\.)_orig_mod\./g;

/** Buffers, which are not weights: masks, positions, counts. */
const BUFFER = /(?:^|\.)(?:mask|background|num_batches_tracked|n_averaged)$/;

/** What else is ignored of Image GPT: masks, a classifier, the colours. */
const OF_GPT = /\.attn\.(?:masked_)?bias$|^clf_head\.|^centroids$/;

/** The name of a tensor without the prefixes of PyTorch's wrappers; null for a buffer. */
export function stateDictName(name: string, from: WeightSource): string | null {
  const unwrapped = name.replaceAll(ADDED, '');
  if (!from.endsWith('/image-gpt')) return BUFFER.test(unwrapped) ? null : unwrapped;
  const own = unwrapped.replace(/^gpt\./, '');
  return OF_GPT.test(own) ? null : own;
}
