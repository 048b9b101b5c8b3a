import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeWhole } from '../../kit/runs/files.mjs';
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
});
