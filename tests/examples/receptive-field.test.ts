import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runScript } from './run-script';
import { saveModel } from './save-model';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'receptive-field-'));
});
afterAll(() => rm(directory, { recursive: true }));

it('shows the blind spot as text and as a picture', async () => {
  const { code, stdout } = await runScript('receptive-field.mjs', ['--blocks', '2'], directory);
  expect(code).toBe(0);
  // As the blog's stack with two blocks: # seen, o blind, @ the pixel predicted
  expect(stdout).toContain(
    [
      '.............',
      '.###########.',
      '.###########.',
      '.###########.',
      '.##########o.',
      '.#########oo.',
      '.#####@',
    ].join('\n'),
  );
  expect(stdout).toContain('sees 57 earlier values; 3 within the window are blind');
  expect(stdout).toContain('written to out/receptive-field.svg\n');
  const svg = await readFile(join(directory, 'out/receptive-field.svg'), 'utf8');
  expect(svg.match(/#c0563b/g)).toHaveLength(3);
});

it('shows that a gated network sees all of its window', async () => {
  const out = join(directory, 'gated.svg');
  const flags = ['--gated', '--blocks', '2', '--first-kernel', '5', '--out', out];
  const { code, stdout } = await runScript('receptive-field.mjs', flags);
  expect(code).toBe(0);
  // 4 rows above of 9 columns, and 4 pixels to the left
  expect(stdout).toContain('sees 40 earlier values; 0 within the window are blind');
  expect(await readFile(out, 'utf8')).not.toContain('#c0563b');
});

it('shows what blocks of PixelRNN see, in images of a given size', async () => {
  const see = async (block: string) => {
    const flags = ['--blocks', '1', '--first-kernel', '3', '--height', '4', '--width', '9', '--block', block];
    const { stdout } = await runScript('receptive-field.mjs', flags, directory);
    return stdout.split('\n').slice(0, 4);
  };
  // Two pixels to the left by the two kernels 3x3, and from there on upwards a triangle.
  expect(await see('row-lstm')).toEqual(['########.', '#######o.', 'o#####oo.', 'oo##@']);
  expect(await see('diagonal-bi-lstm')).toEqual(['#########', '#########', '########o', '####@']);
  const { code, stderr } = await runScript('receptive-field.mjs', ['--gated', '--block', 'row-lstm']);
  expect([code, stderr]).toEqual([1, '--block: of a PixelCNN, not of a gated one\n']);
});

it('counts rows and columns of a saved model from 0', async () => {
  const model = join(directory, 'model');
  await saveModel(model, {}); // 8x8 pixels; a first kernel of 3 and a block of 3
  const flags = ['--model', model, '--row', '1', '--column', '0', '--out', join(directory, 'model.svg')];
  const { code, stdout } = await runScript('receptive-field.mjs', flags);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^##\.{6}\n@\n/); // in the row above, what the first kernel sees, and no more: its block looks to the left there
});
