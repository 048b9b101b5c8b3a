import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { prepareFile, sweep, writeWhole } from '../../kit/runs/files.mjs';
import { temporaryFolder } from '../support/node/temporary-folder';

describe('files', () => {
  const directory = temporaryFolder({ isOfEachTest: true });

  it('replaces a file and leaves nothing beside it', async () => {
    const path = join(directory, 'file.txt');
    await writeWhole(path, 'old');
    await writeWhole(path, 'new');
    expect(await readFile(path, 'utf8')).toBe('new');
    await mkdir(join(directory, 'taken'));
    await expect(writeWhole(join(directory, 'taken'), 'not over a directory')).rejects.toThrow();
    expect((await readdir(directory)).sort()).toEqual(['file.txt', 'taken']);
  });

  it('removes what killed programs have left of a file, and nothing else', async () => {
    const path = join(directory, 'deep', 'file.txt');
    await prepareFile(path);
    const { pid: gone } = spawnSync(process.execPath, ['-e', '']);
    const left = (name: string, pid: number) => `${name}.${pid}.tmp`;
    const kept = [
      left('file.txt', process.ppid), // it runs, and may be about to rename it
      left('other.txt', gone),
      'file.txt',
      'file.txt.tmp',
    ];
    const entries = [...kept, left('file.txt', gone), left('file.txt', process.pid)];
    for (const name of entries) await writeFile(join(directory, 'deep', name), '');
    await prepareFile(path);
    expect((await readdir(join(directory, 'deep'))).sort()).toEqual([...kept].sort());

    await sweep(join(directory, 'deep'), (name) => name === 'other.txt');
    expect(await readdir(join(directory, 'deep'))).not.toContain(left('other.txt', gone));
  });
});
