import { DATASETS } from '../../../kit/data/datasets.mjs';
import {
  command,
  decimal,
  listOf,
  oneOf,
  outputDirectory,
  positiveNumber,
  stop,
  text,
  wholeNumber,
} from '../../../kit/flags.mjs';
import { redisFlag } from './redis.mjs';

/**
 * The command line, checked.
 *
 * @param {string[]} argv
 * @returns {{ kind: 'draw' | 'score', model: string, out: string, images?: number, perJob?: number, verify: number, redis: string, queue: string,
 *   options?: { seed: number, temperature: number, topK?: number, topP?: number }, classes?: number[],
 *   data?: string, path?: string, part?: 'train' | 'test', npy?: string, labels?: string }}
 */
export function readSubmitFlags(argv) {
  let read;
  const program = command(
    'examples/cluster/submit.mjs',
    'Draws images, or scores some, on all machines that run worker.mjs. Run an interrupted command again to continue it.',
  );
  ofBoth(program.command('draw').description('Draws images.'), 'draw')
    .requiredOption('--images <n>', 'how many', wholeNumber(1))
    .option('--seed <n>', 'same seed, same images', wholeNumber(0), 1)
    .option('--temperature <x>', 'divides the logits; 0 takes the most likely level', decimal(), 1)
    .option('--top-k <n>', 'draws only among the N most likely levels', wholeNumber(1))
    .option('--top-p <x>', 'draws only among the fewest levels that have probability X', positiveNumber(1))
    .option(
      '--classes <list>',
      'K,K,...: images are of these classes in turn, of a model conditioned on classes (default: all of them)',
      listOf(wholeNumber(0)),
    )
    .action(({ seed, temperature, topK, topP, ...flags }) => {
      read = { kind: 'draw', ...flags, options: { seed, temperature, topK, topP } };
    });
  ofBoth(program.command('score').description('Scores the images of a data set, or of a file.'), 'score')
    .option('--data <name>', 'the data set', oneOf(DATASETS))
    .option('--path <path>', 'where they are, for data sets that are not found by themselves')
    .option('--part <name>', 'of the data set', oneOf(['train', 'test']), 'test')
    .option('--npy <file>', 'instead of --data: levels [N,H,W] or [N,H,W,C], as NumPy saves them')
    .option('--labels <file>', 'their classes [N], for a model conditioned on classes')
    .option('--images <n>', 'the first N (default: all)', wholeNumber(1))
    .action((flags) => {
      const { data, npy, labels, path } = flags;
      if ((data === undefined) === (npy === undefined))
        stop('wanted --data or --npy, one of them; --help lists the flags');
      if (labels !== undefined && npy === undefined) stop('--labels: comes with --npy');
      if (path !== undefined && data === undefined) stop('--path: comes with --data');
      read = { kind: 'score', ...flags };
    });
  program.parse(argv, { from: 'user' });
  return read;
}

/** Adds the flags of both. */
function ofBoth(program, kind) {
  return program
    .requiredOption(
      '--model <file>',
      'a model as one file, NAME.pixelcnn, of convert.mjs',
      text('the file of a model'),
    )
    .option('--out <dir>', 'where results go', outputDirectory(), `out/cluster-${kind}`)
    .option('--per-job <n>', 'images a job (default: 256, fewer where these are large)', wholeNumber(1))
    .option(
      '--verify <x>',
      'does this share of the jobs twice, at least one, and compares; 0 for none',
      decimal(1),
      0.02,
    )
    .addOption(redisFlag())
    .option('--queue <name>', 'that of the workers', text('a name'), 'pixelcnn');
}
