import { DATASETS } from '../data/datasets.mjs';
import { BACKENDS } from '../runs/backend.mjs';
import {
  decimal,
  oneOf,
  outputFile,
  parseFlags,
  pathTo,
  positiveNumber,
  stop,
  wholeNumber,
} from './flags.mjs';

const HELP = `Draws images from a saved model.

Usage: node examples/sample.mjs --model PATH [flags]

  --model PATH          a saved model, a run of train.mjs or pytorch/train.py, or a .pixelcnn file
  --images N            images to draw (64); in a row each class, and with --temperatures or --complete as said there (8)
  --class K             draws this class only; a model conditioned on classes else draws a row of N images each
  --codes FILE          of a prior over finer codes: the coarser maps, a .npy [N,h,w] or [N,h,w,1]; draws an image for each
  --seed N              same seed and backend, same images (1)
  --temperature X       divides the logits; 0 takes the most likely level (1)
  --temperatures X,Y,Z  a row each of N images, drawn from the same noise; of one --class where the model has classes
  --top-k N             draws only among the N most likely levels
  --top-p X             draws only among the fewest levels that have probability X
  --complete NAME       draws the lower halves of N test images again, a row each: the image, then 7 completions;
                        with --temperatures, a row of the images, then a row of completions each;
                        of its own class, or of --class, where the model has classes
                        (${DATASETS.join(', ')})
  --path PATH           where the data are, for data sets that are not found by themselves
  --out FILE            the picture, a PNG; or, with a name that ends in .npy, the levels of its images, row by row, for NumPy
                        (out/samples.png)
  --backend NAME        ${BACKENDS.join(', ')} (wasm)
  --help                prints this
`;

const OPTIONS = {
  model: { type: 'string' },
  images: { type: 'string' },
  class: { type: 'string' },
  codes: { type: 'string' },
  seed: { type: 'string', default: '1' },
  temperature: { type: 'string' },
  temperatures: { type: 'string' },
  'top-k': { type: 'string' },
  'top-p': { type: 'string' },
  complete: { type: 'string' },
  path: { type: 'string' },
  out: { type: 'string', default: 'out/samples.png' },
  backend: { type: 'string', default: 'wasm' },
  help: { type: 'boolean', default: false },
};

/**
 * Reads and checks the command line. `temperatures` is undefined unless a row for each was
 * requested; the default of `images` depends on the model.
 *
 * @param {string[]} argv
 * @returns {{ model: string, images?: number, class?: number, codes?: string, seed: number, temperature: number, temperatures?: number[], topK?: number, topP?: number,
 *   complete?: string, path?: string, out: string, backend: string }}
 */
export function readSampleFlags(argv) {
  const flags = parseFlags(OPTIONS, HELP, argv);
  const { temperature, temperatures, complete } = flags;
  if (temperature !== undefined && temperatures !== undefined) {
    stop('--temperatures: comes without --temperature');
  }
  for (const name of ['images', 'class', 'complete']) {
    if (flags.codes !== undefined && flags[name] !== undefined) stop(`--${name}: comes without --codes`);
  }
  if (flags.path !== undefined && complete === undefined) stop('--path: comes with --complete');
  return {
    model: pathTo('the directory of a model', '--model', flags.model),
    images: flags.images === undefined ? undefined : wholeNumber('--images', flags.images, 1),
    class: flags.class === undefined ? undefined : wholeNumber('--class', flags.class, 0),
    codes: flags.codes,
    seed: wholeNumber('--seed', flags.seed, 0),
    temperature: decimal('--temperature', temperature ?? '1'),
    temperatures: temperatures?.split(',').map((text) => decimal('--temperatures', text)),
    topK: flags['top-k'] === undefined ? undefined : wholeNumber('--top-k', flags['top-k'], 1),
    topP: flags['top-p'] === undefined ? undefined : positiveNumber('--top-p', flags['top-p'], 1),
    complete: complete === undefined ? undefined : oneOf('--complete', complete, DATASETS),
    path: flags.path,
    out: outputFile('--out', flags.out),
    backend: oneOf('--backend', flags.backend, BACKENDS),
  };
}
