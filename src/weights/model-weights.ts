import type { LayersModel, LayerVariable, layers } from '@tensorflow/tfjs-layers';
import { isWeightDisposed } from '../models/tfjs-workarounds';
import { sizeFromShape, throwTypeError } from '../runtime/core/check';
import { ownName } from '../runtime/program/weights';

/** A weight of a model. */
export interface ModelWeight {
  /** The name in every program: the layer's name and the weight's own, `block0.conv_mid.kernel`. */
  readonly name: string;
  readonly layer: string;
  /** The convolution or norm that it belongs to, such as `conv_mid`; '' if the layer has only one. */
  readonly part: string;
  /** Its role in the convolution: `kernel`, `gain`, `bias`, … */
  readonly role: string;
  readonly shape: readonly number[];
  /** The shape of the convolution's kernel, [rows,columns,in,out], or a dense layer's, [in,out]; null without one. */
  readonly kernel: readonly number[] | null;
  readonly variable: LayerVariable;
}

/** The tensors of a file that a weight is computed from, and how. */
export interface Origin {
  readonly parts: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** Computes the numbers of the weight from the numbers of the tensors, all row-major. */
  make(...parts: Float32Array[]): Float32Array;
}

/** All weights of a model, in the order of its layers. A shared weight is listed once, under its first name. */
export function weightsOf(what: string, model: LayersModel): ModelWeight[] {
  if (!Array.isArray(model?.layers)) throwTypeError(what, 'a tf.LayersModel', model);
  const all = weightsOfLayers(model.layers, '');
  const weights = all.filter(({ variable }, i) => all.findIndex((one) => one.variable === variable) === i);
  const names = new Set<string>();
  for (const { name, variable } of weights) {
    if (isWeightDisposed(variable)) throwTypeError(what, 'a model that is not disposed', name);
    if (names.has(name)) throwTypeError(`${what}: weights`, 'unique names', name);
    names.add(name);
  }
  return weights;
}

/** The weights of layers. If a layer is itself a model, its name prefixes the names of its layers. */
function weightsOfLayers(all: readonly layers.Layer[], prefix: string): ModelWeight[] {
  return all.flatMap((one) => {
    const layer = prefix + one.name;
    const inner = (one as Partial<LayersModel>).layers;
    if (inner !== undefined) return weightsOfLayers(inner, `${layer}.`);
    const named = one.weights.map((variable) => {
      const words = ownName(variable);
      const [part, role] = words.length > 1 ? (words as [string, string]) : ['', words[0] as string];
      const name = [layer, ...words].join('.');
      return { name, layer, part, role, shape: variable.shape as number[], variable };
    });
    return named.map((weight) => {
      const kernel = named.find(({ part, role }) => part === weight.part && role === 'kernel');
      return { ...weight, kernel: kernel?.shape ?? null };
    });
  });
}

/** Copies row-major numbers with their axes permuted: axis i of the result is axis order[i] of the input. */
export function permuted(numbers: Float32Array, shape: readonly number[], order: readonly number[]) {
  const to = numbers.slice();
  if (order.every((axis, i) => axis === i)) return to;
  const strides = shape.map((_, axis) => sizeFromShape(shape.slice(axis + 1)));
  let next = 0;
  const copy = (axis: number, from: number) => {
    const [size, stride] = [shape[order[axis] as number] as number, strides[order[axis] as number] as number];
    if (axis === order.length - 1) {
      for (let i = 0; i < size; i++) to[next++] = numbers[from + i * stride] as number;
    } else {
      for (let i = 0; i < size; i++) copy(axis + 1, from + i * stride);
    }
  };
  copy(0, 0);
  return to;
}

/** A weight that lies in a tensor with its axes in another order, perhaps without some of length 1. */
export function inOrder(name: string, shape: readonly number[], order: readonly number[]): Origin {
  const all = [...order, ...[...shape.keys()].filter((axis) => !order.includes(axis))];
  const theirShape = all.map((axis) => shape[axis] as number);
  const back = all.map((_, axis) => all.indexOf(axis));
  return {
    parts: [{ name, shape: theirShape.slice(0, order.length) }],
    make: (numbers) => permuted(numbers, theirShape, back),
  };
}
