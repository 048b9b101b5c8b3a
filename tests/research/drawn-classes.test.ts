import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readDataset } from '../../kit/data/datasets.mjs';
import { npyOf } from '../../kit/weights/npy.mjs';
import { temporaryFolder } from '../support/node/temporary-folder';
import { findPython } from './python';

const python = findPython();
const program = 'research/drawn-classes.py';
const folder = temporaryFolder();

it.skipIf(python === null)('drawn-classes.py takes images of one class for that, and not for others', async () => {
  const { data, labels } = (await readDataset('digits')).test;
  const ones = Uint8Array.from({ length: 640 }, (_, i) => data[64 * (labels as Uint8Array).indexOf(1) + (i % 64)] as number);
  const file = join(folder, 'ones.npy');
  await writeFile(file, npyOf(ones, [10, 8, 8, 1]));
  const { stdout, stderr } = spawnSync(python as string, [program, '--data', 'digits', '--epochs', '10', file], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^test images: 9\d\.\d% right\n.*ones\.npy: 10\.0% right, by class 0% 100% 0% 0% 0% 0% 0% 0% 0% 0%\n$/);
});
