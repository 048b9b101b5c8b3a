import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import CRC32 from 'crc-32';
import { stop } from '../flags.mjs';
import { sweep, writeWhole } from './files.mjs';
import { lockRun } from './run-lock.mjs';

/** Temporary files of what train.mjs writes. */
const OWN_FILE = /^(run\.json|metrics\.jsonl|curve\.svg|samples(-\d+)?\.png)$/;

/**
 * Locks the directory of a run, removes leftovers of killed programs, and returns the settings: from the
 * flags or, for a resumed run, from its `run.json`, except for those that may change. Ends the program if the
 * directory holds another run, or none, or is in use.
 *
 * @param {ReturnType<import('./train-flags.mjs').readTrainFlags>} flags
 * @returns {Promise<object>}
 */
export async function openRun({ out, resume, run, steps, patience, backend, path }) {
  if (resume && !existsSync(out)) stop(`--resume: there is no run in ${out}`);
  lockRun(out);
  await sweep(out, (name) => OWN_FILE.test(name));
  const kept = await readSettings(join(out, 'run.json'));
  if (!resume && kept !== null) stop(`--out: ${out} holds a run; --resume continues it`);
  if (!resume) return run;
  if (kept === null) stop(`--resume: there is no run in ${out}`);
  if (patience !== undefined && kept.patience === undefined && kept.validation === undefined) {
    stop('--patience: the run was started without --patience or --validation');
  }
  return {
    ...kept,
    steps: steps ?? kept.steps,
    patience: patience ?? kept.patience,
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
 * Saves the settings, with a checksum of the data, and ends the program if the data of a resumed run have changed.
 *
 * @param {string} out
 * @param {object} run
 * @param {import('pixelcnn-layers/data').ImageSet[]} sets
 */
export async function keepSettings(out, run, sets) {
  const bytesOf = ({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const checksum = sets.reduce((crc, set) => CRC32.buf(bytesOf(set), crc), 0);
  if (run.checksum !== undefined && run.checksum !== checksum)
    stop(`--resume: ${run.data} differs from the data that the run began with`);
  await writeWhole(join(out, 'run.json'), `${JSON.stringify({ ...run, checksum }, null, 2)}\n`);
}
