import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isAbandoned, readWhole, replaceFile } from '../../src/node/file-system';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'files-'));
});
afterEach(() => rm(directory, { recursive: true }));

it('leaves nothing where it cannot write', async () => {
  await expect(replaceFile(directory, 'text')).rejects.toThrow(`${directory} is a directory`);
  expect(await readdir(directory)).toEqual([]);
  await expect(replaceFile(join(directory, 'none', 'file'), 'text')).rejects.toThrow('ENOENT');
});

it('names the file that cannot be read, and keeps why', async () => {
  const file = join(directory, 'none');
  const error: Error = await readWhole(file).then(
    () => expect.unreachable(),
    (reason) => reason,
  );
  expect(error.message).toBe(`fileSystem: ${file} is missing`);
  expect(error.cause).toMatchObject({ code: 'ENOENT' });
  await expect(readWhole(directory)).rejects.toThrow(`fileSystem: ${directory} is a directory`);
});

it('knows what nobody writes any more', () => {
  expect(isAbandoned(`a.${process.pid}.tmp`)).toBe(true); // when this process asks, it is done
  expect(isAbandoned(`a.${process.ppid}.tmp`)).toBe(false);
  expect(isAbandoned('a.1.tmp')).toBe(false); // the first process, of another user
  expect(isAbandoned(`a.${2 ** 30}.tmp`)).toBe(true);
  expect(isAbandoned('step-3.tmp')).toBe(false); // not one of these names
});
