import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import CRC32 from 'crc-32';
import { writeWhole } from './files.mjs';
import { stop } from './flags.mjs';

/**
 * The settings of a run: those of the flags, or, where it goes on, those that it keeps in `run.json`, but for what may change. Ends the program
 * where the directory holds another run, or none.
 *
 * @param {ReturnType<import('./train-flags.mjs').readTrainFlags>} flags
 * @returns {Promise<object>}
 */
export async function runSettings({ out, resume, run, steps, backend, path }) {
  const kept = await readSettings(join(out, 'run.json'));
  if (!resume && kept !== null) stop(`--out: ${out} holds a run; --resume goes on with it`);
  if (!resume) return run;
  if (kept === null) stop(`--resume: there is no run in ${out}`);
  return {
    ...kept,
    steps: steps ?? kept.steps,
    backend: backend ?? kept.backend,
    path: path ?? kept.path,
  };
}

async function readSettings(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    return error.code === 'ENOENT' ? null : stop(`${file} cannot be read: ${error.message}`);
  }
}

/**
 * Keeps the settings, with a checksum of the data, and ends the program where the data of a run that goes on are others.
 *
 * @param {string} out
 * @param {object} run
 * @param {import('pixelcnn-layers/data').ImageSet[]} sets
 */
export async function keepSettings(out, run, sets) {
  const checksum = sets.reduce((crc, { data }) => CRC32.buf(data, crc), 0);
  if (run.checksum !== undefined && run.checksum !== checksum)
    stop(`--resume: ${run.data} is not what the run began with`);
  await mkdir(out, { recursive: true });
  await writeWhole(join(out, 'run.json'), `${JSON.stringify({ ...run, checksum }, null, 2)}\n`);
}
