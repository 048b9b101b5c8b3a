import { BACKENDS } from '../runs/backend.mjs';
import { oneOf, outputDirectory, parseFlags, wholeNumber } from './flags.mjs';

const HELP = `Trains a PixelCNN on 8x8 handwritten digits, then draws new digits and completes halves of real ones.

Usage: node examples/quickstart.mjs [flags]

  --steps N        training steps (3000)
  --seed N         same seed, backend and machine, same figures and images (1)
  --backend NAME   ${BACKENDS.join(', ')} (wasm); webgpu: see kit/node-webgpu;
                   tensorflow: npm run build:tfjs-node, or install @tensorflow/tfjs-node
  --batch N        images a step, 1 to 1500 (16)
  --eval-images N  test images that the figures are of, the first N: fewer take less time (all 297)
  --out DIR        where the results go (out/quickstart)
  --help           prints this
`;

const OPTIONS = {
  steps: { type: 'string', default: '3000' },
  seed: { type: 'string', default: '1' },
  backend: { type: 'string', default: 'wasm' },
  batch: { type: 'string', default: '16' },
  'eval-images': { type: 'string', default: '297' },
  out: { type: 'string', default: 'out/quickstart' },
  help: { type: 'boolean', default: false },
};

/**
 * Reads and checks the command line.
 *
 * @param {string[]} argv
 * @returns {{ steps: number, seed: number, backend: string, batch: number, evalImages: number, out: string }}
 */
export function readQuickstartFlags(argv) {
  const flags = parseFlags(OPTIONS, HELP, argv);
  return {
    steps: wholeNumber('--steps', flags.steps, 1),
    seed: wholeNumber('--seed', flags.seed, 0),
    backend: oneOf('--backend', flags.backend, BACKENDS),
    batch: wholeNumber('--batch', flags.batch, 1, 1500),
    evalImages: wholeNumber('--eval-images', flags['eval-images'], 1, 297),
    out: outputDirectory('--out', flags.out),
  };
}
