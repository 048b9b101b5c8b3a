import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { readSubmitFlags } from '../../examples/cluster/lib/submit-flags.mjs';
import * as flag from '../../kit/flags.mjs';
import { readTrainFlags } from '../../kit/runs/train-flags.mjs';
import { readFlags as readVqFlags } from '../../research/vq/flags.mjs';
import { temporaryFolder } from '../support/node/temporary-folder';

class Ended extends Error {}

/** What a program prints before it ends, and its exit code; or the values of its flags. */
function answerTo(read: () => unknown) {
  const printed = { stdout: '', stderr: '' };
  const listeners = process.listeners('uncaughtException');
  const mocks = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      printed[stream] += text;
      return true;
    }),
  );
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => {
    throw new Ended();
  });
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
    return { ...printed, code: exit.mock.lastCall?.[0] };
  } finally {
    for (const mock of [...mocks, exit]) mock.mockRestore();
    for (const listener of process.listeners('uncaughtException')) {
      if (!listeners.includes(listener)) process.off('uncaughtException', listener);
    }
  }
}

const directory = temporaryFolder();
beforeAll(() => writeFile(join(directory, 'file'), ''));

const program = () =>
  flag
    .command('examples/some.mjs', 'Shows some.')
    .requiredOption('--model <path>', 'what draws', flag.text('a model'))
    .option('--images <n>', 'how many', flag.wholeNumber(1, 256), 8)
    .option('--top-k <n>', 'of the likeliest (all)', flag.wholeNumber(1))
    .option('--side <n>', 'of the kernel', flag.oddNumber(), 3)
    .option('--filters <n>', 'of a layer', flag.multipleOf(2), 4)
    .option('--heat <x>', 'of draws', flag.decimal(), 1)
    .option('--share <x>', 'that is checked', flag.decimal(1), 0)
    .option('--rate <x>', 'of learning', flag.positiveNumber(), 0.5)
    .option('--decay <x>', 'of the rate', flag.positiveNumber(1), 1)
    .option('--backend <name>', 'what computes', flag.oneOf(['wasm', 'cpu']), 'wasm')
    .option('--heats <list>', 'a row each', flag.listOf(flag.decimal()))
    .option('--other <path>', 'any number of times', flag.repeated(flag.text()))
    .option('--path <path>', 'of the data')
    .option('--out <file>', 'the picture', flag.outputFile(), 'out/some.png')
    .option('--to <dir>', 'of results', flag.outputDirectory())
    .option('--classify', 'also by class');
const answer = (flags: string[]) => answerTo(() => program().parse(flags, { from: 'user' }).opts());

describe('flags', () => {
  const defaults = { images: 8, side: 3, filters: 4, heat: 1, share: 0, rate: 0.5, decay: 1, backend: 'wasm', out: 'out/some.png' };

  it('have defaults, and values of their kind', () => {
    expect(answer(['--model', 'm'])).toEqual({ model: 'm', ...defaults });
    const given = '--images 256 --top-k 2 --side=5 --filters 6 --heat 0 --share 1 --rate 1e-3 --decay .5 --backend cpu';
    const more = ['--heats', '0,1.5', '--other', 'a', '--other', 'b', '--to', directory, '--out', join(directory, 'file')];
    expect(answer(['--model', 'm', ...given.split(' '), ...more, '--classify'])).toEqual({
      ...{ model: 'm', images: 256, topK: 2, side: 5, filters: 6, heat: 0, share: 1, rate: 0.001, decay: 0.5 },
      ...{ backend: 'cpu', heats: [0, 1.5], other: ['a', 'b'], to: directory, out: join(directory, 'file') },
      classify: true,
    });
  });

  it('are known as given', () => {
    const given = program().parse(['--model', 'm', '--top-k', '2', '--images', '8'], { from: 'user' });
    expect(flag.givenFlags(given)).toEqual(['model', 'images', 'top-k']);
  });

  it.each([
    ['--images 0', "--images: wanted a whole number from 1 to 256, got '0'"],
    ['--images', '--images: wanted a value; --help lists the flags'],
    ['--images --classify', "--images: wanted a value, got '--classify'; --help lists the flags"],
    ['--top-k 0', "--top-k: wanted a whole number of at least 1, got '0'"],
    ['--side 4', "--side: wanted an odd number, got '4'"],
    ['--filters 7', "--filters: wanted a multiple of 2, got '7'"],
    ['--heat 1e999', "--heat: wanted a number of at least 0, got '1e999'"],
    ['--share 1.1', "--share: wanted a number from 0 to 1, got '1.1'"],
    ['--rate 0', "--rate: wanted a number above 0, got '0'"],
    ['--decay 2', "--decay: wanted a number above 0 and at most 1, got '2'"],
    ['--backend gpu', "--backend: wanted wasm, cpu, got 'gpu'"],
    ['--heats 1,', "--heats: wanted a number of at least 0, got ''"],
    ['--path=', "--path: wanted a value, got ''"],
    ['--out=', "--out: wanted a file, got ''"],
    ['--out DIRECTORY', '--out: wanted a file, DIRECTORY is a directory'],
    ['--out new/', '--out: wanted a file, new/ is a directory'],
    ['--to DIRECTORY/file', '--to: wanted a directory, DIRECTORY/file is a file'],
    ['--classify=1', "unknown option '--classify=1' (Did you mean --classify?); --help lists the flags"],
    ['--topk 2', "unknown option '--topk' (Did you mean --top-k?); --help lists the flags"],
    ['--frobnicate', "unknown option '--frobnicate'; --help lists the flags"],
    ['x', 'too many arguments. Expected 0 arguments but got 1; --help lists the flags'],
  ])('that are wrong end the program in one line: %s', (flags, line) => {
    const fill = (text: string) => text.replaceAll('DIRECTORY', directory);
    const given = ['--model', 'm', ...fill(flags).split(' ')];
    expect(answer(given)).toEqual({ code: 1, stdout: '', stderr: `${fill(line)}\n` });
  });

  it('that are missing end the program, unless one is misspelt', () => {
    const missing = '--model: wanted a model; --help lists the flags\n';
    expect(answer([])).toMatchObject({ code: 1, stderr: missing });
    const misspelt = "unknown option '--modle' (Did you mean --model?); --help lists the flags\n";
    expect(answer(['--modle', 'm'])).toMatchObject({ code: 1, stderr: misspelt });
  });

  it('are listed with choices and defaults', () => {
    const { code, stdout, stderr } = answer(['--help']) as { code: number; stdout: string; stderr: string };
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Usage: node examples/some.mjs --model <path> [options]\n\nShows some.\n');
    expect(stdout).toMatch(/--images <n> +how many \(default: 8\)\n/);
    expect(stdout).toMatch(/--backend <name> +what computes \(choices: "wasm", "cpu", default:\s+"wasm"\)\n/);
    expect(stdout).toMatch(/--help +prints this\n/);
  });
});

describe('commands of a program', () => {
  const run = vi.fn();
  const answer = (flags: string[]) =>
    answerTo(() => {
      const program = flag.command('examples/some.mjs', 'Shows some.');
      program.command('one').option('--images <n>', 'how many', flag.wholeNumber(1), 8).action(run);
      program.command('other').requiredOption('--model <path>', 'what draws', flag.text('a model')).action(run);
      program.parse(flags, { from: 'user' });
    });

  it('have flags of their own', () => {
    answer(['one']);
    expect(run.mock.lastCall?.[0]).toEqual({ images: 8 });
    answer(['other', '--model', 'm']);
    expect(run.mock.lastCall?.[0]).toEqual({ model: 'm' });
    expect(run).toHaveBeenCalledTimes(2);
  });

  it.each([
    ['one --images 0', "--images: wanted a whole number of at least 1, got '0'"],
    ['one x', "too many arguments for 'one'. Expected 0 arguments but got 1; --help lists the flags"],
    ['other', '--model: wanted a model; --help lists the flags'],
    ['on', "unknown command 'on' (Did you mean one?); --help lists the flags"],
  ])('end in one line where a flag is wrong: %s', (flags, line) => {
    run.mockClear();
    expect(answer(flags.split(' '))).toEqual({ code: 1, stdout: '', stderr: `${line}\n` });
    expect(run).not.toHaveBeenCalled();
  });
});

it.each([
  [[], "missing required argument 'from'; --help lists the flags"],
  [['a', ''], "to: wanted a file, got ''"],
  [['a', 'b', 'c'], 'too many arguments. Expected 2 arguments but got 3; --help lists the flags'],
])('what stands alone is checked: %j', (argv, line) => {
  const copy = () =>
    flag.command('examples/copy.mjs', 'Copies.').argument('<from>', 'a file').argument('[to]', 'another', flag.outputFile(), 'out');
  expect(answerTo(() => copy().parse(['a'], { from: 'user' }).processedArgs)).toEqual(['a', 'out']);
  expect(answerTo(() => copy().parse(argv, { from: 'user' }))).toEqual({ code: 1, stdout: '', stderr: `${line}\n` });
});

it('a program with a command line ends in one line where an error is not caught', () => {
  const read = () => {
    program();
    process.listeners('uncaughtException').at(-1)?.(new Error('no memory\nmore about it'), 'uncaughtException');
  };
  expect(answerTo(read)).toEqual({ code: 1, stdout: '', stderr: 'no memory\n' });
});

it.each([
  [readTrainFlags, '', '--data: wanted one of digits, fashion-mnist, mnist, binarized-mnist, cifar-10, emoji, folder, npy; --help lists the flags'],
  [readTrainFlags, '--data digits --output mixture:', "--output: wanted softmax, gaussian, mixture:N, got 'mixture:'"],
  [readTrainFlags, '--data digits --output logits', "--output: wanted softmax, gaussian, mixture:N, got 'logits'"],
  [readTrainFlags, '--data digits --average 1', "--average: wanted a number below 1, got '1'"],
  [readTrainFlags, '--data digits --layers 2', "--layers: comes with --model gpt, got 'pixelcnn'"],
  [readTrainFlags, '--data digits --model snail --blocks 0', "--blocks: wanted a whole number of at least 1 with --model snail, got '0'"],
  [readTrainFlags, '--resume --levels 2', '--levels: a resumed run keeps its own; --resume takes --out, --path, --steps, --patience, --backend and --workers'],
  [readSubmitFlags, 'paint', "unknown command 'paint'; --help lists the flags"],
  [readSubmitFlags, '', 'wanted a command: draw, score; --help lists the flags'],
  [readSubmitFlags, 'draw --model x', '--images: wanted a whole number of at least 1; --help lists the flags'],
  [readSubmitFlags, 'draw --model x --images 2 --verify 2', "--verify: wanted a number from 0 to 1, got '2'"],
  [readSubmitFlags, 'draw --model x --images 2 --classes 1,a', "--classes: wanted a whole number of at least 0, got 'a'"],
  [readSubmitFlags, 'score --model x', 'wanted --data or --npy, one of them; --help lists the flags'],
  [readSubmitFlags, 'score --model x --data digits --labels x', '--labels: comes with --npy'],
  [readVqFlags, '--resume --rows 2', '--rows: a resumed run keeps its own; --resume takes --out, --path, --backend and --workers'],
] as [(argv: string[]) => unknown, string, string][])('%s refuses %s', (read, flags, line) => {
  const argv = flags.split(' ').filter((flag) => flag !== '');
  expect(answerTo(() => read(argv))).toEqual({ code: 1, stdout: '', stderr: `${line}\n` });
}); // biome-ignore format: one mistake a line

it('each way to use the cluster has its values', () => {
  const asked = { kind: 'draw', model: 'm', images: 9, classes: [1, 2], options: { seed: 1, temperature: 1, topK: 3 } };
  const draw = { ...asked, out: 'out/cluster-draw', verify: 0.02, queue: 'pixelcnn' };
  expect(readSubmitFlags('draw --model m --images 9 --classes 1,2 --top-k 3'.split(' '))).toMatchObject(draw);
  const score = { kind: 'score', model: 'm', data: 'digits', part: 'test', out: 'out/cluster-score' };
  expect(readSubmitFlags('score --model m --data digits'.split(' '))).toMatchObject(score);
});
