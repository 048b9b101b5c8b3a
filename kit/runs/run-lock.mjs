import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync, rmdirSync, rmSync, statSync, writeSync } from 'node:fs'; // biome-ignore format: one line
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { tryLock } from 'fs-native-extensions';

const FILE = 'run.lock';
/** The byte that is locked, far behind the text, since on Windows no one else can read locked bytes. */
const LOCKED_BYTE = 2 ** 30;

/**
 * Locks a directory for this process, until it ends or calls the returned function. The operating system holds the
 * lock, so it ends with the process, even if that is killed or the machine restarts. A leftover file means nothing, and
 * the next process takes it over. `run.lock` in the directory names the process that holds it.
 *
 * @param {string} directory the value of `--out`; created if it is missing, and removed again if nothing else
 * is written there
 * @returns {() => void} releases the directory
 * @throws Error if another process holds it, naming the process and since when
 */
export function lockRun(directory) {
  const path = join(directory, FILE);
  const { made, file } = open(path);
  ftruncateSync(file);
  writeSync(file, JSON.stringify({ pid: process.pid, host: hostname(), since: new Date() }));

  const release = () => {
    process.off('exit', release);
    rmSync(path, { force: true }); // while locked, since afterwards it may be another's
    closeSync(file);
    if (made !== undefined) removeEmpty(resolve(directory), resolve(made));
  };
  process.once('exit', release);
  return release;
}

/** Opens and locks the file. Returns it and the first directory that was made for it. */
function open(path) {
  try {
    const made = mkdirSync(dirname(path), { recursive: true });
    for (;;) {
      const file = openSync(path, 'a+'); // keeps existing contents, or creates the file
      if (!tryLock(file, LOCKED_BYTE, 1)) {
        closeSync(file);
        throw new Error(holder(path));
      }
      // Its last holder may have removed it meanwhile; then this lock is on a file that no one else will find.
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
    return `${directory} is in use by another process`; // which has just started or just ended
  }
}

/** Removes a directory and its parents up to `last`, as long as they are empty. */
function removeEmpty(directory, last) {
  try {
    for (let at = directory; at.length >= last.length; at = dirname(at)) rmdirSync(at);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(error.code)) throw error;
  }
}
