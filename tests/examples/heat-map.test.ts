import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { heatColour } from '../../kit/pictures/heat-map.mjs';
import { itRefuses, runScript } from './run-script';
import { saveGatedModel, saveModel } from './save-model';

let directory: string;
let zero: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'heat-map-'));
  zero = join(directory, 'zero');
  await saveModel(zero, {}, true);
});
afterAll(() => rm(directory, { recursive: true }));

it('shows images with their bits beside them, the same bytes each time', async () => {
  const out = join(directory, 'made', 'map.png');
  const flags = ['--model', zero, '--data', 'digits', '--images', '3', '--columns', '2', '--out', out];
  const { code, stdout, stderr } = await runScript('heat-map.mjs', flags);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  // To zero weights all 17 levels are alike.
  expect(stdout.match(/^image \d: 4\.087 bits\/dim, at most 4\.09 at row 0, column 0$/gm)).toHaveLength(3);
  expect(stdout).toContain(`written to ${out}`);
  const bytes = await readFile(out);
  const { width, data } = PNG.sync.read(bytes);
  const hex = (x: number, y: number) => `#${data.subarray((y * width + x) * 4, (y * width + x) * 4 + 3).toString('hex')}`; // biome-ignore format: one line
  for (const pixel of [0, 3, 7]) expect(hex(12 + 80 + 6 + 10 * pixel + 5, 12 + 5)).toBe(heatColour(1));
  await runScript('heat-map.mjs', flags);
  expect((await readFile(out)).equals(bytes)).toBe(true);
});

it('gives a model conditioned on classes the class of each image', async () => {
  const model = join(directory, 'gated');
  await saveGatedModel(model, { numClasses: 10 });
  const out = join(directory, 'gated.png');
  const flags = ['--model', model, '--data', 'digits', '--images', '2', '--out', out];
  const { code, stdout } = await runScript('heat-map.mjs', flags);
  expect(code).toBe(0);
  expect(stdout).toContain('image 1: ');
});

describe('refuses', () => {
  const onDigits = ['heat-map.mjs', '--model', 'ZERO', '--data', 'digits'];
  itRefuses(
    [
      ['--model: wanted the directory of a model; --help lists the flags', ['heat-map.mjs']],
      ['--data: wanted one of digits', ['heat-map.mjs', '--model', '/nowhere']],
      ['; /nowhere has neither', ['heat-map.mjs', '--model', '/nowhere', '--data', 'digits']],
      ['the model takes images of 8x8x1, emoji has 16x16x3', [...onDigits, '--data', 'emoji']],
      ["--images: wanted a whole number from 1 to 256, got '0'", [...onDigits, '--images', '0']],
      ['--out: ENOTDIR', [...onDigits, '--out', '/dev/null/map.png']],
      ['--out: wanted a file, DIRECTORY is a directory', [...onDigits, '--out', 'DIRECTORY']],
    ],
    () => ({ ZERO: zero, DIRECTORY: directory }),
  );
});
