import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { writeWhole } from '../../kit/runs/files.mjs';
import { isAbandoned, readWhole, replaceFile } from '../../src/node/file-system';
import { temporaryFolder } from '../support/node/temporary-folder';

/** How often Windows will still refuse to rename, by which code, and the pauses made since. */
const windows = vi.hoisted(() => ({ refusals: 0, code: '', pauses: [] as number[] }));

vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs/promises')>();
  const rename: typeof real.rename = async (from, to) => {
    if (windows.refusals-- > 0) throw Object.assign(new Error(`${windows.code}: not permitted, rename`), { code: windows.code });
    await real.rename(from, to);
  };
  return { ...real, rename, default: { ...real, rename } };
});
vi.mock('node:timers/promises', () => ({ setTimeout: async (pause: number) => windows.pauses.push(pause) }));

const directory = temporaryFolder({ isOfEachTest: true });
beforeEach(() => void Object.assign(windows, { refusals: 0, pauses: [] }));

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
  expect(isAbandoned(`a.${process.platform === 'win32' ? 4 : 1}.tmp`)).toBe(false); // the system's
  expect(isAbandoned(`a.${2 ** 30}.tmp`)).toBe(true);
  expect(isAbandoned('step-3.tmp')).toBe(false); // not one of these names
});

describe.each([
  ['replaceFile', replaceFile],
  ['writeWhole', writeWhole],
])('%s, where another program has the file open', (_, write) => {
  it.each(['EPERM', 'EACCES', 'EBUSY'])('waits for it: %s', async (code) => {
    const file = join(directory, 'file');
    Object.assign(windows, { refusals: 3, code });
    await write(file, 'new');
    expect(await readFile(file, 'utf8')).toBe('new');
    expect(windows.pauses).toEqual([10, 20, 40]);
  });

  it('gives up after a second, and leaves what there was', async () => {
    const file = join(directory, 'file');
    await writeFile(file, 'old');
    Object.assign(windows, { refusals: 99, code: 'EBUSY' });
    await expect(write(file, 'new')).rejects.toThrow('EBUSY: not permitted, rename');
    expect(await readFile(file, 'utf8')).toBe('old');
    expect(await readdir(directory)).toEqual(['file']);
    expect(windows.pauses.reduce((sum, pause) => sum + pause)).toBe(1270);
  });

  it('does not wait where something else is wrong', async () => {
    Object.assign(windows, { refusals: 1, code: 'ENOSPC' });
    await expect(write(join(directory, 'file'), 'new')).rejects.toThrow('ENOSPC');
    expect(windows.pauses).toEqual([]);
  });
});

it('says that another program may have the file open', async () => {
  const file = join(directory, 'file');
  await writeFile(file, 'old');
  Object.assign(windows, { refusals: 99, code: 'EPERM' });
  await expect(replaceFile(file, 'new')).rejects.toThrow(`${file} may be open in another program: EPERM: not permitted, rename`);
});
