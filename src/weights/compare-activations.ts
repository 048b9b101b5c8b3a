import { dispose, Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { type LayersModel, type SymbolicTensor, model as tfModel } from '@tensorflow/tfjs-layers';
import { callback, type Given, number, oneOf, optional, readArguments } from '../runtime/core/arguments';
import { nearestName, shortened, sizeFromShape, throwTypeError } from '../runtime/core/check';
import { permuted } from './model-weights';
import { checkNamed, checkNamedTensor, float32Of, listed, type NamedTensor } from './named-tensor';
import { layouts } from './sources';

const declared = {
  /**
   * How the tensors lie: maps as [N,H,W,F] and logits as [N,H,W,C,L], or for PyTorch as [N,F,H,W] and [N,L,C,H,W].
   * Tensors of other ranks are the same in both.
   * @default 'keras'
   */
  from: optional(oneOf(...layouts), 'keras'),
  /** Maps the name of a tensor to that of a layer; null skips the tensor. @default no change */
  names: optional(callback<(name: string) => string | null>(), (name) => name),
  /**
   * The greatest difference that is rounding, as a part of the tensor's largest number, or of 1 if all are less.
   * @default 1e-4
   */
  tolerance: optional(
    number('of at least 0', (one) => one >= 0),
    1e-4,
  ),
};

/** Options of {@link compareActivations}. */
export interface CompareActivationsOptions extends Given<typeof declared> {}

/** How the output of a layer differs from the activation of its name. */
export interface ActivationDifference {
  /** The name of the layer. */
  layer: string;
  /** Whether the shapes differ, or numbers by more than the tolerance. */
  differs: boolean;
  /** The greatest difference of two numbers; NaN if one is not a number; null if the shapes differ. */
  difference: number | null;
  /** Where the numbers differ most, such as [image, row, column, feature]; null if they are equal, or the shapes differ. */
  at: number[] | null;
  /** The shape of the layer's output. */
  shape: number[];
  /** The shape of the activation, with features last. */
  given: number[];
}

const MAX_LETTERS = 64; // of a name that are compared

/**
 * Compares what the layers of a model compute with what the modules of another program did, to find the first layer of a
 * ported model that is wrong. In PyTorch, hooks save the outputs of modules for some inputs as a safetensors file.
 *
 * Maps are compared as [N,H,W,F]; `from: 'pytorch'` says that they lie as [N,F,H,W]. Neighbouring axes may be one in the
 * other program: logits [N,H,W,C,L] are compared with [N,H,W,C*L] too, and maps [N,H,W,F] with [N,H*W,F]. A layer that the
 * model applies more than once is compared by its last output.
 *
 * @param inputs the inputs of the model, which are not disposed: tensors as it takes them, or as they lie in the file
 * @param tensors the activations by the names of layers, or by names that the option `names` maps to them; other layers
 * are not compared
 * @returns the layers that differ, in the order in which they are computed, so the first is where to look; then those that
 * do not, in the same order. A shape that differs is a difference too
 * @throws (rejects) TypeError naming the invalid option, an entry that is not a tensor, or the names that no layer has, each
 * with the most similar name of a layer; what `predict` throws for these inputs
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { pixelCNN } from 'pixelcnn-layers';
 * import { compareActivations } from 'pixelcnn-layers/weights';
 * const model = pixelCNN({ imageShape: [2, 2, 1], levels: 2, hiddenDim: 1, outDim: 1, numBlocks: 0 });
 * model.setWeights(model.getWeights().map((weight) => tf.zerosLike(weight)));
 * const map = (value) => ({ dtype: 'F32', shape: [1, 1, 2, 2], data: new Float32Array(4).fill(value) });
 * const seen = new Map([['net.output_conv1', map(0)], ['net.output_conv2', map(3)]]); // from a file
 * const names = (name) => name.replace('net.', '');
 * const [first] = await compareActivations(model, map(1), seen, { from: 'pytorch', names });
 * console.log(first.layer, first.difference); // output_conv2 3
 * ```
 */
export async function compareActivations(
  model: LayersModel,
  inputs: Tensor | NamedTensor | readonly (Tensor | NamedTensor)[],
  tensors: ReadonlyMap<string, NamedTensor>,
  options: CompareActivationsOptions = {},
): Promise<ActivationDifference[]> {
  const { from, names, tolerance } = readArguments('compareActivations', options, declared);
  if (!Array.isArray(model?.layers)) throwTypeError('compareActivations: model', 'a tf.LayersModel', model);
  const toOurs = (one: NamedTensor) => featuresLast(one, from);
  const xs = [inputs].flat();
  for (const x of xs) if (!(x instanceof Tensor)) checkNamedTensor('compareActivations: inputs', x);
  const given = byLayer(model, tensors, names);
  const compared = model.layers.filter(({ name }) => given.has(name));
  if (compared.length === 0) return [];
  const outputs = tidy(() => {
    const all = xs.map((x) => (x instanceof Tensor ? x : asTensor(toOurs(x))));
    const part = tfModel({
      inputs: model.inputs,
      outputs: compared.map((layer) => lastOutput(model, layer)),
    });
    return [part.predict(all)].flat();
  });
  try {
    const found: ActivationDifference[] = [];
    for (const [i, { name }] of compared.entries()) {
      const output = outputs[i] as Tensor;
      const ours = { shape: output.shape, numbers: await output.data() };
      found.push({ layer: name, ...difference(ours, toOurs(given.get(name) as NamedTensor), tolerance) });
    }
    return found.sort((a, b) => Number(b.differs) - Number(a.differs)); // which keeps the order of equal ones
  } finally {
    dispose(outputs);
  }
}

/** The tensors by the layers that they belong to. Throws if one belongs to none. */
function byLayer(
  { layers }: LayersModel,
  tensors: ReadonlyMap<string, NamedTensor>,
  names: (name: string) => string | null,
): Map<string, NamedTensor> {
  const what = 'compareActivations: tensors';
  checkNamed(what, tensors);
  const known = layers.map(({ name }) => name);
  const given = new Map<string, NamedTensor>();
  for (const [inFile, one] of tensors) {
    const name = names(inFile);
    if (name === null) continue;
    if (typeof name !== 'string')
      throwTypeError(`compareActivations: names('${inFile}')`, 'a name or null', name);
    checkNamedTensor(`${what}: '${inFile}'`, one);
    if (given.has(name)) throwTypeError(what, 'one for each layer', name);
    given.set(name, one);
  }
  const unknown = [...given.keys()].filter((name) => !known.includes(name));
  if (unknown.length === 0) return given;
  const withHint = (name: string) => {
    const nearest = nearestName(name.slice(0, MAX_LETTERS), known);
    return `${shortened(name)}${nearest === undefined ? '' : ` (did you mean ${nearest}?)`}`;
  };
  throw new TypeError(`${what}: ${listed('of no layer', unknown, withHint)}`);
}

/** What a layer returns where the model applies it, at last. */
function lastOutput({ containerNodes }: LayersModel, layer: LayersModel['layers'][number]): SymbolicTensor {
  const calls = [...layer.inboundNodes.keys()].filter((i) => containerNodes.has(`${layer.name}_ib-${i}`)); // tfjs's key
  return [layer.getOutputAt(calls.at(-1) as number)].flat()[0] as SymbolicTensor;
}

/** The numbers of a tensor, with the features of PyTorch's maps last, and the levels of its logits after them. */
function featuresLast(one: NamedTensor, from: (typeof layouts)[number]) {
  const orders: Record<number, number[]> = { 4: [0, 2, 3, 1], 5: [0, 3, 4, 2, 1] }; // [N,F,H,W] -> [N,H,W,F], [N,L,C,H,W] -> [N,H,W,C,L]
  const numbers = float32Of(one);
  const order = from === 'pytorch' ? orders[one.shape.length] : undefined;
  if (order === undefined) return { shape: one.shape, numbers };
  return {
    shape: order.map((axis) => one.shape[axis] as number),
    numbers: permuted(numbers, one.shape, order),
  };
}

type Numbers = { readonly shape: readonly number[]; readonly numbers: ArrayLike<number> };

const asTensor = ({ shape, numbers }: Numbers) => tensor(numbers as Float32Array, [...shape]);

function difference(ours: Numbers, theirs: Numbers, tolerance: number) {
  const shapes = { shape: [...ours.shape], given: [...theirs.shape] };
  if (!isAlike(ours.shape, theirs.shape)) return { differs: true, difference: null, at: null, ...shapes };
  let [greatest, at, largest] = [0, -1, 1];
  for (let i = 0; i < ours.numbers.length && !Number.isNaN(greatest); i++) {
    const [a, b] = [ours.numbers[i] as number, theirs.numbers[i] as number];
    const apart = a === b ? 0 : Math.abs(a - b); // infinities may be equal
    if (Number.isFinite(b)) largest = Math.max(largest, Math.abs(b));
    if (!(apart <= greatest)) [greatest, at] = [apart, i];
  }
  return {
    differs: !(greatest <= tolerance * largest),
    difference: greatest,
    at: at < 0 ? null : placeOf(at, ours.shape),
    ...shapes,
  };
}

/** The index along each axis of a row-major number. */
const placeOf = (index: number, shape: readonly number[]): number[] =>
  shape.map((size, axis) => Math.floor(index / sizeFromShape(shape.slice(axis + 1))) % size);

/** Whether one shape is the other, or the other with neighbouring axes taken together. */
function isAlike(a: readonly number[], b: readonly number[]): boolean {
  if (a.length === b.length) return String(a) === String(b);
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  const sizesOf = (shape: readonly number[]) => shape.map((_, axis) => sizeFromShape(shape.slice(axis))); // from each axis on
  const sizes = sizesOf(long);
  return sizes[0] === sizeFromShape(short) && sizesOf(short).every((size) => sizes.includes(size));
}
