import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeWhole } from '../../../examples/lib/files.mjs';

describe('files', () => {
  it('replaces a file and leaves nothing beside it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'files-'));
    const path = join(directory, 'file.txt');
    await writeWhole(path, 'old');
    await writeWhole(path, 'new');
    expect(await readFile(path, 'utf8')).toBe('new');
    await mkdir(join(directory, 'taken'));
    const taken = join(directory, 'taken');
    await expect(writeWhole(taken, 'text')).rejects.toThrow(
      `${taken} is a directory: no file can be written there`,
    );
    expect((await readdir(directory)).sort()).toEqual(['file.txt', 'taken']);
    await rm(directory, { recursive: true });
  });
});
