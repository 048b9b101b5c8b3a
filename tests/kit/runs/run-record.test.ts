import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSafetensors } from 'pixelcnn-layers/weights';
import { expect, it } from 'vitest';
import { provenanceOf, recordOfRun } from '../../../kit/runs/run-record.mjs';
import { temporaryFolder } from '../../support/node/temporary-folder';

const folder = temporaryFolder();

async function runOf(files: Record<string, string | Uint8Array>) {
  const directory = await mkdtemp(join(folder, 'run-'));
  for (const [file, contents] of Object.entries(files)) await writeFile(join(directory, file), contents);
  return directory;
}

it('is of a run of train.mjs: its settings, its evaluations, the best of them', async () => {
  const settings = { data: 'digits', levels: 17, seed: 3, steps: 30, path: '/data', checksum: 99 };
  const evaluations = [{ step: 10, testBits: 2 }, { step: 20, testBits: 1.5 }, { step: 30, testBits: 1.75 }]; // biome-ignore format: rows
  const metrics = [{ step: 9, trainBits: 2.5 }, ...evaluations].map((line) => `${JSON.stringify(line)}\n`).join('');
  const directory = await runOf({ 'run.json': JSON.stringify(settings), 'metrics.jsonl': metrics });
  expect(await recordOfRun(directory)).toEqual({ settings: { program: 'train.mjs', ...settings }, evaluations, best: 20 });
  expect(await provenanceOf(directory)).toEqual({
    program: 'train.mjs',
    data: 'digits, checksum 99',
    steps: '20',
    seed: '3',
    settings: '{"levels":17,"steps":30}',
    'bits/dim': 'test 1.5000',
    'written by': expect.stringMatching(/^pixelcnn-layers \d+\.\d+\.\d+$/),
    commit: expect.toBeOneOf([undefined, expect.stringMatching(/^[0-9a-f]{10}$/)]), // where it is a repository
  });
});

it('is of a run of train.py, which says at its end what it chose', async () => {
  const weights = '/runs/a.safetensors';
  const state = { run: { data: 'binarized-mnist', seed: 1, learning_rate: 0.002, weights, resume: false, path: '/data', mutate: null } };
  const weight = { dtype: 'F32' as const, shape: [2, 3], data: new Float32Array(6) };
  const checkpoint = writeSafetensors(new Map([['model.kernel', weight], ['average.kernel', weight]]), { state: JSON.stringify(state) }); // biome-ignore format: one line
  const evaluations = [{ step: 10, validationBits: 0.15 }, { step: 20, validationBits: 0.16 }]; // biome-ignore format: rows
  const final = { best: 10, testBits: 0.145 };
  const directory = await runOf({ 'metrics.json': JSON.stringify([...evaluations, final]), 'checkpoint.safetensors': checkpoint });
  const settings = { program: 'pytorch/train.py', data: 'binarized-mnist', seed: 1, learningRate: 0.002, weights, path: '/data' };
  expect(await recordOfRun(directory)).toEqual({ settings, evaluations, best: 10, numWeights: 6, final });
  expect(await provenanceOf(directory)).toMatchObject({
    steps: '10',
    settings: '{"learningRate":0.002,"weights":"a.safetensors"}', // no path of a machine
    'bits/dim': 'validation 0.1500, test 0.1450',
  });
});

it('is of no other directory', async () => {
  expect(await recordOfRun(folder)).toBeNull();
  expect(await provenanceOf(folder)).toBeUndefined();
});
