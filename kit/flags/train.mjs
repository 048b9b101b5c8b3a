import { resolve } from 'node:path';
import { DATASETS } from '../data/datasets.mjs';
import { SYMMETRIES } from '../models/orientations.mjs';
import { BACKENDS } from '../runs/backend.mjs';
import {
  oddNumber,
  oneOf,
  outputDirectory,
  parseFlags,
  pathTo,
  positiveNumber,
  stop,
  wholeNumber,
} from './flags.mjs';

const HELP = `Trains a PixelCNN on a data set, with the recipe of "The Annotated Pixel-CNN".

Usage: node examples/train.mjs --data fashion-mnist --levels 16 --out runs/fashion [flags]
       node examples/train.mjs --resume --out runs/fashion [--steps N] [--patience N]

At the end it measures the best model on the test images and draws samples from it. Without --validation, the test images also
choose which model is the best.

Data
  --data NAME         ${DATASETS.join(', ')}
  --path PATH         where they are, for data sets that are not found by themselves
  --levels N          intensities, to which the data are quantized (those of the data); of npy, how many codes there are (the highest + 1)
  --palette N         of RGB images: the levels are N colours, chosen by k-means over their pixels, and a pixel is one value (none)

Model
  --model NAME        pixelcnn; row-lstm or diagonal-bi-lstm, with blocks of PixelRNN; gated, which has no blind spot; plus-plus, for
                      photographs; snail, with attention, for codes; or gpt, a transformer, for codes and palettes (pixelcnn)
  --conditional       conditions the model, gated, plus-plus, snail or gpt, on the class of each image
  --orientations N    conditions the model, of the same, on the orientation in which an image is seen, drawn anew each time:
                      4, rows and columns flipped or not, or 8, also exchanged, of square images (none)
  --filters N         of plus-plus and snail: features of each map (32)
  --resnets N         of plus-plus: blocks at each resolution (2)
  --res-blocks N      of snail: residual blocks in each block (2)
  --res-filters N     of snail: features within a residual block (16)
  --heads N           of snail and gpt: heads of attention; filters are a multiple of 2N, the width one of N (4)
  --width N           of gpt: features of each place (32)
  --layers N          of gpt: blocks, each of attention and an MLP (4)
  --norm NAME         of gpt: layer, or rms as published (layer)
  --activation NAME   of gpt: gelu, or quickGelu as published (gelu)
  --residual NAME     of gpt: what attention is added to: the block's input, or normalized (input)
  --from-data N       of plus-plus and snail: sets gains and biases from N training images before the first step (none)
  --hidden N          of the others: features of a block, for each channel (16)
  --out-dim N         features of the layers after the blocks, for each channel (32)
  --blocks N          residual blocks; of snail, blocks of residual blocks and attention (5)
  --first-kernel N    side of the first kernel, odd (7)
  --kernel N          side of the blocks' kernels, odd (3)
  --input NAME        how levels are read: scaled, as intensities; oneHot, or embedding:N, as categories, for codes and tiles (scaled; of snail, and with --palette, oneHot)
  --output NAME       what is given of a value: softmax, a probability a level; mixture:K, of K discretized logistics, for photographs (softmax; of plus-plus mixture:10)
  --dropout X         probability with which blocks drop features in training, for small data sets (0)

Training
  --steps N           (2000)
  --batch N           images a step (16)
  --optimizer NAME    adam, or rmsprop as in the paper (adam)
  --learning-rate X   of the first step (0.001)
  --decay X           factor from step to step (0.999995)
  --average X         also keeps an average of the weights, which forgets 1 - X a step, and evaluates that: try 0.999
  --clip X            scales gradients down to this norm
  --validation N      holds N training images out, and evaluates on those: test images are left for the end (none; with --patience, a tenth)
  --patience N        ends after N evaluations in a row that are no better than the best before
  --seed N            of weights, dropout, order and samples (1)
  --backend NAME      ${BACKENDS.join(', ')} (wasm)
  --workers N         on wasm: threads that share each step, with the same results for any number (as many as there are cores)

Output
  --out DIR           where the run is kept (runs/<data>)
  --every N           evaluates, draws samples and saves each N steps (500)
  --eval-images N     images to evaluate on, the first N of the set (all)
  --samples N         images to draw (16)
  --resume            continues the run in --out, exactly as if it had not stopped
  --help              prints this
`;

const text = (fallback) => ({ type: 'string', ...(fallback === undefined ? {} : { default: fallback }) });
const OPTIONS = {
  data: text(),
  path: text(),
  levels: text(),
  palette: text(),
  model: text('pixelcnn'),
  conditional: { type: 'boolean', default: false },
  orientations: text(),
  filters: text('32'),
  resnets: text('2'),
  'res-blocks': text('2'),
  'res-filters': text('16'),
  heads: text('4'),
  width: text('32'),
  layers: text('4'),
  norm: text('layer'),
  activation: text('gelu'),
  residual: text('input'),
  'from-data': text(),
  hidden: text('16'),
  'out-dim': text('32'),
  blocks: text('5'),
  'first-kernel': text('7'),
  kernel: text('3'),
  input: text(),
  output: text(),
  dropout: text('0'),
  steps: text(),
  batch: text('16'),
  optimizer: text('adam'),
  'learning-rate': text('0.001'),
  decay: text('0.999995'),
  average: text(),
  clip: text(),
  validation: text(),
  patience: text(),
  seed: text('1'),
  backend: text(),
  workers: text(),
  out: text(),
  every: text('500'),
  'eval-images': text(),
  samples: text('16'),
  resume: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

const STACKS = ['pixelcnn', 'row-lstm', 'diagonal-bi-lstm', 'gated'];
const CONDITIONED = ['gated', 'plus-plus', 'snail', 'gpt'];
const MODELS = [...STACKS, 'plus-plus', 'snail', 'gpt'];

/** The networks that a flag is for, unless it is for all. */
export const FOR_MODELS = {
  palette: [...STACKS, 'snail', 'gpt'],
  conditional: CONDITIONED,
  orientations: CONDITIONED,
  filters: ['plus-plus', 'snail'],
  resnets: ['plus-plus'],
  'res-blocks': ['snail'],
  'res-filters': ['snail'],
  heads: ['snail', 'gpt'],
  width: ['gpt'],
  layers: ['gpt'],
  norm: ['gpt'],
  activation: ['gpt'],
  residual: ['gpt'],
  'from-data': ['plus-plus', 'snail'],
  hidden: STACKS,
  'out-dim': STACKS,
  blocks: [...STACKS, 'snail'],
  'first-kernel': STACKS,
  kernel: ['pixelcnn', 'row-lstm', 'gated', 'snail'],
  input: [...STACKS, 'snail'],
  output: [...STACKS, 'plus-plus', 'snail'],
};

/** Flags that may change when a run is resumed. The run keeps all others. */
const MAY_CHANGE = ['resume', 'out', 'path', 'steps', 'patience', 'backend', 'workers'];

/**
 * Reads and checks the command line. Ends the program for `--help` and for errors.
 *
 * @param {string[]} argv
 * @returns {{ resume: boolean, out: string, steps?: number, patience?: number, backend?: string, workers?:
 * number, path?: string, run?: object }} `run` holds the settings of a new run
 */
export function readTrainFlags(argv) {
  const flags = parseFlags(OPTIONS, HELP, argv);
  const optional = (read, name, ...rest) =>
    flags[name] === undefined ? undefined : read(`--${name}`, flags[name], ...rest);
  const steps = optional(wholeNumber, 'steps', 1);
  const patience = optional(wholeNumber, 'patience', 1);
  const backend = optional(oneOf, 'backend', BACKENDS);
  const workers = optional(wholeNumber, 'workers', 1);
  const path = flags.path === undefined ? undefined : resolve(pathTo('a path', '--path', flags.path));
  const given = argv.filter((arg) => arg.startsWith('--')).map((arg) => arg.slice(2).split('=')[0]);
  if (flags.resume) {
    const other = given.find((name) => !MAY_CHANGE.includes(name));
    if (other !== undefined)
      stop(
        `--${other}: a resumed run keeps its own; --resume takes --out, --path, --steps, --patience, --backend and --workers`,
      );
    if (!flags.out) stop('--resume: wanted --out with the directory of a run');
    return {
      resume: true,
      out: outputDirectory('--out', flags.out),
      steps,
      patience,
      backend,
      workers,
      path,
    };
  }
  if (flags.data === undefined) stop(`--data: wanted one of ${DATASETS.join(', ')}; --help lists the flags`);
  const model = oneOf('--model', flags.model, MODELS);
  const misplaced = given.find((name) => FOR_MODELS[name]?.includes(model) === false);
  if (misplaced !== undefined)
    stop(`--${misplaced}: comes with --model ${FOR_MODELS[misplaced].join(', ')}, got '${model}'`);
  const colours = optional(wholeNumber, 'palette', 2, 4096);
  if (colours !== undefined && flags.levels !== undefined) stop('--palette: comes without --levels');
  const isPlusPlus = model === 'plus-plus';
  const isSnail = model === 'snail';
  const filters = wholeNumber('--filters', flags.filters, 1);
  const heads = wholeNumber('--heads', flags.heads, 1);
  if (isSnail && filters % (2 * heads) !== 0)
    stop(`--filters: wanted a multiple of 2 * heads (${2 * heads}), got '${filters}'`);
  const width = wholeNumber('--width', flags.width, 1);
  if (model === 'gpt' && width % heads !== 0)
    stop(`--width: wanted a multiple of heads (${heads}), got '${width}'`);
  if (isSnail && flags.kernel === '1') stop("--kernel: wanted 3 or more with --model snail, got '1'");
  const dropout = flags.dropout === '0' ? 0 : fraction('--dropout', flags.dropout);
  const data = oneOf('--data', flags.data, DATASETS);
  return {
    resume: false,
    out: outputDirectory('--out', flags.out ?? `runs/${data}`),
    workers,
    run: {
      data,
      path,
      levels: optional(wholeNumber, 'levels', 2, 65_536),
      colours,
      model,
      isConditional: flags.conditional,
      orientations: optional(orientationCount, 'orientations'),
      filters,
      numResnets: wholeNumber('--resnets', flags.resnets, 1),
      numResBlocks: wholeNumber('--res-blocks', flags['res-blocks'], 0),
      resFilters: wholeNumber('--res-filters', flags['res-filters'], 1),
      heads,
      width,
      numLayers: wholeNumber('--layers', flags.layers, 1),
      norm: oneOf('--norm', flags.norm, ['layer', 'rms']),
      activation: oneOf('--activation', flags.activation, ['gelu', 'quickGelu']),
      residual: oneOf('--residual', flags.residual, ['input', 'normalized']),
      fromData: optional(wholeNumber, 'from-data', 1),
      hiddenDim: wholeNumber('--hidden', flags.hidden, 1),
      outDim: wholeNumber('--out-dim', flags['out-dim'], 1),
      numBlocks: wholeNumber('--blocks', flags.blocks, isSnail ? 1 : 0),
      firstKernelSize: oddNumber('--first-kernel', flags['first-kernel']),
      kernelSize: oddNumber('--kernel', flags.kernel),
      input: nameOrSize(
        '--input',
        flags.input ?? (isSnail || colours !== undefined ? 'oneHot' : 'scaled'),
        ['scaled', 'oneHot'],
        {
          embedding: 'embedding',
        },
      ),
      output: nameOrSize('--output', flags.output ?? (isPlusPlus ? 'mixture:10' : 'softmax'), ['softmax'], {
        mixture: 'components',
      }),
      dropout,
      steps: steps ?? 2000,
      batch: wholeNumber('--batch', flags.batch, 1),
      optimizer: oneOf('--optimizer', flags.optimizer, ['adam', 'rmsprop']),
      learningRate: positiveNumber('--learning-rate', flags['learning-rate']),
      decay: positiveNumber('--decay', flags.decay, 1),
      average: optional(fraction, 'average'),
      clip: optional(positiveNumber, 'clip'),
      validation: optional(wholeNumber, 'validation', 0),
      patience,
      seed: wholeNumber('--seed', flags.seed, 0),
      backend: backend ?? 'wasm',
      every: wholeNumber('--every', flags.every, 1),
      evalImages: optional(wholeNumber, 'eval-images', 1),
      samples: wholeNumber('--samples', flags.samples, 1),
    },
  };
}

/**
 * One of `names`, or a name and a size, such as `embedding:32`, which becomes an object with the key in `sized`.
 */
function nameOrSize(flag, text, names, sized) {
  const [name, size] = text.split(/:(.*)/s);
  if (size !== undefined && Object.hasOwn(sized, name))
    return { [sized[name]]: wholeNumber(`${flag} ${name}`, size, 1) };
  return oneOf(flag, text, [...names, ...Object.keys(sized).map((key) => `${key}:N`)]);
}

const orientationCount = (flag, text) => Number(oneOf(flag, text, Object.keys(SYMMETRIES)));

function fraction(flag, value) {
  const number = positiveNumber(flag, value);
  return number < 1 ? number : stop(`${flag}: wanted a number below 1, got '${value}'`);
}
