import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runScript, runWell } from '../examples/run-script';
import { temporaryFolder } from '../support/node/temporary-folder';

const ON_TENSORFLOW = ['--backend', 'tensorflow'];
const SMALL =
  '--data digits --blocks 1 --hidden 4 --out-dim 4 --first-kernel 3 --batch 4 --eval-images 20 --samples 2 --average 0.9 --clip 1 --dropout 0.1 --every 20'.split(
    ' ',
  );

const directory = temporaryFolder();

it('trains, goes on to the bit, and draws the pictures of wasm', async () => {
  const [whole, parts] = ['whole', 'parts'].map((name) => join(directory, name)) as [string, string];
  const run = async (...flags: string[]) => {
    const { code, stdout, stderr } = await runScript('train.mjs', flags);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return stdout;
  };
  const output = await run(...SMALL, '--steps', '40', '--out', whole, ...ON_TENSORFLOW);
  expect(output).toContain('40 steps of 4, seed 1, tensorflow');
  await run(...SMALL, '--steps', '20', '--out', parts, ...ON_TENSORFLOW);
  await run('--resume', '--steps', '40', '--out', parts); // a run keeps its backend
  const bits = async (of: string) => {
    const lines = (await readFile(join(of, 'metrics.jsonl'), 'utf8')).trim().split('\n');
    return lines.map((line) => JSON.parse(line)).map(({ step, bits, testBits }) => ({ step, bits, testBits }));
  };
  expect(await bits(parts)).toEqual(await bits(whole));

  const draw = async (name: string, backend: string) => {
    const out = join(directory, name);
    const flags = ['--model', whole, '--out', out, '--images', '8', '--backend', backend];
    await runWell('sample.mjs', flags);
    return readFile(out);
  };
  expect((await draw('tensorflow.png', 'tensorflow')).equals(await draw('wasm.png', 'wasm'))).toBe(true);
});

it('measures as wasm does', async () => {
  const bits = async (backend: string) => {
    const flags = ['--model', join(directory, 'whole'), '--data', 'digits', '--backend', backend];
    const { code, stdout, stderr } = await runScript('evaluate.mjs', flags);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return Number(stdout.match(/^model +(\d\.\d+)/m)?.[1]);
  };
  expect(Math.abs((await bits('tensorflow')) - (await bits('wasm')))).toBeLessThan(2e-3);
});

it.each([
  ['quickstart.mjs', '--steps 20 --eval-images 20 --out OUT'],
  ['pictures.mjs', `bits --model ${fileURLToPath(new URL('../../models/digits', import.meta.url))} --data digits --images 2 --out OUT/map.png`],
  ['research/vq/train.mjs', '--data digits --entries 4 --code-size 4 --filters 4 --steps 4 --prior-filters 16 --prior-blocks 1 --prior-steps 4 --batch 4 --eval-images 8 --rows 1 --out OUT'],
])('runs %s', async (program, flags) => {
  const words = flags.replaceAll('OUT', join(directory, program.replaceAll('/', '-'))).split(' ');
  const { code, stderr } = await runScript(program, [...words, ...ON_TENSORFLOW]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
}); // biome-ignore format: the flags in one line
