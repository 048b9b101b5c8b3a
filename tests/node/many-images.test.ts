import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

/** A million images of one value each. */
const program = `
  import { sample } from 'pixelcnn-layers/runtime';
  import { portableModel } from './tests/support/portable-model.mjs';
  const { data } = await sample(portableModel({ imageShape: [1, 1, 1] }), { numImages: 1e6, seed: 1 });
  console.log(data.length);
`;

it('takes no object of JavaScript an image: a million fit beside a heap of 128 MiB', () => {
  const flags = ['--max-old-space-size=128', '--input-type=module', '-e', program];
  const ended = spawnSync(process.execPath, flags, { encoding: 'utf8', timeout: 60_000 });
  expect([ended.signal, ended.stdout, ended.stderr]).toEqual([null, '1000000\n', '']);
});
