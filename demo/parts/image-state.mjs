import { MODELS, sizeOf, UNLISTED } from '../catalogue.mjs';
import { levelsOfText, textOfLevels } from './levels-text.mjs';
import { hasTestImages, readTestImages } from './test-images.mjs';

/**
 * An image for an address: a test image by its number, any other by its levels.
 *
 * @param {object} image
 * @param {import('./test-images.mjs').TestSet} image.name of its set
 * @param {number | null} image.number from 1; null for a changed test image, and for any other
 * @param {Uint8Array} image.levels
 * @param {number | null} image.condition the class given to the model; null where none is
 * @returns {Record<string, string | number>}
 */
export function queryOfImage({ name, number, levels, condition }) {
  const query = { model: name, ...(condition !== null && { class: condition }) };
  if (number !== null) return { ...query, image: number };
  return { ...query, levels: textOfLevels([...levels]) };
}

/**
 * The image that an address asks for.
 *
 * @param {ReturnType<import('./address-state.mjs').addressReader>} address
 * @param {import('./test-images.mjs').TestSet[]} sets the first where the address names none
 * @returns {Promise<{ name: string, number: number | null, levels: Uint8Array | null, condition: number | null }>}
 */
export async function readImageState(address, sets) {
  const name = address.choice('model', sets, UNLISTED) ?? sets[0];
  const { shape, levels: numLevels, numClasses } = MODELS[name];
  const size = sizeOf(shape);
  const levels = address.read('levels', `those of ${size} values`, (text) => {
    const values = levelsOfText(text, { levels: numLevels, size });
    return values?.length === size ? Uint8Array.from(values) : null;
  });
  const max = hasTestImages(name) ? (await readTestImages(name)).length : 0;
  const number = address.number('image', { min: 1, max });
  const condition = numClasses === null ? null : address.number('class', { min: 0, max: numClasses - 1 });
  return { name, number, levels, condition };
}
