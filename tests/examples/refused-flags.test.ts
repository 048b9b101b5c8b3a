import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/node/temporary-folder';
import { itRefuses, type Refusal, runScript, startScript } from './run-script';
import { saveGatedModel, saveModel, saveModelOfCodes } from './save-model';

const NO_REDIS = ['--redis', 'redis://127.0.0.1:1'];

/** Flags with which each example would run, but for those of the cluster, which need Redis. */
const ENOUGH: Record<string, string[]> = {
  'checkpoint.mjs': ['tests/golden/pixelsnail/snail.safetensors'],
  'cluster/submit.mjs draw': ['--model', 'models/digits.pixelcnn', '--images', '9', ...NO_REDIS],
  'cluster/submit.mjs score': ['--model', 'models/digits.pixelcnn', '--data', 'digits', ...NO_REDIS],
  'cluster/worker.mjs': NO_REDIS,
  'complete.mjs halves': [],
  'complete.mjs look-ahead': [],
  'complete.mjs orders': [],
  'compress.mjs': ['--model', 'models/digits.pixelcnn', '--from', 'examples', '--to', 'DIRECTORY/x'],
  'convert.mjs': ['--model', 'MODEL', '--to', 'DIRECTORY/x.npz'],
  'evaluate.mjs': ['--model', 'MODEL', '--data', 'digits'],
  'ising.mjs': ['--out', 'DIRECTORY/x'],
  'pictures.mjs bits': ['--model', 'MODEL', '--data', 'digits'],
  'pictures.mjs field': [],
  'pictures.mjs masks': [],
  'quickstart.mjs': ['--out', 'DIRECTORY/x'],
  'research/glyphs/syllables.mjs': ['--model', 'MODEL', '--data', 'DIRECTORY'],
  'research/out-of-distribution.mjs': ['--model', 'MODEL', '--background', 'MODEL', '--data', 'digits', '--other', 'digits'],
  'research/vq/train.mjs': ['--out', 'DIRECTORY/x'],
  'sample.mjs': ['--model', 'MODEL'],
  'tiles/draw.mjs': ['--out', 'DIRECTORY/x'],
  'tiles/make-data.mjs': ['--out', 'DIRECTORY/x'],
  'train.mjs': ['--data', 'digits', '--out', 'DIRECTORY/x'],
};
const SCRIPTS = Object.keys(ENOUGH);

const directory = temporaryFolder();
beforeAll(async () => {
  await saveModel(join(directory, 'MODEL'), {});
  await saveGatedModel(join(directory, 'CLASSES'), { numClasses: 10 });
  await saveGatedModel(join(directory, 'FEW'), { numClasses: 9 });
  await saveGatedModel(join(directory, 'RGB'), { imageShape: [16, 16, 3], numClasses: 10 });
  await saveGatedModel(join(directory, 'VECTORS'), { conditionSize: 3 });
  await saveGatedModel(join(directory, 'MAPS'), { conditionMapSize: 3 });
  await saveModelOfCodes(join(directory, 'CODES'));
  await saveModel(join(directory, 'ANY'), { imageShape: [null, null, 1] });
});

const places = () => {
  const models = ['MODEL', 'CLASSES', 'FEW', 'RGB', 'VECTORS', 'MAPS', 'CODES', 'ANY'];
  return { ...Object.fromEntries(models.map((name) => [name, join(directory, name)])), DIRECTORY: directory };
};

describe('a flag that is wrong', () => {
  const evaluate = ['evaluate.mjs', '--model', 'MODEL', '--data', 'digits'];
  const sample = ['sample.mjs', '--model', 'MODEL'];
  const sampleClasses = ['sample.mjs', '--model', 'CLASSES'];
  const refusals: Refusal[] = [
    ['--model: wanted a model; --help', ['evaluate.mjs']],
    ["--model: wanted a model, got ''", ['sample.mjs', '--model', '']],
    ['--model: wanted a model of images of one size', ['pictures.mjs', 'field', '--model', 'ANY']],
    ["--row: wanted a whole number from 0 to 7, got '8'", ['pictures.mjs', 'field', '--model', 'MODEL', '--row', '8']],
    ["--model: '/nowhere' does not exist", ['sample.mjs', '--model', '/nowhere']],
    ['--data: wanted one of digits, ', ['evaluate.mjs', '--model', 'MODEL']],
    ["--levels: the model has 17 levels, got '16'", [...evaluate, '--levels', '16']],
    ["--images: digits has 297 test images, got '298'", [...evaluate, '--images', '298']],
    ['digits: is embedded, takes no --path', [...evaluate, '--path', 'somewhere']],
    ['the model takes images of 8x8x1, emoji has 16x16x3', ['evaluate.mjs', '--model', 'MODEL', '--data', 'emoji']],
    ['--temperatures: comes without --temperature', [...sample, '--temperatures', '1', '--temperature', '1']],
    ["--top-p: wanted a number above 0 and at most 1, got '1.5'", [...sample, '--top-p', '1.5']],
    ['--complete: wanted digits, ', [...sample, '--complete', 'faces']],
    ['--path: comes with --complete', [...sample, '--path', 'somewhere']],
    ["--images: digits has 297 test images, got '298'", [...sample, '--complete', 'digits', '--images', '298']],
    ['--out: ENOTDIR', [...sample, '--out', 'package.json/deep/samples.png']],
    ['--class: the model takes no classes', [...sample, '--class', '0']],
    ["--class: the model has classes 0 to 9, got '10'", [...sampleClasses, '--class', '10']],
    ['--temperatures: requires --class', [...sampleClasses, '--temperatures', '1,2']],
    ['the model is conditioned on classes, emoji has none', ['sample.mjs', '--model', 'RGB', '--complete', 'emoji']],
    ['the model has classes 0 to 8, digits has 9', ['sample.mjs', '--model', 'FEW', '--complete', 'digits']],
    ['the model is conditioned on vectors', ['sample.mjs', '--model', 'VECTORS']],
    ['the model is conditioned on maps', ['sample.mjs', '--model', 'MAPS', '--class', '0']],
    ['--codes: wanted a .npy with a map of codes [4,4] for each image', ['sample.mjs', '--model', 'CODES']],
    ['--classify: the model takes no classes', [...evaluate, '--classify']],
    ['the model is conditioned on maps', ['evaluate.mjs', '--model', 'MAPS', '--data', 'digits', '--classify']],
  ];
  itRefuses(refusals, places);

  it('ends the process of an example', async () => {
    const { code, stdout, stderr } = await startScript('sample.mjs', ['--model', '/nowhere']).ended;
    expect(stderr).toMatch(/^[^\n]*--model[^\n]*\n$/);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });
});

/** Each flag of each example, in `--help`: without its value, empty, and with one that cannot be; or with a value where it takes none. */
it('every flag is refused in one line where it is wrong', async () => {
  const fill = (text: string) => Object.entries(places()).reduce((all, [name, path]) => all.replace(name, path), text);
  const run = (script: string, flags: readonly string[]) => {
    const [program = '', ...command] = script.split(' ');
    return runScript(program, [...command, ...flags]);
  };
  const helps = await Promise.all(SCRIPTS.map((script) => run(script, ['--help'])));
  const examples = helps.flatMap(({ stdout: help }, i) => {
    const script = SCRIPTS[i] as string;
    const flags = [...help.matchAll(/^ {2}(--[a-z-]+)( [<A-Z])?/gm)].filter(([, flag]) => flag !== '--help');
    expect(help).toContain(`node ${script.startsWith('research/') ? '' : 'examples/'}${script} `);
    expect(flags.length, script).toBeGreaterThan(2);
    const wrong = flags.flatMap(([, flag = '', value]) => {
      if (value === undefined) return [[`${flag}=1`]];
      return [[flag], [`${flag}=`], [flag, ['--out', '--to'].includes(flag) ? 'package.json/x' : '?!']];
    });
    return wrong.map((flags) => [script, [...(ENOUGH[script] as string[]).map(fill), ...flags]] as const);
  });
  for (const [script, flags] of examples) {
    const { code, stdout, stderr } = await run(script, flags);
    const what = [script, ...flags].join(' ');
    expect({ what, code, stdout }).toEqual({ what, code: 1, stdout: '' });
    expect(stderr, what).toMatch(/^[^\n]+\n$/);
    expect(stderr, what).not.toContain('undefined');
  }
});
