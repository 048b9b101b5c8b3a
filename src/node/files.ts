import { open, readFile, rename, rm } from 'node:fs/promises';

export const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT';

/**
 * Reads a file.
 *
 * @throws Error, named `what`, that names the file and has what Node threw as its cause
 */
export async function readWhole(what: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const problem = isMissing(cause) ? 'is missing' : `cannot be read: ${(cause as Error).message}`;
    throw new Error(`${what}: ${file} ${problem}`, { cause });
  }
}

/**
 * Writes beside, flushes to disk and renames: whoever opens `file` finds the old contents or the new, whole.
 */
export async function replaceFile(file: string, contents: Uint8Array | string): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(contents);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
