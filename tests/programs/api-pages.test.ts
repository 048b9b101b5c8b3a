import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

it('is in docs/reference/api as it is in the source: npm run docs:api', async () => {
  const fresh = await mkdtemp(join(tmpdir(), 'api-'));
  try {
    const typedoc = join(root, 'node_modules/typedoc/bin/typedoc');
    const { status, stderr, stdout } = spawnSync(process.execPath, [typedoc, '--out', fresh], { cwd: root });
    expect(status, `${stdout}${stderr}`).toBe(0);
    expect(await contentsOf(join(root, 'docs/reference/api'))).toEqual(await contentsOf(fresh));
  } finally {
    await rm(fresh, { recursive: true });
  }
});

async function contentsOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(files.sort().map(async (file) => [file.slice(folder.length + 1), await readFile(file, 'utf8')])); // biome-ignore format: one line
  return Object.fromEntries(texts);
}
