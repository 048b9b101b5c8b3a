import { MODELS, sizeOf } from '../catalogue.mjs';

const DIGITS = new URL('../../data/digits-test-images.u8', import.meta.url);

const READERS = {
  async digits() {
    const response = await fetch(DIGITS);
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    return new Uint8Array(await response.arrayBuffer());
  },
  async emoji() {
    const { default: base64 } = await import('virtual:emoji-test-images');
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  },
};

/** @typedef {'digits' | 'emoji'} TestSet */

/** @type {TestSet[]} */
export const TEST_IMAGES = Object.keys(READERS);

/**
 * All test images of a set, as levels.
 *
 * @param {TestSet} name
 * @returns {Promise<Uint8Array[]>}
 */
export async function readTestImages(name) {
  const levels = await READERS[name]().catch(({ message }) => {
    throw new Error(`The test images cannot be read: ${message}`);
  });
  const size = sizeOf(MODELS[name].shape);
  return Array.from({ length: levels.length / size }, (_, i) => levels.subarray(i * size, (i + 1) * size));
}
