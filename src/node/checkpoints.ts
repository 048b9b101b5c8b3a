import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A finished checkpoint. */
export interface Checkpoint<State> {
  /** Steps that were done. */
  readonly step: number;
  /** What was given to save with it. */
  readonly state: State;
  /** The directory with all that its writer put there. */
  readonly directory: string;
}

/** Checkpoints of a run, of {@link checkpoints}. */
export interface Checkpoints<State> {
  /**
   * Writes a checkpoint: `write` puts files into the directory that it is given, `state` is kept as JSON. Only when all is on the disk does
   * it become the latest one, and the best one where `isBest`; what is neither is removed then.
   */
  save(
    step: number,
    state: State,
    write: (directory: string) => Promise<unknown>,
    options?: { isBest?: boolean },
  ): Promise<void>;
  /** The latest one, null where there is none. */
  latest(): Promise<Checkpoint<State> | null>;
  /** The best one, null where there is none. */
  best(): Promise<Checkpoint<State> | null>;
}

const POINTER = { latest: 'latest.json', best: 'best.json' } as const;
const OWN_ENTRY = /^step-\d+(-\d+)?(\.tmp)?$|^(latest|best)\.json\.tmp$/;

/**
 * Checkpoints of a run of training in a directory of their own: `step-<n>/` each, and `latest.json` and `best.json`, which name two of them. A crash
 * or a kill at any moment leaves the checkpoints that were finished. One program at a time may write.
 *
 * @param directory made where it is missing
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
 * const { step, state } = await run.latest();
 * console.log(step, state.testBits); // 100 1.9
 * ```
 */
export function checkpoints<State>(directory: string): Checkpoints<State> {
  if (typeof directory !== 'string' || directory === '') {
    throw new TypeError(`checkpoints: wanted a directory, got ${String(directory)}`);
  }
  return {
    async save(step, state, write, { isBest = false } = {}) {
      const name = await freeName(directory, `step-${step}`);
      const [temporary, path] = [join(directory, `${name}.tmp`), join(directory, name)];
      await rm(temporary, { recursive: true, force: true });
      await mkdir(temporary, { recursive: true });
      await write(temporary);
      await writeFile(join(temporary, 'state.json'), JSON.stringify({ step, state }));
      await rename(temporary, path);
      await point(directory, POINTER.latest, name);
      if (isBest) await point(directory, POINTER.best, name);
      await removeOthers(directory);
    },
    latest: () => read(directory, POINTER.latest),
    best: () => read(directory, POINTER.best),
  };
}

/** A step may be saved again, by a run that was resumed: what is there stays until it is replaced. */
async function freeName(directory: string, name: string): Promise<string> {
  const taken = await readdir(directory).catch((): string[] => []);
  let free = name;
  for (let i = 2; taken.includes(free); i++) free = `${name}-${i}`;
  return free;
}

async function point(directory: string, pointer: string, name: string): Promise<void> {
  const path = join(directory, pointer);
  await writeFile(`${path}.tmp`, JSON.stringify({ checkpoint: name }));
  await rename(`${path}.tmp`, path);
}

async function pointedTo(directory: string, pointer: string): Promise<string | null> {
  try {
    const { checkpoint } = JSON.parse(await readFile(join(directory, pointer), 'utf8'));
    return String(checkpoint);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new Error(`checkpoints: ${join(directory, pointer)} cannot be read: ${(error as Error).message}`);
  }
}

async function read<State>(directory: string, pointer: string): Promise<Checkpoint<State> | null> {
  const name = await pointedTo(directory, pointer);
  if (name === null) return null;
  const path = join(directory, name);
  const { step, state } = JSON.parse(await readFile(join(path, 'state.json'), 'utf8'));
  return { step, state, directory: path };
}

async function removeOthers(directory: string): Promise<void> {
  const kept = await Promise.all(Object.values(POINTER).map((pointer) => pointedTo(directory, pointer)));
  for (const name of await readdir(directory)) {
    if (OWN_ENTRY.test(name) && !kept.includes(name)) {
      await rm(join(directory, name), { recursive: true, force: true });
    }
  }
}
