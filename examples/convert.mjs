// Makes one file of a model, which needs no tfjs, and converts weights from and for other programs: `node examples/convert.mjs --help`.

import { extname } from 'node:path';
import { zipSync } from 'fflate';
import { toPortable } from 'pixelcnn-layers';
import { fileSystem } from 'pixelcnn-layers/node';
import { writePortable } from 'pixelcnn-layers/runtime';
import { loadWeights, saveWeights, writeSafetensors } from 'pixelcnn-layers/weights';
import {
  command,
  givenFlags,
  InvalidArgumentError,
  oneOf,
  outputDirectory,
  outputFile,
  repeated,
  stop,
  text,
  wanted,
} from '../kit/flags.mjs';
import { paletteOf } from '../kit/models/image-model.mjs';
import { inAllOrientations } from '../kit/models/orientations.mjs';
import { loadPortable } from '../kit/models/saved-model.mjs';
import { useBackend } from '../kit/runs/backend.mjs';
import { prepareFile, writeWhole } from '../kit/runs/files.mjs';
import { provenanceOf } from '../kit/runs/run-record.mjs';
import { givenNetwork, makeNetwork, withNetworkFlags } from '../kit/weights/given-network.mjs';
import { npyOf } from '../kit/weights/npy.mjs';
import { readTensors } from '../kit/weights/tensor-files.mjs';

const SOURCES = [
  'keras',
  'pytorch',
  'pclucas14/pixel-cnn-pp',
  'rosinality/vq-vae-2-pytorch',
  'openai/image-gpt',
  'teddykoker/image-gpt',
];
const LAYOUTS = ['keras', 'pytorch'];
/** Endings of files that can be written. */
const WRITTEN = ['.pixelcnn', '.safetensors', '.npz'];
/** Endings of files that cannot be written. */
const NOT_WRITTEN = ['.h5', '.hdf5', '.keras', '.npy', '.onnx', '.pb', '.pt', '.pth', '.ckpt', '.json'];

const program = command(
  'examples/convert.mjs',
  'Makes one file of a model, for pixelcnn-layers/runtime; takes weights of another program into a network; or gives those of a model to another program.',
)
  .usage('[--weights FILE] [--model DIR | --factory NAME --args JSON] [--to PATH | --list] [options]')
  .option(
    '--weights <file>',
    'safetensors, an .npz, a directory of .npy files, or what Keras saves: .keras, .weights.h5, .h5',
    text('a file of weights'),
  );
const flags = withNetworkFlags(
  program,
  '. Without --weights, its weights too; then also a .pixelcnn, for another --precision',
)
  .option('--from <name>', 'how the weights are named and lie', oneOf(SOURCES), 'keras')
  .option(
    '--rename <a=>b>',
    'replaces what matches the regular expression A in a name by B, where $1 is its first group; any number of times, in turn. A name of which nothing is left is left out',
    repeated(ruleTo('replacement')),
  )
  .option(
    '--axes <a=>0,1>',
    'the order in the file of the axes of weights of the network whose names match the regular expression A, where --from keras or pytorch has them in another; axes of length 1 may be left out. Any number of times; the first that matches counts',
    repeated(axesOf),
  )
  .option(
    '--list',
    'prints names and shapes, those of the network too, and what does not match; writes nothing',
  )
  .option(
    '--to <path>',
    'NAME.pixelcnn for pixelcnn-layers/runtime, NAME.safetensors or NAME.npz for other programs, or else the directory of a model',
    output,
  )
  .option(
    '--precision <kind>',
    'of the weights in a .pixelcnn: float16 is half the size of float32, int8 a quarter (default: float32)',
    oneOf(['float32', 'float16', 'int8']),
  )
  .option(
    '--layout <name>',
    'how kernels lie in .safetensors and .npz: keras, [rows,columns,in,out], or pytorch, [out,in,rows,columns]',
    oneOf(LAYOUTS),
    'keras',
  )
  .parse()
  .opts();
const { weights, to, from, layout } = flags;
const network = givenNetwork(flags);
const kind = kindOf(to ?? '');
/** Whether there is only a file to write at another precision. */
const isFile = weights === undefined && flags.model?.endsWith('.pixelcnn');
checkCombination();

/** Refuses flags that do not go together. */
function checkCombination() {
  const given = givenFlags(program);
  if (weights === undefined) {
    if (network === null) stop('--weights: wanted a file of weights, or --model; --help lists the flags');
    if (flags.factory !== undefined) stop('--weights: wanted a file of weights: a new network has none');
    for (const name of ['from', 'rename', 'axes'])
      if (given.includes(name)) stop(`--${name}: comes with --weights`);
  }
  if (isFile && kind !== '.pixelcnn')
    stop('--to: wanted NAME.pixelcnn, which is all that a .pixelcnn becomes');
  if (flags.list && to !== undefined) stop('--to: --list writes nothing');
  if (!flags.list && network === null)
    stop('--model: wanted a network, by --model or --factory; --help lists the flags');
  if (!flags.list && to === undefined) stop('--to: wanted a file or a directory; --help lists the flags');
  if (flags.precision && kind !== '.pixelcnn') stop('--precision: comes with --to NAME.pixelcnn');
  if (given.includes('layout') && !['.safetensors', '.npz'].includes(kind))
    stop('--layout: requires --to NAME.safetensors or NAME.npz');
  if (flags.axes && !LAYOUTS.includes(from)) stop('--axes: requires --from keras or pytorch');
}

/** The kind of file to write, by the ending of its name, '' of a directory. */
function kindOf(to) {
  const ending = extname(to).toLowerCase();
  return WRITTEN.includes(ending) ? ending : '';
}

/** The path of a file to write, of a known kind, or of a directory. */
function output(value) {
  if (NOT_WRITTEN.includes(extname(value).toLowerCase()))
    throw wanted(`${WRITTEN.join(', ')} or a directory`, value);
  return (kindOf(value) === '' ? outputDirectory() : outputFile())(value);
}

/** Parses a rule: a regular expression, and what comes of names that match it. */
function ruleTo(right) {
  return (rule) => {
    const [, pattern, value] = /^(.+?)=>(.*)$/s.exec(rule) ?? [];
    if (pattern === undefined) throw wanted(`'regular expression=>${right}'`, rule);
    try {
      return [new RegExp(pattern, 'g'), value];
    } catch ({ message }) {
      throw new InvalidArgumentError(message);
    }
  };
}

function axesOf(rule) {
  const [pattern, order] = ruleTo('axes')(rule);
  if (!/^\d+(,\d+)*$/.test(order)) throw wanted('numbers of axes, as 0,1', order);
  return [pattern, order.split(',').map(Number)];
}

/** The network's name for a name in the file. */
const rename = (name) =>
  (flags.rename ?? []).reduce((old, [pattern, replacement]) => old.replace(pattern, replacement), name);

/** The order in the file of a weight's axes. */
const axes = flags.axes && ((name) => flags.axes.find(([pattern]) => name.search(pattern) >= 0)?.[1]);

await useBackend('cpu');
const given = weights === undefined ? null : await readTensors(weights);
const model = network && !isFile ? await makeNetwork(network) : null;
const ownNames = model === null ? [] : [...saveWeights(model).keys()];
if (flags.list) {
  list();
} else {
  if (given !== null) load();
  const size = await write();
  console.log(`${to}: ${isFile ? 'the' : ownNames.length} weights of ${weights ?? network.directory}${size}`);
}

/** Loads the tensors of the file into the network, all or none. Reports renamed ones by `onRename`. */
function load(onRename = () => {}) {
  const names = (inFile) => {
    const name = nameOf(inFile);
    if (name !== inFile) onRename(inFile, name);
    return name;
  };
  loadWeights(model, given.tensors, { from, names, axes });
}

/** The network's name for a tensor, null for none. */
function nameOf(inFile) {
  const name = rename(inFile);
  if (name === '') return null;
  // Keras 3 numbers the weights of a layer: block0.2 is the third of those whose names begin with 'block0.'.
  const [, layer, index] = /^(.+\.)(\d+)$/.exec(name) ?? [];
  const known = layer?.replaceAll(/(?<=^|\.)_+/g, ''); // loadWeights leaves out the _ that tfjs refuses, too
  return ownNames.filter((own) => known !== undefined && own.startsWith(known))[Number(index)] ?? name;
}

function list() {
  const print = (title, tensors) => {
    console.log(`${title}: ${tensors.size}`);
    for (const [name, { dtype, shape }] of tensors) console.log(`  ${name}  ${dtype} [${shape}]`);
  };
  if (given !== null) print(`tensors of ${weights}, ${given.format}`, given.tensors);
  if (model !== null)
    print('weights of the network', saveWeights(model, { to: from === 'pytorch' ? from : 'keras', axes }));
  if (given === null || model === null) return;
  try {
    console.log('of other names in the network:');
    load((inFile, name) => console.log(`  ${inFile}  ${name ?? 'left out'}`));
    console.log('all match');
  } catch ({ message }) {
    console.log(message.replaceAll(/[;:] (?=(?:missing|left over|of another shape) \()/g, '\n  '));
  }
}

/** Writes what was asked for, and tells the size of a file. */
async function write() {
  if (kind === '') {
    await model.save(fileSystem(to));
    return '';
  }
  await prepareFile(to, '--to');
  const bytes = await bytesOf();
  await writeWhole(to, bytes);
  return `, ${Math.round(bytes.length / 1000)} kB`;
}

async function bytesOf() {
  if (kind === '.pixelcnn') {
    return writePortable(await portable(), { weights: flags.precision ?? 'float32' });
  }
  const tensors = saveWeights(model, { to: layout });
  if (kind === '.safetensors') return writeSafetensors(tensors);
  const arrays = [...tensors].map(([name, { data, shape }]) => [`${name}.npy`, npyOf(data, shape)]);
  return zipSync(Object.fromEntries(arrays), { level: 0 }); // like numpy.savez
}

async function portable() {
  if (isFile) return loadPortable(flags.model);
  const info = weights === undefined ? await provenanceOf(network.directory) : undefined;
  const orientations = inAllOrientations(model, model.getUserDefinedMetadata() ?? {});
  return toPortable(orientations ?? model, { palette: paletteOf(model, model.levels), info });
}
