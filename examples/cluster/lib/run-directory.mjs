import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sweep, writeWhole } from '../../../kit/runs/files.mjs';
import { npyHeader } from '../../../kit/weights/npy.mjs';
import { numbersIn } from './job.mjs';
import { sha256 } from './redis.mjs';

/**
 * The record of a worker's results, kept with each shard, and in the manifest.
 *
 * @typedef {{ job: number, first: number, count: number, sha256: string, worker: string, version: string, node: string, machine: string,
 *   seconds: number, attempts: number }} Record
 */

/**
 * The directory of a run: `run.json`, which describes it, `shards`, and at the end the result and
 * `manifest.json`. It is the whole state of a run; the contents of Redis may be lost at any time.
 *
 * @param {string} out as `--out` names it
 * @param {import('./plan.mjs').Plan} plan
 * @throws Error where another run is there
 */
export async function openRun(out, { settings, result, jobs }) {
  const folder = join(out, 'shards');
  await mkdir(folder, { recursive: true });
  for (const directory of [out, folder]) await sweep(directory, () => true); // the lock of the run is ours
  const path = join(out, 'run.json');
  let id = await readId(path, out, settings);

  const pathOf = (k, ending) => join(folder, `${String(k).padStart(6, '0')}.${ending}`);
  const readRecords = (k) => Promise.all(['json', 'check.json'].map((ending) => readJson(pathOf(k, ending))));
  const writeRecord = (path, record) => writeWhole(path, `${JSON.stringify(record)}\n`);

  return {
    /** Names the jobs of the run in Redis. */
    get id() {
      return id;
    },

    /** Changes the id, so that work still being done for the old one is ignored. */
    async renewId() {
      id = await writeId(path, settings);
    },

    /** Reads the results of a job: its shard, whose digest is checked here, and its check; null for missing ones. */
    async read(k) {
      const [shard, check] = await readRecords(k);
      const bytes = await readIfThere(pathOf(k, 'bin'));
      if (bytes === null || shard === null || sha256(bytes) !== shard.sha256)
        return { shard: null, check: null };
      return { shard, check };
    },

    /** The record comes first, so that a shard has one. */
    async writeShard(record, bytes) {
      await writeRecord(pathOf(record.job, 'json'), record);
      await writeWhole(pathOf(record.job, 'bin'), bytes);
    },

    writeCheck: (record) => writeRecord(pathOf(record.job, 'check.json'), record),

    /**
     * Joins all shards into the result, and writes the manifest.
     *
     * @returns {Promise<{ path: string, bitsPerDim?: number }>} the figure where images were scored
     * @throws Error where a shard is missing or has changed
     */
    async finish() {
      const shards = [];
      const checks = [];
      const hash = createHash('sha256');
      let nats = 0;
      async function* contents() {
        const header = npyHeader(result.type, result.shape);
        hash.update(header);
        yield header;
        for (let k = 0; k < jobs; k++) {
          const bytes = await readFile(pathOf(k, 'bin'));
          const [shard, check] = await readRecords(k);
          if (sha256(bytes) !== shard.sha256)
            throw new Error(`${pathOf(k, 'bin')} is not what was written there`);
          shards.push(shard);
          if (check !== null) checks.push(check);
          if (result.type === 'f8') for (const ofImage of numbersIn(bytes, Float64Array)) nats += ofImage;
          hash.update(bytes);
          yield bytes;
        }
      }
      const array = join(out, result.name);
      await writeWhole(array, contents());
      const dimensions = settings.imageShape.reduce((product, size) => product * size, settings.images);
      const figure = result.type === 'f8' ? { bitsPerDim: -nats / Math.LN2 / dimensions } : {};
      const written = { ...result, sha256: hash.digest('hex') };
      const manifest = { ...settings, result: written, ...figure, shards, checks };
      await writeWhole(join(out, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
      return { path: array, ...figure };
    },
  };
}

/** The id of the run that continues here, or of a new one. */
async function readId(path, out, settings) {
  const found = await readJson(path);
  if (found === null) return writeId(path, settings);
  for (const [name, value] of Object.entries(settings)) {
    const [had, has] = [found[name], value].map((of) => JSON.stringify(of));
    if (had !== has)
      throw new Error(`--out: ${out} holds another run, of ${name} ${had}, not ${has}; give another --out`);
  }
  return found.id;
}

async function writeId(path, settings) {
  const id = randomBytes(8).toString('hex');
  await writeWhole(path, `${JSON.stringify({ id, ...settings }, null, 2)}\n`);
  return id;
}

async function readJson(path) {
  try {
    return JSON.parse((await readIfThere(path)) ?? 'null');
  } catch (cause) {
    throw new Error(`${path}: ${cause.message}`, { cause });
  }
}

async function readIfThere(path) {
  try {
    return await readFile(path);
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}
