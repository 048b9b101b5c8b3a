import { open, readFile, rename, rm, stat } from 'node:fs/promises';

const hasCode = (error: unknown, code: string) => (error as NodeJS.ErrnoException | undefined)?.code === code;

/** Reads a file. Errors name it, and have Node's error as their cause. */
export async function readWhole(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const problem = hasCode(cause, 'ENOENT') ? 'is missing' : `cannot be read: ${(cause as Error).message}`;
    throw new Error(`fileSystem: ${file} ${hasCode(cause, 'EISDIR') ? 'is a directory' : problem}`, {
      cause,
    });
  }
}

/**
 * Whether nobody is still writing the file or directory with such a temporary name: this process has finished its own,
 * and other processes may have been killed.
 */
export function isAbandoned(name: string): boolean {
  const [, digits] = /\.(\d+)\.tmp$/.exec(name) ?? [];
  return digits !== undefined && (Number(digits) === process.pid || !isRunning(Number(digits)));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0); // sends nothing
  } catch (error) {
    return hasCode(error, 'EPERM'); // it belongs to another user
  }
}

/**
 * Writes to a temporary file, flushes it to disk and renames it: whoever opens `file` finds either the old or the new
 * contents, complete.
 *
 * @throws Error if `file` is a directory, and any error of Node
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
    if (await isDirectory(file))
      throw new Error(`${file} is a directory: no file can be written there`, { cause: error });
    throw error;
  }
}

/** Whether a directory of this name exists. */
const isDirectory = (path: string) =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
