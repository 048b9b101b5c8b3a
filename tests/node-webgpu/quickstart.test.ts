import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/node/temporary-folder';

const path = (name: string) => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));

const out = temporaryFolder();

it('trains the quick start on WebGPU in Node, as kit/node-webgpu does', async () => {
  const dawn = new URL('../../kit/node-webgpu/dawn.mjs', import.meta.url).href;
  const flags = ['--backend', 'webgpu', '--steps', '3', '--batch', '4', '--eval-images', '4', '--out', out]; // another number would compile shaders of its own
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', dawn, path('quickstart.mjs'), ...flags]);
  expect(stdout).toContain('3 steps of 4 images, seed 1, webgpu');
  expect(Number(stdout.match(/test bits\/dim: (\d\.\d{3})/)?.[1])).toBeLessThan(Math.log2(17));
  expect(await readdir(out)).toContain('samples.png');
});
