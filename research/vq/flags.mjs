import { resolve } from 'node:path';
import { DATASETS } from '../../kit/data/datasets.mjs';
import {
  decimal,
  oneOf,
  outputDirectory,
  parseFlags,
  pathTo,
  stop,
  wholeNumber,
} from '../../kit/flags/flags.mjs';
import { BACKENDS } from '../../kit/runs/backend.mjs';

const HELP = `Trains a VQ-VAE, which turns images into a few codes each, and a PixelSNAIL over those codes; draws images through both.

Usage: node research/vq/train.mjs [flags]
       node research/vq/train.mjs --resume [--out DIR]

Data
  --data NAME         one with classes, of a height and width that 4 divides: ${DATASETS.join(', ')} (fashion-mnist)
  --path PATH         where they are, for data sets that are not found by themselves

VQ-VAE
  --entries N         of the codebook (64)
  --code-size N       numbers that an entry has (16)
  --filters N         features of each layer, an even number (64)
  --steps N           (4000)

PixelSNAIL
  --prior-filters N   features of each layer, a multiple of 16 (64)
  --prior-blocks N    (2)
  --prior-steps N     (6000)
  --workers N         on wasm: threads that share each step, with the same results for any number (as many as there are cores)

Both
  --batch N           images a step (32)
  --seed N            of weights, order and samples (1)
  --backend NAME      ${BACKENDS.join(', ')} (wasm)

Output
  --out DIR           where the run is kept (runs/vq)
  --every N           saves each N steps (250)
  --eval-images N     test images that the figures are of, the first N (all)
  --rows N            samples of each class (8)
  --temperature X     divides the logits of codes; 0 takes the most likely code (0.8)
  --resume            continues the run in --out, exactly as if it had not stopped; takes --out, --path, --backend and --workers beside it
  --help              prints this
`;

const text = (fallback) => ({ type: 'string', ...(fallback === undefined ? {} : { default: fallback }) });
const OPTIONS = {
  data: text('fashion-mnist'),
  path: text(),
  entries: text('64'),
  'code-size': text('16'),
  filters: text('64'),
  steps: text('4000'),
  'prior-filters': text('64'),
  'prior-blocks': text('2'),
  'prior-steps': text('6000'),
  workers: text(),
  batch: text('32'),
  seed: text('1'),
  backend: text(),
  out: text('runs/vq'),
  every: text('250'),
  'eval-images': text(),
  rows: text('8'),
  temperature: text('0.8'),
  resume: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

/** Flags that may be given with --resume. The run keeps all others. */
const MAY_CHANGE = ['resume', 'out', 'path', 'backend', 'workers'];

/**
 * Reads and checks the command line. Ends the program for `--help` and for errors.
 *
 * @param {string[]} argv
 * @returns {{ resume: boolean, out: string, backend?: string, workers?: number, path?: string, run?: object }} `run`
 * holds the settings of a new run
 */
export function readFlags(argv) {
  const flags = parseFlags(OPTIONS, HELP, argv);
  const backend = flags.backend === undefined ? undefined : oneOf('--backend', flags.backend, BACKENDS);
  const workers = flags.workers === undefined ? undefined : wholeNumber('--workers', flags.workers, 1);
  const path = flags.path === undefined ? undefined : resolve(pathTo('a path', '--path', flags.path));
  const out = outputDirectory('--out', flags.out);
  if (flags.resume) {
    const given = argv.filter((arg) => arg.startsWith('--')).map((arg) => arg.slice(2).split('=')[0]);
    const other = given.find((name) => !MAY_CHANGE.includes(name));
    if (other !== undefined)
      stop(`--${other}: a resumed run keeps its own; --resume takes --out, --path, --backend and --workers`);
    return { resume: true, out, backend, workers, path };
  }
  return {
    resume: false,
    out,
    workers,
    run: {
      data: oneOf('--data', flags.data, DATASETS),
      path,
      numEntries: wholeNumber('--entries', flags.entries, 2, 65_536),
      codeSize: wholeNumber('--code-size', flags['code-size'], 1),
      filters: multipleOf(2, '--filters', flags.filters),
      steps: wholeNumber('--steps', flags.steps, 1),
      priorFilters: multipleOf(16, '--prior-filters', flags['prior-filters']),
      priorBlocks: wholeNumber('--prior-blocks', flags['prior-blocks'], 1),
      priorSteps: wholeNumber('--prior-steps', flags['prior-steps'], 1),
      batch: wholeNumber('--batch', flags.batch, 1),
      seed: wholeNumber('--seed', flags.seed, 0),
      backend: backend ?? 'wasm',
      every: wholeNumber('--every', flags.every, 1),
      evalImages:
        flags['eval-images'] === undefined
          ? undefined
          : wholeNumber('--eval-images', flags['eval-images'], 1),
      rows: wholeNumber('--rows', flags.rows, 1),
      temperature: decimal('--temperature', flags.temperature),
    },
  };
}

function multipleOf(divisor, flag, value) {
  const number = wholeNumber(flag, value, divisor);
  return number % divisor === 0 ? number : stop(`${flag}: wanted a multiple of ${divisor}, got '${value}'`);
}
