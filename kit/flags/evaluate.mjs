import { DATASETS } from '../data/datasets.mjs';
import { BACKENDS } from '../runs/backend.mjs';
import { oneOf, parseFlags, pathTo, stop, wholeNumber } from './flags.mjs';

const HELP = `Measures a saved model on the test images of a data set, in bits per dimension, beside models that see no neighbours and PNG.

Usage: node examples/evaluate.mjs --model PATH --data NAME [flags]

  --model PATH    a saved model, a run of train.mjs or pytorch/train.py, or a .pixelcnn file
  --data NAME     ${DATASETS.join(', ')}
  --path PATH     where the data are, for data sets that are not found by themselves
  --levels N      says how many levels the model should have; the data are quantized to them
  --images N      measures the first N test images (all)
  --batch N       images at a time (64)
  --classify      also tells how many images have their own class as the one under which they are most likely
  --backend NAME  ${BACKENDS.join(', ')} (wasm)
  --help          prints this
`;

const OPTIONS = {
  model: { type: 'string' },
  data: { type: 'string' },
  path: { type: 'string' },
  levels: { type: 'string' },
  images: { type: 'string' },
  batch: { type: 'string', default: '64' },
  classify: { type: 'boolean', default: false },
  backend: { type: 'string', default: 'wasm' },
  help: { type: 'boolean', default: false },
};

/**
 * Reads and checks the command line.
 *
 * @param {string[]} argv
 * @returns {{ model: string, data: string, path?: string, levels?: number, images?: number, batch: number, classify: boolean,
 *   backend: string }}
 */
export function readEvaluateFlags(argv) {
  const flags = parseFlags(OPTIONS, HELP, argv);
  const model = pathTo('the directory of a model', '--model', flags.model);
  if (flags.data === undefined) stop(`--data: wanted one of ${DATASETS.join(', ')}; --help lists the flags`);
  return {
    model,
    data: oneOf('--data', flags.data, DATASETS),
    path: flags.path,
    levels: flags.levels === undefined ? undefined : wholeNumber('--levels', flags.levels, 2, 65_536),
    images: flags.images === undefined ? undefined : wholeNumber('--images', flags.images, 1),
    batch: wholeNumber('--batch', flags.batch, 1),
    classify: flags.classify,
    backend: oneOf('--backend', flags.backend, BACKENDS),
  };
}
