import { DATASETS } from '../../../kit/data/datasets.mjs';
import { decimal, oneOf, outputDirectory, parseFlags, pathTo, positiveNumber, stop, wholeNumber } from '../../../kit/flags/flags.mjs'; // biome-ignore format: one line

const HELP = `Draws images, or scores some, on all machines that run worker.mjs. Run an interrupted command again to continue it.

Usage: node examples/cluster/submit.mjs draw --model FILE --images N [flags]
       node examples/cluster/submit.mjs score --model FILE --data NAME [flags]

Both
  --model FILE      a model as one file, NAME.pixelcnn, of export.mjs
  --out DIR         where results go (out/cluster-draw, out/cluster-score)
  --per-job N       images a job (256, fewer where these are large)
  --verify X        does this share of the jobs twice, at least one, and compares; 0 for none (0.02)
  --redis URL       of Redis or Valkey; rediss:// for TLS (the environment variable REDIS_URL, or redis://127.0.0.1)
  --queue NAME      that of the workers (pixelcnn)
  --help            prints this

draw
  --images N        how many
  --seed N          same seed, same images (1)
  --temperature X   divides the logits; 0 takes the most likely level (1)
  --top-k N         draws only among the N most likely levels
  --top-p X         draws only among the fewest levels that have probability X
  --classes K,K,... images are of these classes in turn, of a model conditioned on classes (all of them)

score
  --data NAME       ${DATASETS.join(', ')}
  --path PATH       where they are, for data sets that are not found by themselves
  --part NAME       train or test (test)
  --npy FILE        instead of --data: levels [N,H,W] or [N,H,W,C], as NumPy saves them
  --labels FILE     their classes [N], for a model conditioned on classes
  --images N        the first N (all)
`;

const text = (fallback) => ({ type: 'string', ...(fallback === undefined ? {} : { default: fallback }) });
const BOTH = {
  model: text(),
  out: text(),
  images: text(),
  'per-job': text(),
  verify: text('0.02'),
  redis: text(process.env.REDIS_URL ?? 'redis://127.0.0.1'),
  queue: text('pixelcnn'),
  help: { type: 'boolean', default: false },
};
const OWN = {
  draw: { seed: text('1'), temperature: text('1'), 'top-k': text(), 'top-p': text(), classes: text() },
  score: { data: text(), path: text(), part: text('test'), npy: text(), labels: text() },
};

/**
 * The command line, checked.
 *
 * @param {string[]} argv
 * @returns {{ kind: 'draw' | 'score', model: string, out: string, images?: number, perJob?: number, verify: number, redis: string, queue: string,
 *   options?: { seed: number, temperature: number, topK?: number, topP?: number }, classes?: number[],
 *   data?: string, path?: string, part?: 'train' | 'test', npy?: string, labels?: string }}
 */
export function readSubmitFlags([kind, ...argv]) {
  if (kind === '--help') parseFlags(BOTH, HELP, [kind]);
  if (!Object.hasOwn(OWN, String(kind))) {
    stop(
      `wanted draw or score first, got ${kind === undefined ? 'nothing' : `'${kind}'`}; --help lists the flags`,
    );
  }
  const flags = parseFlags({ ...BOTH, ...OWN[kind] }, HELP, argv);
  const optional = (read, name, ...rest) =>
    flags[name] === undefined ? undefined : read(`--${name}`, flags[name], ...rest);
  const both = {
    kind,
    model: pathTo('the file of a model', '--model', flags.model),
    out: outputDirectory('--out', flags.out ?? `out/cluster-${kind}`),
    images: optional(wholeNumber, 'images', 1),
    perJob: optional(wholeNumber, 'per-job', 1),
    verify: decimal('--verify', flags.verify),
    redis: flags.redis,
    queue: pathTo('a name', '--queue', flags.queue),
  };
  if (both.verify > 1) stop(`--verify: wanted a share from 0 to 1, got '${flags.verify}'`);
  if (kind === 'draw') {
    if (both.images === undefined) stop('--images: wanted how many; --help lists the flags');
    return {
      ...both,
      options: {
        seed: wholeNumber('--seed', flags.seed, 0),
        temperature: decimal('--temperature', flags.temperature),
        topK: optional(wholeNumber, 'top-k', 1),
        topP: optional(positiveNumber, 'top-p', 1),
      },
      classes: flags.classes?.split(',').map((name) => wholeNumber('--classes', name, 0)),
    };
  }
  if ((flags.data === undefined) === (flags.npy === undefined)) {
    stop('--data: wanted it or --npy, not both; --help lists the flags');
  }
  if (flags.labels !== undefined && flags.npy === undefined) stop('--labels: comes with --npy');
  if (flags.path !== undefined && flags.data === undefined) stop('--path: comes with --data');
  return {
    ...both,
    data: optional(oneOf, 'data', DATASETS),
    path: flags.path,
    part: oneOf('--part', flags.part, ['train', 'test']),
    npy: flags.npy,
    labels: flags.labels,
  };
}
