// Zips may come from anyone, so nothing is unpacked before its size is known.

import { unzipSync } from 'fflate';

/** The most entries of an archive. */
const MAX_ENTRIES = 100_000;

/**
 * The names in a zip, without unpacking.
 *
 * @param {Uint8Array} bytes
 * @returns {string[]}
 * @throws Error if two are equal, or there are too many
 */
export function listZip(bytes) {
  const names = new Set();
  eachEntry(bytes, ({ name }) => {
    if (names.has(name) || names.size === MAX_ENTRIES) {
      throw new Error(`wanted at most ${MAX_ENTRIES} files, each of another name`);
    }
    names.add(name);
    return false;
  });
  return [...names];
}

/**
 * Unpacks some files of a zip, each into as much memory as the zip states, after checking that all sizes are
 * small enough.
 *
 * @param {Uint8Array} bytes
 * @param {string[]} names
 * @param {number} mostBytes that they may have, all together
 * @returns {Record<string, Uint8Array>} the files that exist
 */
export function unzip(bytes, names, mostBytes) {
  const wanted = new Set(names);
  const sizes = new Map();
  eachEntry(bytes, ({ name, size, originalSize }) => {
    if (wanted.has(name)) sizes.set(name, Math.max(size, originalSize));
    return false;
  });
  const size = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (size > mostBytes) throw new Error(`wanted at most ${mostBytes} bytes in it, got ${size}`);
  return eachEntry(bytes, ({ name }) => wanted.has(name));
}

function eachEntry(bytes, filter) {
  try {
    return unzipSync(bytes, { filter });
  } catch (error) {
    throw error.code === undefined ? error : new Error(`damaged: ${error.message}`, { cause: error });
  }
}
