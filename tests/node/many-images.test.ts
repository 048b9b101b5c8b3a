import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

/** A million images of one value each, and a pool that has begun with 200 million. */
const program = `
  import { createPool, sample } from 'pixelcnn-layers/runtime';
  import { portableModel } from './tests/support/portable-model.mjs';
  const model = portableModel({ imageShape: [1, 1, 1] });
  const { data } = await sample(model, { numImages: 1e6, seed: 1 });
  const pool = createPool({ workers: 1 });
  const aborter = new AbortController();
  const reason = await pool.sample(model, { numImages: 2e8, signal: aborter.signal, onProgress: () => aborter.abort() }).catch(({ name }) => name);
  await pool.terminate();
  console.log(data.length, reason);
`;

it('takes no object of JavaScript an image: millions fit beside a heap of 128 MiB', () => {
  const flags = ['--max-old-space-size=128', '--input-type=module', '-e', program];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, flags, {
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect([status, signal, stdout, stderr]).toEqual([0, null, '1000000 AbortError\n', '']);
});
