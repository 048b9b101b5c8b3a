import { open, readFile, rename, rm, stat } from 'node:fs/promises';

const hasCode = (error: unknown, code: string) => (error as NodeJS.ErrnoException | undefined)?.code === code;

export const isMissing = (error: unknown) => hasCode(error, 'ENOENT');

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
    throw new Error(`${what}: ${file} ${hasCode(cause, 'EISDIR') ? 'is a directory' : problem}`, { cause });
  }
}

/** The name under which this process writes what will have another. */
export const temporaryName = (name: string) => `${name}.${process.pid}.tmp`;

/**
 * Whether nobody is writing any more what has such a name: this process has ended what it began, and another one may
 * have been killed. In version 0.1 directories had no number.
 */
export function isAbandoned(name: string): boolean {
  const [, digits] = /\.(\d+)\.tmp$/.exec(name) ?? [];
  return digits === undefined || Number(digits) === process.pid || !isRunning(Number(digits));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0); // sends nothing
  } catch (error) {
    return hasCode(error, 'EPERM'); // another user's
  }
}

/**
 * Writes beside, flushes to disk and renames: whoever opens `file` finds the old contents or the new, whole.
 *
 * @throws Error where `file` is a directory, and what Node throws
 */
export async function replaceFile(file: string, contents: Uint8Array | string): Promise<void> {
  const temporary = temporaryName(file);
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
    if (await isDirectory(file))
      throw new Error(`${file} is a directory: no file can be written there`, { cause: error });
    throw error;
  }
}

/** Whether there is a directory of this name. */
export const isDirectory = (path: string) =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
