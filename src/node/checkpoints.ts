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
  /** Steps that were done. */
  readonly step: number;
  /** What was given to save with it. */
  readonly state: State;
  /** The directory with all that its writer put there. */
  readonly directory: string;
}

/** Options of {@link Checkpoints.save}. */
export interface CheckpointOptions {
  /** Whether it is the best one so far. @default false */
  isBest?: boolean;
}

const optionNames: NamesOf<CheckpointOptions> = { isBest: true };

/** Checkpoints of a run, of {@link checkpoints}. */
export interface Checkpoints<State> {
  /**
   * Writes a checkpoint: `write` puts files into the directory that it is given, `state` is kept as JSON.
   * Only when all is written does it become the latest one, and the best one where `isBest`, at one stroke;
   * what is neither is removed then.
   */
  save(
    step: number,
    state: State,
    write: (directory: string) => Promise<unknown>,
    options?: CheckpointOptions,
  ): Promise<void>;
  /** The latest one, null where there is none. */
  latest(): Promise<Checkpoint<State> | null>;
  /** The best one, null where there is none. */
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
 * Checkpoints of a run of training in a directory of their own: `step-<n>/` each, and `checkpoints.json`,
 * which names the latest and the best. A kill of the program at any moment leaves the checkpoints that were
 * finished; what it had begun to write is removed by the next save. One program at a time may write.
 *
 * @param directory made where it is missing
 * @throws TypeError where a step is no integer of at least 0; Error (rejects) naming the file that cannot be
 * read, or holds something else
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

/** A step may be saved again, by a run that was resumed: what is there stays until it is replaced. */
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

/** What checkpoints.json says; nothing where there is none. */
async function readPointers(directory: string): Promise<Pointers> {
  const file = join(directory, POINTER_FILE);
  const pointers = await readJson(file).catch((error) => {
    if (isMissing(error.cause)) return {};
    throw error;
  });
  const { latest, best } = checkRecord(`checkpoints: ${file}`, pointers);
  for (const [which, name] of Object.entries({ latest, best })) {
    // Never out of the directory, nor to what no save has written.
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

/** Removes what a kill has left, and checkpoints that are neither the latest nor the best. */
async function removeOthers(directory: string, { latest, best }: Pointers): Promise<void> {
  for (const name of await entriesOf(directory)) {
    const whole = name.replace(/(\.\d+)?\.tmp$/, ''); // without a number, as version 0.1 wrote it
    const isOwn = CHECKPOINT.test(whole) || (whole === POINTER_FILE && name !== whole);
    const isOver = name === whole ? name !== latest && name !== best : isAbandoned(name);
    if (isOwn && isOver) await rm(join(directory, name), { recursive: true, force: true });
  }
}
