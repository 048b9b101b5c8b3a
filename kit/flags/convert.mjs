import { extname } from 'node:path';
import { FACTORY_NAMES, readNetworkFlags } from '../weights/given-network.mjs';
import { oneOf, outputDirectory, outputFile, parseFlags, pathTo, stop } from './flags.mjs';

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

const HELP = `Takes weights of another program into a network, or gives those of a model to another program.

  node examples/convert.mjs --weights FILE --model DIR --to PATH
  node examples/convert.mjs --weights FILE --factory NAME --args JSON --to PATH
  node examples/convert.mjs --model DIR --to PATH
  node examples/convert.mjs --weights FILE --list

  --weights FILE   safetensors, an .npz, a directory of .npy files, or what Keras saves: .keras, .weights.h5, .h5
  --model DIR      the network: that of a saved model, or of a run of train.mjs or pytorch/train.py. Without --weights, its
                   weights too
  --factory NAME   the network: a new one, by ${FACTORY_NAMES.join(', ')}
  --args JSON      its arguments, as {"imageShape":[8,8,1],"levels":17}
  --from NAME      how the weights are named and lie: ${SOURCES.join(', ')} (keras)
  --rename A=>B    replaces what matches the regular expression A in a name by B, where $1 is its first group; any number
                   of times, in turn. A name of which nothing is left is left out
  --axes A=>0,1    the order in the file of the axes of weights of the network whose names match the regular expression
                   A, where --from keras or pytorch has them in another; axes of length 1 may be left out. Any number of
                   times; the first that matches counts
  --list           prints names and shapes, those of the network too, and what does not match; writes nothing
  --to PATH        NAME.pixelcnn for pixelcnn-layers/runtime, NAME.safetensors or NAME.npz for other programs, or else
                   the directory of a model
  --float16        rounds the weights in a .pixelcnn to float16: half the size
  --layout NAME    how kernels lie in .safetensors and .npz: keras, [rows,columns,in,out], or pytorch,
                   [out,in,rows,columns] (keras)
  --help           prints this
`;

const text = { type: 'string' };
const OPTIONS = {
  weights: text,
  model: text,
  factory: text,
  args: text,
  from: text,
  rename: { type: 'string', multiple: true, default: [] },
  axes: { type: 'string', multiple: true, default: [] },
  list: { type: 'boolean', default: false },
  to: text,
  float16: { type: 'boolean', default: false },
  layout: text,
  help: { type: 'boolean' },
};

/**
 * Reads and checks the command line. Ends the program for `--help` and for errors.
 *
 * @param {string[]} argv
 * @returns {{ weights?: string, network: null | { directory: string } | { factory: string, args: object }, from: string,
 *   rename: (name: string) => string, axes?: (name: string) => number[] | undefined, isList: boolean, to?: string, kind: string, float16: boolean, layout: 'keras' | 'pytorch' }} `kind` is
 *   the ending of the file that is to be written, '' of a directory
 */
export function readConvertFlags(argv) {
  const flags = parseFlags(OPTIONS, HELP, argv);
  const weights =
    flags.weights === undefined ? undefined : pathTo('a file of weights', '--weights', flags.weights);
  const network = readNetworkFlags(flags);
  if (weights === undefined) {
    if (network === null) stop('--weights: wanted a file of weights, or --model; --help lists the flags');
    if (flags.factory !== undefined) stop('--weights: wanted a file of weights: a new network has none');
    if (flags.from !== undefined) stop('--from: comes with --weights');
    if (flags.rename.length > 0) stop('--rename: comes with --weights');
    if (flags.axes.length > 0) stop('--axes: comes with --weights');
  }
  if (flags.list && flags.to !== undefined) stop('--to: --list writes nothing');
  if (!flags.list && network === null)
    stop('--model: wanted a network, by --model or --factory; --help lists the flags');
  const kind = flags.list ? '' : kindOf(flags.to);
  if (flags.float16 && kind !== '.pixelcnn') stop('--float16: comes with --to NAME.pixelcnn');
  if (flags.layout !== undefined && !['.safetensors', '.npz'].includes(kind)) {
    stop('--layout: requires --to NAME.safetensors or NAME.npz');
  }
  const from = oneOf('--from', flags.from ?? 'keras', SOURCES);
  if (flags.axes.length > 0 && !LAYOUTS.includes(from)) stop('--axes: requires --from keras or pytorch');
  return {
    weights,
    network,
    from,
    rename: renaming(flags.rename),
    axes: flags.axes.length === 0 ? undefined : ordering(flags.axes),
    isList: flags.list,
    to: flags.to,
    kind,
    float16: flags.float16,
    layout: oneOf('--layout', flags.layout ?? 'keras', LAYOUTS),
  };
}

/** The kind of file to write, by the ending of its name. */
function kindOf(to) {
  const ending = extname(to ?? '').toLowerCase();
  if (NOT_WRITTEN.includes(ending)) stop(`--to: wanted ${WRITTEN.join(', ')} or a directory, got '${to}'`);
  if (WRITTEN.includes(ending)) {
    outputFile('--to', to);
    return ending;
  }
  outputDirectory('--to', to);
  return '';
}

/** A function from names in a file to names in the network. */
function renaming(all) {
  const steps = all.map((step) => ruleOf('--rename', 'replacement', step));
  return (name) => steps.reduce((old, [pattern, replacement]) => old.replace(pattern, replacement), name);
}

/** A function from the name of a weight to the order of its axes in the file. */
function ordering(all) {
  const rules = all.map((rule) => {
    const [pattern, order] = ruleOf('--axes', 'axes', rule);
    if (!/^\d+(,\d+)*$/.test(order)) stop(`--axes: wanted numbers of axes, as 0,1, got '${order}'`);
    return [pattern, order.split(',').map(Number)];
  });
  return (name) => rules.find(([pattern]) => name.search(pattern) >= 0)?.[1];
}

/** The two sides of a rule: a regular expression, and the replacement of names that match it. */
function ruleOf(flag, right, rule) {
  const [, pattern, value] = /^(.+?)=>(.*)$/s.exec(rule) ?? [];
  if (pattern === undefined) stop(`${flag}: wanted 'regular expression=>${right}', got '${rule}'`);
  try {
    return [new RegExp(pattern, 'g'), value];
  } catch (error) {
    return stop(`${flag}: ${error.message}`);
  }
}
