import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runScript } from '../run-script';
import { saveGatedModel, saveModel } from '../save-model';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flags-'));
  await saveModel(join(directory, 'MODEL'), {});
  await saveGatedModel(join(directory, 'CLASSES'), { numClasses: 10 });
  await saveGatedModel(join(directory, 'FEW'), { numClasses: 9 });
  await saveGatedModel(join(directory, 'RGB'), { imageShape: [16, 16, 3], numClasses: 10 });
  await saveGatedModel(join(directory, 'VECTORS'), { conditionSize: 3 });
  await saveGatedModel(join(directory, 'MAPS'), { conditionMapSize: 3 });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe.each(['evaluate.mjs', 'sample.mjs'])('%s --help', (script) => {
  it('lists the flags', async () => {
    const { code, stdout } = await runScript(script, ['--help']);
    expect(code).toBe(0);
    for (const flag of ['--model', '--images', '--path', '--backend', '--help'])
      expect(stdout).toContain(flag);
  });
});

describe('a flag that is wrong', () => {
  const [MODEL, CLASSES, FEW, RGB, VECTORS, MAPS] = ['MODEL', 'CLASSES', 'FEW', 'RGB', 'VECTORS', 'MAPS'];
  const evaluate = ['evaluate.mjs', '--model', MODEL, '--data', 'digits'];
  const sample = ['sample.mjs', '--model', MODEL];
  const sampleClasses = ['sample.mjs', '--model', CLASSES];

  it.concurrent.each([
    ['--model: wanted the directory of a model; --help', ['evaluate.mjs']],
    ['--model: wanted the directory of a model; --help', ['sample.mjs']],
    ["--model: wanted the directory of a model, got ''", ['sample.mjs', '--model', '']],
    ['model.json is missing', ['sample.mjs', '--model', '/nowhere']],
    ['model.json is missing', ['evaluate.mjs', '--model', '/nowhere', '--data', 'digits']],
    ['--data: wanted one of digits, ', ['evaluate.mjs', '--model', MODEL]],
    ["got 'faces'", ['evaluate.mjs', '--model', MODEL, '--data', 'faces']],
    ["--levels: the model has 17 levels, got '16'", [...evaluate, '--levels', '16']],
    ["--images: digits has 297 test images, got '298'", [...evaluate, '--images', '298']],
    ["--batch: wanted a whole number of at least 1, got '0'", [...evaluate, '--batch', '0']],
    ["--backend: wanted wasm, cpu, webgpu, tensorflow, got 'gpu'", [...evaluate, '--backend', 'gpu']],
    ['digits: is embedded, takes no --path', [...evaluate, '--path', 'somewhere']],
    [
      'the model takes images of 8x8x1, emoji has 16x16x3',
      ['evaluate.mjs', '--model', MODEL, '--data', 'emoji'],
    ],
    ["Unknown option '--temp'", [...evaluate, '--temp', '1']],
    ["--temperature: wanted a number of at least 0, got 'warm'", [...sample, '--temperature', 'warm']],
    ["--temperatures: wanted a number of at least 0, got ''", [...sample, '--temperatures', '1,']],
    ['--temperatures: comes without --temperature', [...sample, '--temperatures', '1', '--temperature', '1']],
    ["--top-k: wanted a whole number of at least 1, got '0'", [...sample, '--top-k', '0']],
    ["--top-p: wanted a number above 0 and at most 1, got '1.5'", [...sample, '--top-p', '1.5']],
    ["--top-p: wanted a number above 0 and at most 1, got '0'", [...sample, '--top-p', '0']],
    ['--complete: wanted digits, ', [...sample, '--complete', 'faces']],
    ['--path: comes with --complete', [...sample, '--path', 'somewhere']],
    ['the model takes images of 8x8x1, emoji has 16x16x3', [...sample, '--complete', 'emoji']],
    [
      "--images: digits has 297 test images, got '298'",
      [...sample, '--complete', 'digits', '--images', '298'],
    ],
    ["--out: wanted a file, got ''", [...sample, '--out', '']],
    ['--out: ENOTDIR', [...sample, '--out', 'package.json/deep/samples.png']],
    ['--class: the model takes no classes', [...sample, '--class', '0']],
    ["--class: wanted a whole number of at least 0, got 'three'", [...sampleClasses, '--class', 'three']],
    ["--class: the model has classes 0 to 9, got '10'", [...sampleClasses, '--class', '10']],
    ['--temperatures: comes with --class', [...sampleClasses, '--temperatures', '1,2']],
    [
      'the model is conditioned on classes, emoji has none',
      ['sample.mjs', '--model', RGB, '--complete', 'emoji'],
    ],
    ['the model has classes 0 to 8, digits has 9', ['sample.mjs', '--model', FEW, '--complete', 'digits']],
    ['the model is conditioned on vectors', ['sample.mjs', '--model', VECTORS]],
    ['the model is conditioned on maps', ['sample.mjs', '--model', MAPS, '--class', '0']],
    ['--classify: the model takes no classes', [...evaluate, '--classify']],
    [
      'the model is conditioned on classes, emoji has none',
      ['evaluate.mjs', '--model', RGB, '--data', 'emoji'],
    ],
    ['the model has classes 0 to 8, digits has 9', ['evaluate.mjs', '--model', FEW, '--data', 'digits']],
    ['the model is conditioned on vectors', ['evaluate.mjs', '--model', VECTORS, '--data', 'digits']],
    ['the model is conditioned on maps', ['evaluate.mjs', '--model', MAPS, '--data', 'digits', '--classify']],
  ])('is answered in one line: %s', async (message, [script = '', ...flags]) => {
    const { code, stdout, stderr } = await runScript(
      script,
      flags.map((flag) => (/^[A-Z]+$/.test(flag) ? join(directory, flag) : flag)),
    );
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(existsSync('samples.png')).toBe(false);
  });
});
