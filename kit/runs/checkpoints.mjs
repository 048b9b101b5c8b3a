import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isInUse, isRunning, replaceBy } from './files.mjs';

/**
 * A finished checkpoint: the number of steps done, the state that was saved with it, and the
 * directory of its files.
 *
 * @typedef {{ step: number, state: any, directory: string }} Checkpoint
 */

/** Names the directories of the latest and of the best checkpoint. */
const POINTER_FILE = 'checkpoints.json';
const CHECKPOINT = /^step-\d+(-\d+)?$/;

/**
 * The checkpoints of a training run in their own directory: one subdirectory `step-<n>/` for each, and `checkpoints.json`,
 * which names the latest and the best. If the program is killed at any moment, or the machine crashes, finished checkpoints
 * remain; partial files are removed by the next save. Only one program at a time may write.
 *
 * @param {string} directory created if it is missing
 */
export function checkpoints(directory) {
  /** @returns {Promise<Checkpoint | null>} */
  const find = async (which) => {
    const name = (await readPointers(directory))[which];
    if (name === undefined) return null;
    const path = join(directory, name);
    const file = join(path, 'state.json');
    const { step, state } = await readRecord(file);
    if (!(Number.isSafeInteger(step) && step >= 0))
      throw new TypeError(`${file}: step: wanted an integer of at least 0, got ${JSON.stringify(step)}`);
    return { step, state, directory: path };
  };
  return {
    /**
     * Writes a checkpoint: `write` puts files into the directory that it is given, and `state` is stored as JSON. Once
     * everything is written, it atomically becomes the latest checkpoint, and the best one if `isBest`. Checkpoints that
     * are neither are then removed.
     *
     * @param {number} step
     * @param {any} state
     * @param {(directory: string) => Promise<unknown>} write
     */
    async save(step, state, write, { isBest = false } = {}) {
      const pointers = await readPointers(directory);
      await removeOthers(directory, pointers);
      const name = await freeName(directory, `step-${step}`);
      const temporary = join(directory, temporaryName(name));
      try {
        await mkdir(temporary, { recursive: true });
        await write(temporary);
        await replaceFile(join(temporary, 'state.json'), JSON.stringify({ step, state }));
      } catch (error) {
        await rm(temporary, { recursive: true, force: true });
        throw error;
      }
      await replaceBy(temporary, join(directory, name));
      const next = { ...pointers, latest: name, ...(isBest ? { best: name } : {}) };
      await replaceFile(join(directory, POINTER_FILE), JSON.stringify(next));
      await removeOthers(directory, next);
    },
    /** The latest checkpoint, or null if there is none. */
    latest: () => find('latest'),
    /** The best checkpoint, or null if there is none. */
    best: () => find('best'),
  };
}

const temporaryName = (name) => `${name}.${process.pid}.tmp`;

/**
 * Like `writeWhole`, but flushes to disk before it renames, so that a crash of the machine leaves no empty file.
 */
async function replaceFile(file, contents) {
  const temporary = temporaryName(file);
  const handle = await open(temporary, 'w');
  try {
    await handle.writeFile(contents);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await replaceBy(temporary, file);
}

/**
 * A free name for a checkpoint, since a resumed run may save a step again, and the existing one stays until
 * it is replaced.
 */
async function freeName(directory, name) {
  const taken = await entriesOf(directory);
  let free = name;
  for (let i = 2; taken.includes(free); i++) free = `${name}-${i}`;
  return free;
}

/** @returns {Promise<string[]>} */
const entriesOf = (directory) => readdir(directory).catch(noneIfMissing([]));

/** Handles the error of a missing file or directory. */
const noneIfMissing = (none) => (error) => {
  if (error.code !== 'ENOENT') throw error;
  return none;
};

/**
 * The contents of checkpoints.json; empty if there is none.
 *
 * @returns {Promise<{ latest?: string, best?: string }>}
 */
async function readPointers(directory) {
  const file = join(directory, POINTER_FILE);
  const { latest, best } = await readRecord(file).catch(noneIfMissing({}));
  for (const [which, name] of Object.entries({ latest, best })) {
    // Names must not lead out of the directory, or to anything that was not saved here.
    if (name !== undefined && !(typeof name === 'string' && CHECKPOINT.test(name)))
      throw new TypeError(
        `${file}: ${which}: wanted the name of a checkpoint, as 'step-100', got ${JSON.stringify(name)}`,
      );
  }
  return { ...(latest && { latest }), ...(best && { best }) };
}

/** The object in a JSON file. */
async function readRecord(file) {
  const text = await readFile(file, 'utf8');
  let record;
  try {
    record = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${file} is not JSON: ${cause.message}`, { cause });
  }
  if (typeof record !== 'object' || record === null || Array.isArray(record))
    throw new TypeError(`${file}: wanted an object, got ${JSON.stringify(record)}`);
  return record;
}

/** Removes partial files of killed programs, and checkpoints that are neither the latest nor the best. */
async function removeOthers(directory, { latest, best }) {
  for (const name of await entriesOf(directory)) {
    const [, whole = name, pid] = /^(.+)\.(\d+)\.tmp$/.exec(name) ?? [];
    const isOwn = CHECKPOINT.test(whole) || (whole === POINTER_FILE && pid !== undefined);
    const isOver = pid === undefined ? name !== latest && name !== best : !isRunning(Number(pid));
    if (!isOwn || !isOver) continue;
    await rm(join(directory, name), { recursive: true, force: true }).catch((error) => {
      if (!isInUse(error)) throw error; // what is in use is left to the next save
    });
  }
}
