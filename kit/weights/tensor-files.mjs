import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readSafetensors } from 'pixelcnn-layers/weights';
import { readKerasH5 } from './keras-h5.mjs';
import { npyTensor } from './npy.mjs';
import { listZip, unzip } from './zip.mjs';

/**
 * The most bytes of a file, and of all that is unpacked from it: 2^28 numbers, as many as the library allows
 * in a weight.
 */
const MAX_BYTES = 2 ** 30;

/**
 * Reads the tensors of a file of weights, whose first bytes determine its format.
 *
 * @param {string} path a file of safetensors, NumPy or Keras, or a directory of .npy files
 * @returns {Promise<{ format: string, tensors: Map<string, import('pixelcnn-layers/weights').NamedTensor> }>} by their names in the file;
 *   see `readKerasH5` for those of Keras
 * @throws Error naming the file: missing, damaged, too large, of another kind, or a pickle of PyTorch
 */
export async function readTensors(path) {
  try {
    const entry = await stat(path);
    if (entry.isDirectory())
      return { format: 'a directory of .npy files', tensors: await readNpyFiles(path) };
    if (!entry.isFile()) throw new Error('wanted a file or a directory');
    checkSize(entry.size);
    const bytes = await readFile(path);
    const format = FORMATS.find(({ begins }) => begins(bytes));
    if (format === undefined) throw new Error(WANTED);
    return await format.read(bytes, path);
  } catch (error) {
    const problem = error.code === 'ENOENT' ? 'does not exist' : error.message;
    throw new Error(`'${path}': ${problem}`, { cause: error });
  }
}

function checkSize(bytes) {
  if (bytes > MAX_BYTES) throw new Error(`wanted at most ${MAX_BYTES} bytes of weights, got ${bytes}`);
}

const beginsWith = (text) => (bytes) => Buffer.from(text, 'latin1').equals(bytes.subarray(0, text.length));

/** How each kind of file begins. */
const FORMATS = [
  // the length of a header, and its '{'
  { begins: (bytes) => bytes.length > 8 && bytes.readUInt32LE(4) === 0 && bytes[8] === 0x7b, read: readOwn },
  { begins: beginsWith('\x89HDF\r\n\x1a\n'), read: readH5 },
  { begins: beginsWith('PK'), read: readZip },
  { begins: beginsWith('\x93NUMPY'), read: refuseArray },
  { begins: (bytes) => bytes[0] === 0x80 && bytes[1] <= 5, read: refusePickle }, // 2 to 5: the version of its protocol
];
const WANTED = 'wanted safetensors, .npz, a directory of .npy files, or .keras, .weights.h5 or .h5 of Keras';

function readOwn(bytes) {
  return { format: 'safetensors', tensors: readSafetensors(bytes) };
}

function refuseArray() {
  throw new Error('its array has no name: wanted an .npz, or a directory of .npy files');
}

async function readH5(bytes) {
  return { format: 'HDF5 of Keras', tensors: await readKerasH5(bytes, { mostBytes: MAX_BYTES }) };
}

async function readZip(bytes, path) {
  const names = listZip(bytes);
  if (names.some((name) => name.endsWith('data.pkl'))) refusePickle(bytes, path);
  if (names.includes('model.weights.h5')) {
    const parts = ['model.weights.h5', 'config.json'];
    const { 'model.weights.h5': weights, 'config.json': config } = unzip(bytes, parts, MAX_BYTES);
    return {
      format: '.keras',
      tensors: await readKerasH5(weights, { mostBytes: MAX_BYTES, config: parseConfig(config) }),
    };
  }
  const arrays = names.filter((name) => name.endsWith('.npy'));
  if (arrays.length === 0) throw new Error(WANTED);
  return { format: '.npz', tensors: npyTensors(unzip(bytes, arrays, MAX_BYTES)) };
}

/** The model in config.json, if that exists. */
function parseConfig(bytes) {
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw new Error(`config.json: not JSON: ${error.message}`, { cause: error });
  }
}

async function readNpyFiles(directory) {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.npy'));
  if (names.length === 0) throw new Error('wanted .npy files in it');
  const paths = names.sort().map((name) => join(directory, name));
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  checkSize(sizes.reduce((sum, size) => sum + size, 0));
  const files = await Promise.all(paths.map((path) => readFile(path)));
  return npyTensors(Object.fromEntries(names.map((name, i) => [name, files[i]])));
}

/** Tensors of .npy files, by file names without the ending. */
function npyTensors(files) {
  return new Map(
    Object.entries(files).map(([name, bytes]) => {
      try {
        return [name.slice(0, -'.npy'.length), npyTensor(bytes)];
      } catch (error) {
        throw new Error(`${name}: ${error.message}`, { cause: error });
      }
    }),
  );
}

/** Refuses pickles, which are programs and may do anything. */
function refusePickle(_, path) {
  const [from, to] = [path, `${path.replace(/\.\w+$/, '')}.safetensors`].map((name) => JSON.stringify(name));
  const tensors = `torch.load(${from}, map_location="cpu", weights_only=True).items()`;
  const line = `import safetensors.torch, torch; safetensors.torch.save_file({k: v.contiguous() for k, v in ${tensors}}, ${to})`;
  const rest = 'docs/guides/bring-weights.md has it for a checkpoint that holds more than weights';
  throw new Error(
    `pickles of PyTorch are not read, since they may do anything; in Python: ${line} (${rest})`,
  );
}
