import { resolve } from 'node:path';
import { DATASETS } from '../data/datasets.mjs';
import {
  command,
  givenFlags,
  oddNumber,
  oneOf,
  outputDirectory,
  positiveNumber,
  stop,
  text,
  wanted,
  wholeNumber,
} from '../flags.mjs';
import { SYMMETRIES } from '../models/orientations.mjs';
import { BACKENDS } from './backend.mjs';

const STACKS = ['pixelcnn', 'row-lstm', 'diagonal-bi-lstm', 'conv-next', 'gated'];
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
  kernel: ['pixelcnn', 'row-lstm', 'conv-next', 'gated', 'snail'],
  input: [...STACKS, 'snail'],
  output: [...STACKS, 'plus-plus', 'snail'],
};

/** Flags that may change when a run is resumed. The run keeps all others. */
const MAY_CHANGE = ['resume', 'out', 'path', 'steps', 'patience', 'backend', 'workers'];

const trainCommand = () =>
  command(
    'examples/train.mjs',
    `Trains a PixelCNN on a data set, with the recipe of "The Annotated Pixel-CNN". At the end it measures the best model on the
test images and draws samples from it. Without --validation, the test images also choose which model is the best.`,
  )
    .usage(
      '--data fashion-mnist --levels 16 --out runs/fashion [options]\n       node examples/train.mjs --resume --out runs/fashion [--steps N] [--patience N]',
    )
    .optionsGroup('Data:')
    .option('--data <name>', 'the data set', oneOf(DATASETS))
    .option('--path <path>', 'where they are, for data sets that are not found by themselves', text('a path'))
    .option(
      '--levels <n>',
      'intensities, to which the data are quantized (default: those of the data); of npy, how many codes there are (default: the highest + 1)',
      wholeNumber(2, 65_536),
    )
    .option(
      '--palette <n>',
      'of RGB images: the levels are N colours, chosen by k-means over their pixels, and a pixel is one value',
      wholeNumber(2, 4096),
    )
    .optionsGroup('Model:')
    .option(
      '--model <name>',
      'pixelcnn; row-lstm or diagonal-bi-lstm, with blocks of PixelRNN; conv-next, with blocks of ConvNeXt; gated, which has no blind spot; plus-plus, for photographs; snail, with attention, for codes; or gpt, a transformer, for codes and palettes',
      oneOf(MODELS),
      'pixelcnn',
    )
    .option(
      '--conditional',
      'conditions the model, gated, plus-plus, snail or gpt, on the class of each image',
    )
    .option(
      '--orientations <n>',
      'conditions the model, of the same, on the orientation in which an image is seen, drawn anew each time: 4, rows and columns flipped or not, or 8, also exchanged, of square images',
      oneOf(Object.keys(SYMMETRIES)),
    )
    .option('--filters <n>', 'of plus-plus and snail: features of each map', wholeNumber(1), 32)
    .option('--resnets <n>', 'of plus-plus: blocks at each resolution', wholeNumber(1), 2)
    .option('--res-blocks <n>', 'of snail: residual blocks in each block', wholeNumber(0), 2)
    .option('--res-filters <n>', 'of snail: features within a residual block', wholeNumber(1), 16)
    .option(
      '--heads <n>',
      'of snail and gpt: heads of attention; filters are a multiple of 2N, the width one of N',
      wholeNumber(1),
      4,
    )
    .option('--width <n>', 'of gpt: features of each place', wholeNumber(1), 32)
    .option('--layers <n>', 'of gpt: blocks, each of attention and an MLP', wholeNumber(1), 4)
    .option('--norm <name>', 'of gpt: rms as published', oneOf(['layer', 'rms']), 'layer')
    .option('--activation <name>', 'of gpt: quickGelu as published', oneOf(['gelu', 'quickGelu']), 'gelu')
    .option(
      '--residual <name>',
      "of gpt: what attention is added to: the block's input, or normalized",
      oneOf(['input', 'normalized']),
      'input',
    )
    .option(
      '--from-data <n>',
      'of plus-plus and snail: sets gains and biases from N training images before the first step',
      wholeNumber(1),
    )
    .option('--hidden <n>', 'of the others: features of a block, for each channel', wholeNumber(1), 16)
    .option('--out-dim <n>', 'features of the layers after the blocks, for each channel', wholeNumber(1), 32)
    .option(
      '--blocks <n>',
      'residual blocks; of snail, blocks of residual blocks and attention',
      wholeNumber(0),
      5,
    )
    .option('--first-kernel <n>', 'side of the first kernel, odd', oddNumber(), 7)
    .option('--kernel <n>', "side of the blocks' kernels, odd", oddNumber(), 3)
    .option(
      '--input <name>',
      'how levels are read: scaled, as intensities; oneHot, or embedding:N, as categories, for codes and tiles (default: scaled; of snail, and with --palette, oneHot)',
      nameOrSize(['scaled', 'oneHot'], { embedding: 'embedding' }),
    )
    .option(
      '--output <name>',
      'what is given of a value: softmax, a probability a level; mixture:K, of K discretized logistics, for photographs; gaussian, a mean and a scale in levels (default: softmax; of plus-plus mixture:10)',
      nameOrSize(['softmax', 'gaussian'], { mixture: 'components' }),
    )
    .option(
      '--dropout <x>',
      'probability with which blocks drop features in training, for small data sets',
      (value) => (value === '0' ? 0 : fraction(value)),
      0,
    )
    .optionsGroup('Training:')
    .option('--steps <n>', 'of training (default: 2000)', wholeNumber(1))
    .option('--batch <n>', 'images a step', wholeNumber(1), 16)
    .option('--optimizer <name>', 'rmsprop as in the paper', oneOf(['adam', 'rmsprop']), 'adam')
    .option('--learning-rate <x>', 'of the first step', positiveNumber(), 0.001)
    .option('--decay <x>', 'factor from step to step', positiveNumber(1), 0.999995)
    .option(
      '--average <x>',
      'also keeps an average of the weights, which forgets 1 - X a step, and evaluates that: try 0.999',
      fraction,
    )
    .option('--clip <x>', 'scales gradients down to this norm', positiveNumber())
    .option(
      '--validation <n>',
      'holds N training images out, and evaluates on those: test images are left for the end (default: none; with --patience, a tenth)',
      wholeNumber(0),
    )
    .option(
      '--patience <n>',
      'ends after N evaluations in a row that are no better than the best before',
      wholeNumber(1),
    )
    .option('--seed <n>', 'of weights, dropout, order and samples', wholeNumber(0), 1)
    .option('--backend <name>', 'what computes (default: "wasm")', oneOf(BACKENDS))
    .option(
      '--workers <n>',
      'on wasm: threads that share each step, with the same results for any number (default: as many as there are cores)',
      wholeNumber(1),
    )
    .optionsGroup('Output:')
    .option('--out <dir>', 'where the run is kept (default: runs/<data>)', outputDirectory())
    .option('--every <n>', 'evaluates, draws samples and saves each N steps', wholeNumber(1), 500)
    .option(
      '--eval-images <n>',
      'images to evaluate on, the first N of the set (default: all)',
      wholeNumber(1),
    )
    .option('--samples <n>', 'images to draw', wholeNumber(1), 16)
    .option('--resume', 'continues the run in --out, exactly as if it had not stopped');

/**
 * Reads and checks the command line. Ends the program for `--help` and for errors.
 *
 * @param {string[]} argv
 * @returns {{ resume: boolean, out: string, steps?: number, patience?: number, backend?: string, workers?:
 * number, path?: string, run?: object }} `run` holds the settings of a new run
 */
export function readTrainFlags(argv) {
  const program = trainCommand().parse(argv, { from: 'user' });
  const flags = program.opts();
  const { data, model, steps, patience, backend, workers, palette: colours, filters, heads, width } = flags;
  const path = flags.path === undefined ? undefined : resolve(flags.path);
  const given = givenFlags(program);
  if (flags.resume) {
    const other = given.find((name) => !MAY_CHANGE.includes(name));
    if (other !== undefined)
      stop(
        `--${other}: a resumed run keeps its own; --resume takes --out, --path, --steps, --patience, --backend and --workers`,
      );
    if (!flags.out) stop('--resume: wanted --out with the directory of a run');
    return { resume: true, out: flags.out, steps, patience, backend, workers, path };
  }
  if (data === undefined) stop(`--data: wanted one of ${DATASETS.join(', ')}; --help lists the flags`);
  const misplaced = given.find((name) => FOR_MODELS[name]?.includes(model) === false);
  if (misplaced !== undefined)
    stop(`--${misplaced}: comes with --model ${FOR_MODELS[misplaced].join(', ')}, got '${model}'`);
  if (colours !== undefined && flags.levels !== undefined) stop('--palette: comes without --levels');
  const isSnail = model === 'snail';
  if (isSnail && filters % (2 * heads) !== 0)
    stop(`--filters: wanted a multiple of 2 * heads (${2 * heads}), got '${filters}'`);
  if (model === 'gpt' && width % heads !== 0)
    stop(`--width: wanted a multiple of heads (${heads}), got '${width}'`);
  if (isSnail && flags.kernel === 1) stop("--kernel: wanted 3 or more with --model snail, got '1'");
  if (isSnail && flags.blocks === 0)
    stop("--blocks: wanted a whole number of at least 1 with --model snail, got '0'");
  return {
    resume: false,
    out: flags.out ?? `runs/${data}`,
    workers,
    run: {
      data,
      path,
      levels: flags.levels,
      colours,
      model,
      isConditional: flags.conditional ?? false,
      orientations: flags.orientations && Number(flags.orientations),
      filters,
      numResnets: flags.resnets,
      numResBlocks: flags.resBlocks,
      resFilters: flags.resFilters,
      heads,
      width,
      numLayers: flags.layers,
      norm: flags.norm,
      activation: flags.activation,
      residual: flags.residual,
      fromData: flags.fromData,
      hiddenDim: flags.hidden,
      outDim: flags.outDim,
      numBlocks: flags.blocks,
      firstKernelSize: flags.firstKernel,
      kernelSize: flags.kernel,
      input: flags.input ?? (isSnail || colours !== undefined ? 'oneHot' : 'scaled'),
      output: flags.output ?? (model === 'plus-plus' ? { components: 10 } : 'softmax'),
      dropout: flags.dropout,
      steps: steps ?? 2000,
      batch: flags.batch,
      optimizer: flags.optimizer,
      learningRate: flags.learningRate,
      decay: flags.decay,
      average: flags.average,
      clip: flags.clip,
      validation: flags.validation,
      patience,
      seed: flags.seed,
      backend: backend ?? 'wasm',
      every: flags.every,
      evalImages: flags.evalImages,
      samples: flags.samples,
    },
  };
}

/** One of `names`, or a name and a size, such as `embedding:32`, which becomes an object with the key in `sized`. */
function nameOrSize(names, sized) {
  const choices = [...names, ...Object.keys(sized).map((key) => `${key}:N`)];
  return (value) => {
    const [, name, size] = /^(\w+):([1-9]\d{0,8})$/.exec(value) ?? [];
    if (Object.hasOwn(sized, String(name))) return { [sized[name]]: Number(size) };
    return oneOf(choices)(value);
  };
}

function fraction(value) {
  const number = positiveNumber()(value);
  if (number < 1) return number;
  throw wanted('a number below 1', value);
}
