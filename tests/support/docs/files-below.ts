import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../node/root';

/** The files in folders of the repository, by their paths from its root, with slashes on Windows too. */
export async function filesBelow(...folders: string[]): Promise<string[]> {
  const names = folders.map(async (folder) =>
    (await readdir(join(root, folder), { recursive: true })).map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
  );
  return (await Promise.all(names)).flat();
}
