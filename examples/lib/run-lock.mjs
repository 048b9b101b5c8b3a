import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync, rmdirSync, rmSync, statSync, writeSync } from 'node:fs'; // biome-ignore format: one line
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { tryLock } from 'fs-native-extensions';

const FILE = 'run.lock';
/** The byte that is locked, far behind the text: Windows lets nobody else read what is locked. */
const LOCKED_BYTE = 2 ** 30;

/**
 * Makes a directory this process's own to write, until it ends or calls what is returned. The operating system holds the
 * lock, so it ends with the process, also when that is killed or the machine restarts: a file that is left says
 * nothing, and the next process takes it over. `run.lock` in the directory tells others who holds it.
 *
 * @param {string} directory as `--out` names it; made where it is missing; where nothing else is put there, it goes again
 * @returns {() => void} gives the directory back
 * @throws Error where another process holds it: which one, and since when
 */
export function lockRun(directory) {
  const path = join(directory, FILE);
  const { made, file } = open(path);
  ftruncateSync(file);
  writeSync(file, JSON.stringify({ pid: process.pid, host: hostname(), since: new Date() }));

  const release = () => {
    process.off('exit', release);
    rmSync(path, { force: true }); // before it is unlocked: then it may be another's
    closeSync(file);
    if (made !== undefined) removeEmpty(resolve(directory), resolve(made));
  };
  process.once('exit', release);
  return release;
}

/** The file, opened and locked, and the first directory that was made for it. */
function open(path) {
  try {
    const made = mkdirSync(dirname(path), { recursive: true });
    for (;;) {
      const file = openSync(path, 'a+'); // keeps what another wrote, makes it where it is missing
      if (!tryLock(file, LOCKED_BYTE, 1)) {
        closeSync(file);
        throw new Error(holder(path));
      }
      // Who held it may have removed it in between: then this is a lock of a file that nobody else will find.
      if (fstatSync(file).ino === statSync(path, { throwIfNoEntry: false })?.ino) return { made, file };
      closeSync(file);
    }
  } catch (cause) {
    throw new Error(`--out: ${cause.message}`, { cause });
  }
}

function holder(path) {
  const directory = dirname(path);
  try {
    const { pid, host, since } = JSON.parse(readFileSync(path, 'utf8'));
    const where = host === hostname() ? '' : ` on ${host}`;
    return `${directory} is in use: process ${pid}${where} has been writing there since ${since}`;
  } catch {
    return `${directory} is in use by another process`; // which has only begun, or just ended
  }
}

/** Removes a directory, and those above up to `last`, as far as they are empty. */
function removeEmpty(directory, last) {
  try {
    for (let at = directory; at.length >= last.length; at = dirname(at)) rmdirSync(at);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(error.code)) throw error;
  }
}
