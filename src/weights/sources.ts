import { checkList, throwTypeError } from '../runtime/core/check';
import { inOrder, type ModelWeight, type Origin } from './model-weights';
import { repositories } from './repositories';
import { originsIn } from './state-dict';

/**
 * The source of weights, which determines their names and the order of their axes.
 *
 * - `'keras'`: the names of this library, kernels [rows, columns, in, out];
 * - `'pytorch'`: the names of this library, kernels [out, in / groups, rows, columns], or [out, in] for dense layers,
 *   [in * multiplier, 1, rows, columns] for tfjs's depthwise ones. A kernel is a weight called `kernel` or
 *   `…_kernel`, even of your own layer; other weights keep this library's layout;
 * - `'pclucas14/pixel-cnn-pp'`: a state dict from https://github.com/pclucas14/pixel-cnn-pp, for `pixelCNNPlusPlus`;
 * - `'rosinality/vq-vae-2-pytorch'`: one of a PixelSNAIL from https://github.com/rosinality/vq-vae-2-pytorch;
 * - `'openai/image-gpt'`: a state dict of Image GPT as Hugging Face's `ImageGPTForCausalImageModeling` has it, for
 *   `imageGPT` with `norm: 'rms'` and `activation: 'quickGelu'`;
 * - `'teddykoker/image-gpt'`: a state dict from https://github.com/teddykoker/image-gpt, for `imageGPT` with
 *   `residual: 'normalized'`; its classifier and centroids are ignored.
 */
export type WeightSource = Layout | keyof typeof repositories;

/** The layouts of weights under this library's names. */
export const layouts = ['keras', 'pytorch'] as const;
type Layout = (typeof layouts)[number];

/** A caller's order of axes, by the weight's name. */
export type AxesOf = (name: string) => readonly number[] | null | undefined;

/** The order of a weight's axes in a file, perhaps without axes of length 1; null if the layout determines it. */
type OrderOf = (weight: ModelWeight) => readonly number[] | null;

export const weightSources = [...layouts, ...Object.keys(repositories)] as WeightSource[];

/** Finds the tensors that each weight of a model is computed from; null for weights that the source does not have. */
export function originsOf(from: WeightSource, weights: ModelWeight[], orderOf: OrderOf): (Origin | null)[] {
  if (from !== 'keras' && from !== 'pytorch') return originsIn(repositories[from], weights);
  return weights.map((weight) => {
    const { order, shape } = laidOut(from, weight, orderOf);
    return { ...inOrder(weight.name, weight.shape, order), parts: [{ name: weight.name, shape }] };
  });
}

/** The order of a weight's axes in a file, and its shape there. In PyTorch, kernels have rows and columns last. */
export function laidOut(layout: Layout, weight: ModelWeight, orderOf: OrderOf) {
  const { part, role, shape } = weight;
  const axes = [...shape.keys()];
  const given = orderOf(weight);
  const isTransposed = given === null && layout === 'pytorch' && role === 'kernel';
  const [window, features] = [axes.slice(0, -2), axes.slice(-2)];
  if (isTransposed && part === 'depthwise') {
    const [rows, columns, featuresIn, multiplier] = shape as [number, number, number, number];
    return { order: [...features, ...window], shape: [featuresIn * multiplier, 1, rows, columns] };
  }
  // [rows,columns,in,out] -> [out,in,rows,columns], [in,out] -> [out,in]
  const order = isTransposed ? [...features.reverse(), ...window] : (given ?? axes);
  return {
    order: [...order, ...axes.filter((axis) => !order.includes(axis))], // then those of length 1
    shape: order.map((axis) => shape[axis] as number),
  };
}

/** Returns the option `axes` as a function of weights, which checks that it lists each axis once. */
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
