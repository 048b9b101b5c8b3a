/**
 * Reads weights that Keras saved as HDF5, by the names of their layers.
 *
 * Sources: `save_weights_to_hdf5_group` of keras/src/legacy/saving/legacy_h5_format.py (Keras 2, and `.h5` of Keras 3) and `_save_state` of
 * keras/src/saving/saving_lib.py (`.weights.h5`, and `model.weights.h5` in `.keras`), https://github.com/keras-team/keras.
 */

import { runInNewContext } from 'node:vm';
// This build keeps its files in memory. The build for Node accesses the machine's files, and a malicious file
// could refer to them and read their contents as weights.
import h5wasm, { Dataset, File, Group } from 'h5wasm';

/** Far more than any network has. A group that contains itself would never end. */
const MAX_GROUPS = 100_000;
const MAX_DEPTH = 32;
const MAX_NAME_BYTES = 2 ** 24;

/** Slower than any machine reads. */
const BYTES_A_SECOND = 5e7;

/**
 * The safetensors name of each type of number, by its letter in `dtype`, such as '<f'. Numbers are read as
 * little-endian.
 */
const DTYPES = {
  f: 'F32',
  d: 'F64',
  b: 'I8',
  B: 'U8',
  h: 'I16',
  H: 'U16',
  i: 'I32',
  I: 'U32',
  q: 'I64',
  Q: 'U64',
};

/**
 * Reads the weights, without the state of optimizers and random generators.
 *
 * - A weight that the file names `block0/conv_mid_kernel:0` becomes `block0.conv_mid.kernel`.
 * - Keras 3 numbers those of each layer: `block0.0`, `block0.1`, and of a layer within, `block0.conv_mid.0`.
 *
 * @param {Uint8Array} bytes the whole file
 * @param {object} options
 * @param {number} options.mostBytes that all tensors may have
 * @param {object} [options.config] the model's, which names its layers where the file is too old to do so
 * @param {number} [options.mostSeconds] that it may take; by default 5, and more for large files
 * @returns {Promise<Map<string, import('pixelcnn-layers/weights').NamedTensor>>}
 * @throws Error where it is damaged, not of Keras, or asks for more memory or time
 */
export async function readKerasH5(
  bytes,
  { mostBytes, config, mostSeconds = 5 + bytes.length / BYTES_A_SECOND },
) {
  const hdf5 = await h5wasm.ready;
  hdf5.activate_throwing_error_handler(); // otherwise errors go to stderr, at length
  hdf5.FS.writeFile('weights.h5', bytes);
  try {
    // HDF5 never ends on some damaged files, so another thread watches the clock.
    return runInNewContext(
      'read()',
      { read: () => read(mostBytes, config) },
      { timeout: Math.ceil(1000 * mostSeconds) },
    );
  } catch (error) {
    throw new Error(reasonOf(error), { cause: error });
  } finally {
    hdf5.FS.unlink('weights.h5');
  }
}

function read(mostBytes, config) {
  const file = new File('weights.h5', 'r');
  const tensors = new Map();
  let left = mostBytes;
  const add = (name, dataset) => {
    if (tensors.has(name)) throw new Error(`two tensors are named '${name}'`);
    const tensor = tensorOf(name, dataset, left);
    left -= tensor.data.byteLength;
    tensors.set(name, tensor);
  };
  const named = file.get('model_weights') ?? file; // of a whole model, beside the optimizer's
  if (namesAt(named, 'layer_names').length > 0) addNamed(named, add);
  else addNumbered(file, config, add);
  if (tensors.size === 0) throw new Error('wanted weights as Keras saves them, found none');
  file.close();
  return tensors;
}

/** The reason of an error, which HDF5 lists last: it reports from its outermost function to the innermost. */
function reasonOf(error) {
  const reasons = [...String(error.message).matchAll(/^ {2}#\d+: .*\(\): (.*)$/gm)].map(
    ([, reason]) => reason,
  );
  if (reasons.length === 0 && error.name === 'Error' && error.code === undefined) return error.message;
  return `damaged, or no HDF5: ${reasons.at(-1) ?? error.message}`;
}

/** Keras 2: a group for each layer that `layer_names` lists, whose `weight_names` are the paths of its weights. */
function addNamed(file, add) {
  for (const layer of namesAt(file, 'layer_names')) {
    const group = file.get(layer);
    if (!(group instanceof Group)) throw new Error(`layer '${layer}' is not there`);
    for (const path of namesAt(group, 'weight_names')) {
      const words = path.replace(/:\d+$/, '').split('/'); // ':0' is TensorFlow's
      if (isState(words)) continue;
      if (words[0] === layer) words.shift();
      const own = words.pop().replace(/^(.+)_(kernel|gain|bias)$/, '$1.$2');
      add([layer, ...words, own].join('.'), group.get(path));
    }
  }
}

/** The names in an attribute; Keras splits a list that is too long for one. */
function namesAt(group, attribute) {
  const { attrs } = group;
  const isPart = (name) => name.startsWith(attribute) && /^\d*$/.test(name.slice(attribute.length));
  const parts = Object.keys(attrs).filter(isPart);
  parts.sort((a, b) => a.length - b.length || (a < b ? -1 : 1)); // the 10th after the 9th
  return parts.flatMap((name) => stringsOf(name, attrs[name]));
}

/** The strings of an attribute. A list of none has the type of a number. */
function stringsOf(name, attribute) {
  const { size, total_size: count } = attribute.metadata;
  if (count === 0) return [];
  const bytes = size * count;
  if (bytes > MAX_NAME_BYTES) {
    throw new Error(`${name}: wanted at most ${MAX_NAME_BYTES} bytes, got ${bytes}`);
  }
  const strings = [attribute.value].flat();
  if (strings.some((one) => typeof one !== 'string')) throw new Error(`${name}: wanted names`);
  return strings;
}

/**
 * Keras 3: a group for each layer, within those of what holds it, by the name of its attribute; its weights are in `vars`, as '0', '1' and so
 * on. The layers of a model are in `layers`, by their classes; there `vars` has the layer's own name.
 */
function addNumbered(file, config, add) {
  let groups = 0;
  const walk = (group, words, config) => {
    groups += 1;
    if (groups > MAX_GROUPS || words.length > MAX_DEPTH) {
      throw new Error(`wanted at most ${MAX_GROUPS} groups, ${MAX_DEPTH} deep`);
    }
    for (const key of group.keys()) {
      const child = group.get(key);
      if (!(child instanceof Group) || isState([key])) continue;
      if (key === 'vars') {
        for (const index of child.keys()) add([...words, index].join('.'), child.get(index));
      } else if (LAYERS.includes(key)) {
        const inConfig = layersOf(config);
        for (const path of child.keys()) {
          const layer = child.get(path);
          if (!(layer instanceof Group)) continue;
          const name = layer.get('vars')?.attrs.name; // since Keras 3.6
          const [own = inConfig.get(path)?.config?.name ?? path] =
            name === undefined ? [] : stringsOf('name', name);
          walk(layer, [...words, String(own)], inConfig.get(path));
        }
      } else {
        walk(child, [...words, key]);
      }
    }
  };
  walk(file, [], config);
}

/** The attributes that hold layers. Keras 2.13 wrote the second. */
const LAYERS = ['layers', '_layer_checkpoint_dependencies'];

/** The layers in a model's config by the names that their groups have: of their classes, and numbers for those that come again. */
function layersOf(config) {
  const counts = new Map();
  const all = Array.isArray(config?.config?.layers) ? config.config.layers : [];
  return new Map(
    all.map((layer) => {
      const key = snakeCase(String(layer.class_name));
      const count = counts.get(key) ?? 0;
      counts.set(key, count + 1);
      return [count === 0 ? key : `${key}_${count}`, layer];
    }),
  );
}

/** MaskedConv2D -> masked_conv2d, as `to_snake_case` of keras/src/utils/naming.py. */
const snakeCase = (name) =>
  name
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();

/** Whether a weight is state that no network of this library saves. */
const isState = (words) =>
  words.some((word) => ['optimizer', 'optimizer_weights', 'seed_generator'].includes(word));

function tensorOf(name, dataset, mostBytes) {
  if (!(dataset instanceof Dataset))
    throw new Error(`'${name}': wanted a tensor, got ${dataset?.type ?? 'nothing'}`);
  const { dtype, shape, metadata } = dataset;
  const type = typeof dtype === 'string' ? DTYPES[dtype.slice(1)] : undefined;
  if (type === undefined || shape === null) {
    throw new Error(`'${name}': wanted float32, float64 or integers, got ${JSON.stringify(dtype)}`);
  }
  const bytes = metadata.size * metadata.total_size;
  if (bytes > mostBytes)
    throw new Error(`'${name}': [${shape}] of ${type} are more than the ${mostBytes} bytes that may be read`);
  const { value } = dataset;
  if (shape.length === 0) return { dtype: 'F64', shape, data: Float64Array.of(Number(value)) };
  return { dtype: type, shape, data: value };
}
