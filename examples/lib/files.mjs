import { rename, rm, stat, writeFile } from 'node:fs/promises';

/**
 * Writes a file whole or not at all: whoever opens it meanwhile finds the old contents.
 *
 * @param {string} path
 * @param {string | Uint8Array} contents
 */
export async function writeWhole(path, contents) {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, contents);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    const there = await stat(path).catch(() => null);
    if (there?.isDirectory())
      throw new Error(`${path} is a directory: no file can be written there`, { cause: error });
    throw error;
  }
}
