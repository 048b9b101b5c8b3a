import { open, readFile, rename, rm, stat } from 'node:fs/promises';

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException | undefined)?.code;

/** Reads a file. Errors name the file, and have Node's error as their cause. */
export async function readWhole(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const problems: Record<string, string> = { ENOENT: 'is missing', EISDIR: 'is a directory' };
    const problem = problems[codeOf(cause) ?? ''] ?? `cannot be read: ${(cause as Error).message}`;
    throw new Error(`fileSystem: ${file} ${problem}`, { cause });
  }
}

/** Whether no one is writing this temporary file: this process has finished its own, others may have been killed. */
export function isAbandoned(name: string): boolean {
  const [, digits] = /\.(\d+)\.tmp$/.exec(name) ?? [];
  if (digits === undefined) return false;
  const pid = Number(digits);
  try {
    return pid === process.pid || !process.kill(pid, 0); // sends nothing
  } catch (error) {
    return codeOf(error) !== 'EPERM'; // EPERM: it is running, under another user
  }
}

/** Writes to a temporary file and renames it, so that readers of `file` find the complete old or new contents. */
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
    const found = await stat(file).catch(() => null);
    if (found?.isDirectory())
      throw new Error(`${file} is a directory: no file can be written there`, { cause: error });
    throw error;
  }
}
