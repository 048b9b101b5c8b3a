import { type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { assignWeight } from '../models/tfjs-workarounds';
import { callback, type Given, oneOf, optional, readArguments } from '../runtime/core/arguments';
import { checkOneOf, throwTypeError } from '../runtime/core/check';
import { type ModelWeight, type Origin, weightsOf } from './model-weights';
import { checkNamed, checkNamedTensor, float32Of, listed, type NamedTensor } from './named-tensor';
import { repositories } from './repositories';
import { type AxesOf, layouts, ordersOf, originsOf, type WeightSource, weightSources } from './sources';
import { unwrappedName } from './state-dict';

const declared = {
  /** The source of the tensors, which determines their names and the order of their axes. @default 'keras' */
  from: optional(oneOf(...weightSources), 'keras'),
  /**
   * Maps the name of a tensor, without the prefixes of a state dict, to its name under `from`; null skips the tensor.
   * @default no change
   */
  names: optional(callback<(name: string) => string | null>(), (name) => name),
  /**
   * Returns the order of axes in the tensor of a weight, given the weight's name, if it differs from `from`, else null
   * or undefined. Axis i of the tensor is axis order[i] of the weight. Axes of length 1 may be omitted. For an
   * `nn.Embedding` that becomes the kernel of a `dense` layer, return [0, 1]. Only for `'keras'` and `'pytorch'`.
   */
  axes: optional(callback<AxesOf>()),
};

/** Options of {@link loadWeights}. */
export interface LoadWeightsOptions extends Given<typeof declared> {}

/**
 * Loads weights that another program trained into a model, by names such as `block0.conv_mid.kernel`;
 * `saveWeights` lists a model's. In PyTorch's state dicts, the prefixes `module.` and `_orig_mod.` are
 * removed from names, and buffers (`mask`, `background`, `num_batches_tracked`, `n_averaged`) are skipped.
 * Since names in tfjs cannot begin with `_`, a tensor `_stem._gate` matches the weight `stem.gate`.
 *
 * Either all weights are written or none. Constraints are applied to them. Since the optimizer
 * keeps its state, compile the model again before you continue training.
 *
 * @param tensors tensors by name, as from {@link readSafetensors}; of any dtype, rounded to float32
 * @throws TypeError naming the invalid option, or an entry that is not a tensor or has numbers that are not finite;
 * Error that lists weights without a tensor, tensors without a weight, and tensors of another shape, at most 20 of each
 * @example
 * ```js
 * import { pixelCNN } from 'pixelcnn-layers';
 * import { loadWeights, readSafetensors, saveWeights, writeSafetensors } from 'pixelcnn-layers/weights';
 * const make = () => pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const file = writeSafetensors(saveWeights(make(), { to: 'pytorch' })); // or what PyTorch wrote
 * const model = make();
 * loadWeights(model, readSafetensors(file), { from: 'pytorch' });
 * ```
 */
export function loadWeights(
  model: LayersModel,
  tensors: ReadonlyMap<string, NamedTensor>,
  options: LoadWeightsOptions = {},
): void {
  const { from, names, axes } = readArguments('loadWeights', options, declared);
  if (axes !== undefined) checkOneOf("loadWeights: from, with 'axes'", from, layouts);
  const orderOf = ordersOf('loadWeights: axes', axes);
  const weights = weightsOf('loadWeights: model', model);
  checkNamed('loadWeights: tensors', tensors);
  const [missing, misshapen] = [[] as string[], [] as string[]];
  const made: (ModelWeight & { origin: Origin })[] = [];
  for (const [i, origin] of originsOf(from, weights, orderOf).entries()) {
    const weight = weights[i] as ModelWeight;
    if (origin === null) missing.push(`one for ${weight.name}`);
    else made.push({ ...weight, origin });
  }
  const parts = made.flatMap(({ origin }) => origin.parts);
  const wanted = new Set(parts.map(({ name }) => name));
  const given = renamed(tensors, from, wanted, names);
  for (const { name, shape } of parts) {
    const found = given.get(name);
    if (found === undefined) missing.push(name);
    else if (String(found.shape) !== String(shape))
      misshapen.push(`${name}: wanted [${shape}], got [${found.shape}]`);
  }
  const leftOver = [...given.keys()].filter((name) => !wanted.has(name));
  const problems = Object.entries({ missing, 'left over': leftOver, misshapen })
    .filter(([, names]) => names.length > 0)
    .map(([title, names]) => listed(title, [...new Set(names)]));
  if (problems.length > 0)
    throw new Error(`loadWeights: tensors: they do not match the model: ${problems.join('; ')}`);

  tidy(() => {
    const values = made.map(({ origin: { parts, make }, shape, variable }) => {
      const numbers = make(...parts.map(({ name }) => float32Of(given.get(name) as NamedTensor)));
      const wrong = numbers.find((one) => !Number.isFinite(one));
      if (wrong !== undefined) {
        const names = parts.map(({ name }) => name).join(', ');
        throwTypeError(`loadWeights: tensors: '${names}'`, 'finite numbers', wrong);
      }
      const value = tensor(numbers, [...shape], variable.dtype);
      return variable.constraint?.apply(value) ?? value;
    });
    // Nothing throws from here on.
    for (const [i, { variable }] of made.entries()) assignWeight(variable, values[i] as Tensor);
  });
}

/** The tensors by their names in the source, but for skipped ones. Leading underscores may be missing. */
function renamed(
  tensors: ReadonlyMap<string, NamedTensor>,
  from: WeightSource,
  wanted: ReadonlySet<string>,
  names: (name: string) => string | null,
): Map<string, NamedTensor> {
  const given = new Map<string, NamedTensor>();
  for (const [name, one] of tensors) {
    const own = from === 'keras' ? name : unwrappedName(name, from === 'pytorch' ? {} : repositories[from]);
    const newName = own === null ? null : names(own);
    if (newName === null) continue;
    if (typeof newName !== 'string')
      throwTypeError(`loadWeights: names('${own}')`, 'a name or null', newName);
    checkNamedTensor(`loadWeights: tensors: '${name}'`, one);
    const accepted = newName.replaceAll(/(?<=^|\.)_+/g, '');
    const key = !wanted.has(newName) && wanted.has(accepted) ? accepted : newName;
    if (given.has(key)) throwTypeError('loadWeights: tensors', 'unique names', key);
    given.set(key, one);
  }
  return given;
}
