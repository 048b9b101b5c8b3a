import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/**
 * Writes a file atomically: until it is complete, readers find the old contents.
 *
 * @param {string} path
 * @param {string | Uint8Array} contents
 */
export async function writeWhole(path, contents) {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, contents);
    await replaceBy(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // what went wrong before is what to say
    throw error;
  }
}

/**
 * Renames a file or directory. Windows refuses that while another program, often a virus scanner or an indexer, has it open, so
 * this tries for about a second, with growing pauses, as `fileSystem` does.
 */
export async function replaceBy(from, to) {
  for (let pause = 10; ; pause *= 2) {
    try {
      return await rename(from, to);
    } catch (error) {
      if (!isInUse(error) || pause > 640) throw error;
    }
    await setTimeout(pause); // milliseconds
  }
}

/** What Windows answers while another program has a file open. */
export const isInUse = ({ code }) => ['EPERM', 'EACCES', 'EBUSY'].includes(code);

/**
 * Makes the directory of a file that {@link writeWhole} will write, and removes parts of the file
 * left by killed programs.
 *
 * @param {string} path
 * @param {string} flag that names it
 */
export async function prepareFile(path, flag = '--out') {
  try {
    await mkdir(dirname(path), { recursive: true });
    await sweep(dirname(path), (name, pid) => name === basename(path) && !isRunning(pid));
  } catch (cause) {
    throw new Error(`${flag}: ${cause.message}`, { cause });
  }
}

/**
 * Removes temporary files of {@link writeWhole}.
 *
 * @param {string} directory
 * @param {(name: string, pid: number) => boolean} isLeft whether that of `name`, which process `pid` wrote, is no longer wanted
 */
export async function sweep(directory, isLeft) {
  for (const entry of await readdir(directory)) {
    const [, name, pid] = /^(.+)\.(\d+)\.tmp$/.exec(entry) ?? [];
    if (name !== undefined && isLeft(name, Number(pid))) await rm(join(directory, entry), { force: true });
  }
}

/** Whether another process with this id is running. */
export function isRunning(pid) {
  if (pid === process.pid) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code !== 'ESRCH'; // EPERM: another user's
  }
}
