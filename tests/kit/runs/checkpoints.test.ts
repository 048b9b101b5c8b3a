import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkpoints } from '../../../kit/runs/checkpoints.mjs';
import { temporaryFolder } from '../../support/node/temporary-folder';

const directory = temporaryFolder({ isOfEachTest: true });
const put = (text: string) => (path: string) => writeFile(join(path, 'file'), text);

it('finds nothing at first, then the latest and the best, and removes the others', async () => {
  const run = checkpoints(join(directory, 'run'));
  expect(await run.latest()).toBeNull();
  expect(await run.best()).toBeNull();
  await run.save(10, { bits: 3 }, put('a'), { isBest: true });
  await run.save(20, { bits: 2 }, put('b'), { isBest: true });
  await run.save(30, { bits: 4 }, put('c'));
  await run.save(40, { bits: 5 }, put('d'));
  const [latest, best] = [await run.latest(), await run.best()];
  expect(latest).toMatchObject({ step: 40, state: { bits: 5 } });
  expect(best).toMatchObject({ step: 20, state: { bits: 2 } });
  expect(await readFile(join(latest?.directory ?? '', 'file'), 'utf8')).toBe('d');
  expect((await readdir(join(directory, 'run'))).sort()).toEqual(['checkpoints.json', 'step-20', 'step-40']);
});

it('keeps the latest whole where writing fails or was killed, and clears up with the next', async () => {
  const run = checkpoints(directory);
  await run.save(1, 1, put('whole'));
  await expect(run.save(2, 2, () => Promise.reject(new Error('disk full')))).rejects.toThrow('disk full');
  expect((await readdir(directory)).sort()).toEqual(['checkpoints.json', 'step-1']);
  await mkdir(join(directory, `step-3.${2 ** 30}.tmp`)); // a kill while its files were written
  await mkdir(join(directory, `step-3.${process.ppid}.tmp`)); // another program is writing it
  await mkdir(join(directory, 'step-4')); // a kill before it was pointed to
  await writeFile(join(directory, `checkpoints.json.${2 ** 30}.tmp`), '{"chec');
  await writeFile(join(directory, 'notes.txt'), 'not ours');
  expect(await run.latest()).toMatchObject({ step: 1 });
  await run.save(4, 4, put('next'));
  expect(await run.latest()).toMatchObject({ step: 4, state: 4 });
  const left = (await readdir(directory)).filter((name) => !name.endsWith('.json'));
  expect(left).toEqual(['notes.txt', `step-3.${process.ppid}.tmp`, 'step-4']);
});

it('names what cannot be read', async () => {
  await writeFile(join(directory, 'checkpoints.json'), 'no JSON');
  await expect(checkpoints(directory).latest()).rejects.toThrow('checkpoints.json is not JSON');
  const run = checkpoints(join(directory, 'other'));
  await run.save(1, {}, put('x'));
  await writeFile(join(directory, 'other/step-1/state.json'), '{');
  await expect(run.latest()).rejects.toThrow('state.json is not JSON');
});

it.each([
  ['["step-1"]', 'checkpoints.json: wanted an object, got ["step-1"]'],
  ['{"latest": null}', "checkpoints.json: latest: wanted the name of a checkpoint, as 'step-100', got null"],
  ['{"latest": "step-1/../../other/step-1"}', 'latest: wanted the name of a checkpoint'],
  ['{"latest": "step-1", "best": ".."}', 'best: wanted the name of a checkpoint, as \'step-100\', got ".."'],
])('follows no pointers but to checkpoints of its own: %s', async (text, message) => {
  const run = checkpoints(join(directory, 'run'));
  for (const name of ['run', 'other']) await checkpoints(join(directory, name)).save(1, 1, put('x'));
  await writeFile(join(directory, 'run/checkpoints.json'), text);
  const asks = [() => run.latest(), () => run.best(), () => run.save(2, 2, put('y'))];
  for (const ask of asks) await expect(ask()).rejects.toThrow(message);
  expect((await readdir(join(directory, 'run'))).sort()).toEqual(['checkpoints.json', 'step-1']);
});

it('refuses a state that no save has written', async () => {
  const run = checkpoints(directory);
  await run.save(1, 1, put('x'));
  for (const [text, message] of [
    ['null', 'step-1/state.json: wanted an object, got null'],
    ['{"step": "1"}', 'step-1/state.json: step: wanted an integer of at least 0, got "1"'],
  ] as const) {
    await writeFile(join(directory, 'step-1/state.json'), text);
    await expect(run.latest()).rejects.toThrow(message);
  }
});

it('says so where a directory has the name of a file', async () => {
  await mkdir(join(directory, 'checkpoints.json'));
  const run = checkpoints(directory);
  await expect(run.latest()).rejects.toThrow('EISDIR');
  await expect(run.save(1, 1, put('x'))).rejects.toThrow('EISDIR');
});
