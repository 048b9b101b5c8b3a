import { resolve } from 'node:path';
import { DATASETS } from '../../kit/data/datasets.mjs';
import {
  command,
  decimal,
  givenFlags,
  multipleOf,
  oneOf,
  outputDirectory,
  stop,
  text,
  wholeNumber,
} from '../../kit/flags.mjs';
import { BACKENDS } from '../../kit/runs/backend.mjs';

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
  const program = command(
    'research/vq/train.mjs',
    'Trains a VQ-VAE, which turns images into a few codes each, and a PixelSNAIL over those codes; draws images through both.',
  )
    .optionsGroup('Data:')
    .option(
      '--data <name>',
      'one with classes, of a height and width that 4 divides',
      oneOf(DATASETS),
      'fashion-mnist',
    )
    .option('--path <path>', 'where they are, for data sets that are not found by themselves', text('a path'))
    .optionsGroup('VQ-VAE:')
    .option('--entries <n>', 'of the codebook', wholeNumber(2, 65_536), 64)
    .option('--code-size <n>', 'numbers that an entry has', wholeNumber(1), 16)
    .option('--filters <n>', 'features of each layer, an even number', multipleOf(2), 64)
    .option('--steps <n>', 'of training', wholeNumber(1), 4000)
    .optionsGroup('PixelSNAIL:')
    .option('--prior-filters <n>', 'features of each layer, a multiple of 16', multipleOf(16), 64)
    .option('--prior-blocks <n>', 'of the network', wholeNumber(1), 2)
    .option('--prior-steps <n>', 'of training', wholeNumber(1), 6000)
    .option(
      '--workers <n>',
      'on wasm: threads that share each step, with the same results for any number (default: as many as there are cores)',
      wholeNumber(1),
    )
    .optionsGroup('Both:')
    .option('--batch <n>', 'images a step', wholeNumber(1), 32)
    .option('--seed <n>', 'of weights, order and samples', wholeNumber(0), 1)
    .option('--backend <name>', 'what computes (default: "wasm")', oneOf(BACKENDS))
    .optionsGroup('Output:')
    .option('--out <dir>', 'where the run is kept', outputDirectory(), 'runs/vq')
    .option('--every <n>', 'saves each N steps', wholeNumber(1), 250)
    .option(
      '--eval-images <n>',
      'test images that the figures are of, the first N (default: all)',
      wholeNumber(1),
    )
    .option('--rows <n>', 'samples of each class', wholeNumber(1), 8)
    .option('--temperature <x>', 'divides the logits of codes; 0 takes the most likely code', decimal(), 0.8)
    .option(
      '--resume',
      'continues the run in --out, exactly as if it had not stopped; takes --out, --path, --backend and --workers beside it',
    )
    .parse(argv, { from: 'user' });
  const { resume = false, out, workers, entries: numEntries, ...given } = program.opts();
  const path = given.path === undefined ? undefined : resolve(given.path);
  if (resume) {
    const other = givenFlags(program).find((name) => !MAY_CHANGE.includes(name));
    if (other !== undefined)
      stop(`--${other}: a resumed run keeps its own; --resume takes --out, --path, --backend and --workers`);
    return { resume, out, backend: given.backend, workers, path };
  }
  return { resume, out, workers, run: { ...given, path, numEntries, backend: given.backend ?? 'wasm' } };
}
