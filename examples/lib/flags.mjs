import { parseArgs } from 'node:util';
import { BACKENDS } from './backend.mjs';

const HELP = `Trains a PixelCNN on 8x8 handwritten digits, then draws new digits and completes halves of real ones.

Usage: node examples/quickstart.mjs [flags]

  --steps N       training steps (3000)
  --seed N        same seed and backend, same figures and images (1)
  --backend NAME  ${BACKENDS.join(', ')} (wasm); webgpu: see examples/node-webgpu;
                  tensorflow needs @tensorflow/tfjs-node
  --batch N       images a step, 1 to 1500 (16)
  --out DIR       where the results go (out/quickstart)
  --help          prints this
`;

/**
 * The command line, checked. Ends the program where it asks for help or cannot be understood.
 *
 * @param {string[]} argv
 * @returns {{ steps: number, seed: number, backend: string, batch: number, out: string }}
 */
export function readFlags(argv) {
  const flags = parse(argv);
  if (flags.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  if (!BACKENDS.includes(flags.backend)) {
    stop(`--backend: wanted ${BACKENDS.join(', ')}, got '${flags.backend}'`);
  }
  if (flags.out === '') stop("--out: wanted a directory, got ''");
  return {
    steps: wholeNumber('--steps', flags.steps, 1),
    seed: wholeNumber('--seed', flags.seed, 0),
    backend: flags.backend,
    batch: wholeNumber('--batch', flags.batch, 1, 1500),
    out: flags.out,
  };
}

/** Ends the program with one line: a stack trace is of no use to whoever mistyped a flag. */
export function stop(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function parse(args) {
  const options = {
    steps: { type: 'string', default: '3000' },
    seed: { type: 'string', default: '1' },
    backend: { type: 'string', default: 'wasm' },
    batch: { type: 'string', default: '16' },
    out: { type: 'string', default: 'out/quickstart' },
    help: { type: 'boolean', default: false },
  };
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    // Node explains at length, in several sentences or lines; the first one names the flag.
    const [message] = error.message.split(/\.\s|\n/);
    return stop(`${message}; --help lists the flags`);
  }
}

function wholeNumber(flag, text, least, most = Number.MAX_SAFE_INTEGER) {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  return stop(`${flag}: wanted a whole number ${range}, got '${text}'`);
}
