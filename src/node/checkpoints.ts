import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  checkArgs,
  checkBoolean,
  checkFunction,
  checkInteger,
  checkRecord,
  type NamesOf,
  throwTypeError,
} from '../core/check';
import { isAbandoned, isMissing, readWhole, replaceFile, temporaryName } from './files';

/** A finished checkpoint. */
export interface Checkpoint<State> {
  /** The number of steps done. */
  readonly step: number;
  /** The state that was saved with it. */
  readonly state: State;
  /** The directory with everything that was written there. */
  readonly directory: string;
}

/** Options of {@link Checkpoints.save}. */
export interface CheckpointOptions {
  /** Whether it is the best one so far. @default false */
  isBest?: boolean;
}

const optionNames: NamesOf<CheckpointOptions> = { isBest: true };

/** The checkpoints of a run, from {@link checkpoints}. */
export interface Checkpoints<State> {
  /**
   * Writes a checkpoint: `write` puts files into the directory that it is given, and `state` is stored as JSON. Once
   * everything is written, it atomically becomes the latest checkpoint, and the best one if `isBest`. Checkpoints that
   * are neither are then removed.
   */
  save(
    step: number,
    state: State,
    write: (directory: string) => Promise<unknown>,
    options?: CheckpointOptions,
  ): Promise<void>;
  /** The latest one, or null if there is none. */
  latest(): Promise<Checkpoint<State> | null>;
  /** The best one, or null if there is none. */
  best(): Promise<Checkpoint<State> | null>;
}

/** Names the directories of the latest and of the best checkpoint. */
const POINTER_FILE = 'checkpoints.json';
const CHECKPOINT = /^step-\d+(-\d+)?$/;

interface Pointers {
  latest?: string;
  best?: string;
}

/**
 * Manages the checkpoints of a training run in their own directory: one subdirectory `step-<n>/` for each, and
 * `checkpoints.json`, which names the latest and the best. If the program is killed at any moment, finished checkpoints
 * remain; partial files are removed by the next save. Only one program at a time may write.
 *
 * @param directory created if it is missing
 * @throws TypeError if a step is not an integer of at least 0; Error (rejects) naming the file that cannot be read or
 * has unexpected contents
 * @example
 * ```js
 * import { mkdtemp } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { pixelCNN } from 'pixelcnn-layers';
 * import { checkpoints, fileSystem } from 'pixelcnn-layers/node';
 * const run = checkpoints(await mkdtemp(join(tmpdir(), 'run-')));
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 4, hiddenDim: 4, outDim: 4, numBlocks: 1 });
 * await run.save(100, { testBits: 1.9 }, (directory) => model.save(fileSystem(directory)), { isBest: true });
 * const latest = await run.latest();
 * console.log(latest?.step, latest?.state); // 100 { testBits: 1.9 }
 * ```
 */
export function checkpoints<State>(directory: string): Checkpoints<State> {
  if (typeof directory !== 'string' || directory === '')
    throwTypeError('checkpoints', 'a directory', directory);
  const find = async (which: keyof Pointers): Promise<Checkpoint<State> | null> => {
    const name = (await readPointers(directory))[which];
    if (name === undefined) return null;
    const path = join(directory, name);
    const file = join(path, 'state.json');
    const { step, state } = checkRecord(`checkpoints: ${file}`, await readJson(file));
    return {
      step: checkInteger(`checkpoints: ${file}: step`, step, 0),
      state: state as State,
      directory: path,
    };
  };
  return {
    async save(step, state, write, options = {}) {
      const { isBest = false } = checkArgs('checkpoints: options', options, optionNames);
      checkBoolean('checkpoints: isBest', isBest);
      checkInteger('checkpoints: step', step, 0);
      checkFunction('checkpoints: write', write);
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
      await rename(temporary, join(directory, name));
      const next = { ...pointers, latest: name, ...(isBest ? { best: name } : {}) };
      await replaceFile(join(directory, POINTER_FILE), JSON.stringify(next));
      await removeOthers(directory, next);
    },
    latest: () => find('latest'),
    best: () => find('best'),
  };
}

/** A resumed run may save a step again: the existing checkpoint stays until it is replaced. */
async function freeName(directory: string, name: string): Promise<string> {
  const taken = await entriesOf(directory);
  let free = name;
  for (let i = 2; taken.includes(free); i++) free = `${name}-${i}`;
  return free;
}

async function entriesOf(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** The contents of checkpoints.json; empty if there is none. */
async function readPointers(directory: string): Promise<Pointers> {
  const file = join(directory, POINTER_FILE);
  const pointers = await readJson(file).catch((error) => {
    if (isMissing(error.cause)) return {};
    throw error;
  });
  const { latest, best } = checkRecord(`checkpoints: ${file}`, pointers);
  for (const [which, name] of Object.entries({ latest, best })) {
    // Names must not lead out of the directory, nor to anything that was not saved here.
    if (name !== undefined && !(typeof name === 'string' && CHECKPOINT.test(name))) {
      throwTypeError(`checkpoints: ${file}: ${which}`, "the name of a checkpoint, as 'step-100'", name);
    }
  }
  return pointers as Pointers;
}

async function readJson(path: string): Promise<unknown> {
  const text = (await readWhole('checkpoints', path)).toString('utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`checkpoints: ${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

/** Removes partial files of killed programs, and checkpoints that are neither the latest nor the best. */
async function removeOthers(directory: string, { latest, best }: Pointers): Promise<void> {
  for (const name of await entriesOf(directory)) {
    const whole = name.replace(/\.\d+\.tmp$/, '');
    const isOwn = CHECKPOINT.test(whole) || (whole === POINTER_FILE && name !== whole);
    const isOver = name === whole ? name !== latest && name !== best : isAbandoned(name);
    if (isOwn && isOver) await rm(join(directory, name), { recursive: true, force: true });
  }
}
