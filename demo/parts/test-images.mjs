import { MODELS, sizeOf } from '../catalogue.mjs';

/** Images, and the class of each, by the model that knows such images and was not trained on them. */
const FILES = {
  clothes: [
    new URL('../../kit/data/sets/clothes-test-images.u8', import.meta.url),
    new URL('../../kit/data/sets/clothes-test-labels.u8', import.meta.url),
  ],
  'digits-28': [
    new URL('../../kit/data/sets/digits-28-test-images.u8', import.meta.url),
    new URL('../../kit/data/sets/digits-28-test-labels.u8', import.meta.url),
  ],
  characters: [new URL('../../kit/data/sets/characters-test-images.u8', import.meta.url)],
  'digits-conditional': [
    new URL('../../kit/data/sets/digits-test-images.u8', import.meta.url),
    new URL('../../kit/data/sets/digits-test-labels.u8', import.meta.url),
  ],
};

/** @typedef {'clothes' | 'digits-28' | 'characters' | 'digits-conditional'} TestSet */

/** Whether there are images of a model's kind. */
export const hasTestImages = (name) => name in FILES;

/**
 * All test images of a set.
 *
 * @param {TestSet} name
 * @returns {Promise<{ levels: Uint8Array, label: number | null }[]>} the label is null where the images have no classes
 */
export async function readTestImages(name) {
  const [levels, labels] = await Promise.all(FILES[name].map(read)).catch(({ message }) => {
    throw new Error(`The test images cannot be read: ${message}`);
  });
  const size = sizeOf(MODELS[name].shape);
  return Array.from({ length: levels.length / size }, (_, i) => ({
    levels: levels.subarray(i * size, (i + 1) * size),
    label: labels?.[i] ?? null,
  }));
}

async function read(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}
