import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzip } from 'pixelcnn-layers/data';

/** The advice if the files of a data set are missing. */
export function wantedFiles(names) {
  return `--path to a directory with ${names.join(', ')}, each plain or .gz`;
}

/**
 * Reads files of a directory, unpacked. Each may end in .gz too, and `name-idx3-ubyte` may be spelled `name.idx3-ubyte`.
 *
 * @param {string | undefined} path
 * @param {string[]} names
 * @param {string} [wanted] ends the error where one is missing
 * @returns {Promise<Uint8Array[]>} in the order of the names
 */
export async function readFiles(path, names, wanted = `wanted ${wantedFiles(names)}`) {
  const present = await listDirectory(path, wanted);
  const found = names.map((name) => spellings(name).find((spelling) => present.includes(spelling)));
  const missing = names.filter((_, i) => found[i] === undefined);
  if (missing.length > 0) throw new Error(`'${path}' lacks ${missing.join(', ')}; ${wanted}`);
  return Promise.all(found.map((name) => readUnpacked(join(path, name))));
}

/**
 * @param {string | undefined} path
 * @param {string} wanted ends the error where there is no such directory
 * @returns {Promise<string[]>} the names in it
 */
export async function listDirectory(path, wanted) {
  if (path === undefined) throw new Error(wanted);
  try {
    return await readdir(path);
  } catch (error) {
    const why = { ENOENT: 'does not exist', ENOTDIR: 'is not a directory' }[error.code] ?? error.message;
    throw new Error(`'${path}' ${why}; ${wanted}`, { cause: error });
  }
}

function spellings(name) {
  return [name, name.replace('-idx', '.idx')].flatMap((spelling) => [spelling, `${spelling}.gz`]);
}

/** Reads a file, and unpacks it if it is gzipped. */
export async function readUnpacked(file) {
  const bytes = await readFile(file);
  try {
    return await gunzip(new Uint8Array(bytes));
  } catch (error) {
    throw new Error(`'${file}' does not unpack: ${error.message}`, { cause: error });
  }
}
