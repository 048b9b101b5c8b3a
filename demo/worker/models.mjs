import { readPortable } from 'pixelcnn-layers/runtime';
import { readFile } from './files.mjs';

/** Addresses of the files of the models that the page brings along. */
const FILES = {
  clothes: new URL('../../examples/models/clothes.pixelcnn', import.meta.url),
  'clothes-background': new URL('../../examples/models/clothes-background.pixelcnn', import.meta.url),
  'digits-28': new URL('../../examples/models/digits-28.pixelcnn', import.meta.url),
  'digits-28-background': new URL('../../examples/models/digits-28-background.pixelcnn', import.meta.url),
  'binarized-mnist': new URL('../../examples/models/binarized-mnist.pixelcnn', import.meta.url),
  'digits-conditional': new URL('../../examples/models/digits-conditional.pixelcnn', import.meta.url),
  'digits-orders': new URL('../../examples/models/digits-orders.pixelcnn', import.meta.url),
  characters: new URL('../../examples/models/characters.pixelcnn', import.meta.url),
  'characters-columns': new URL('../../examples/models/characters-columns.pixelcnn', import.meta.url),
  'characters-small': new URL('../../examples/models/characters-small.pixelcnn', import.meta.url),
  'syllables-16': new URL('../../examples/models/syllables-16.pixelcnn', import.meta.url),
  'syllables-gated': new URL('../../examples/models/syllables-gated.pixelcnn', import.meta.url),
  tiles: new URL('../../examples/models/tiles.pixelcnn', import.meta.url),
  'magnet-1.5': new URL('../../examples/models/magnet-1.5.pixelcnn', import.meta.url),
  'magnet-1.8': new URL('../../examples/models/magnet-1.8.pixelcnn', import.meta.url),
  'magnet-2.1': new URL('../../examples/models/magnet-2.1.pixelcnn', import.meta.url),
  'magnet-2.27': new URL('../../examples/models/magnet-2.27.pixelcnn', import.meta.url),
  'magnet-2.5': new URL('../../examples/models/magnet-2.5.pixelcnn', import.meta.url),
  'magnet-2.8': new URL('../../examples/models/magnet-2.8.pixelcnn', import.meta.url),
  'magnet-3.3': new URL('../../examples/models/magnet-3.3.pixelcnn', import.meta.url),
  'magnet-4': new URL('../../examples/models/magnet-4.pixelcnn', import.meta.url),
};

/** @type {Map<string, Promise<import('pixelcnn-layers/runtime').PortableModel>>} */
const loaded = new Map();

/**
 * A model that the page brings along; loaded once. With `rows`, of only the first ones of its images: it draws these the same.
 *
 * @param {import('./protocol.mjs').ModelName | `${string}-background` | 'digits-orders' | 'characters-columns' | 'tiles' | `magnet-${number}`} name
 * @param {number} [rows]
 */
export function shippedModel(name, rows) {
  const key = `${name} ${rows}`;
  if (!loaded.has(key)) {
    const model = rows === undefined ? load(name) : shippedModel(name).then((whole) => withRows(whole, rows));
    loaded.set(key, model);
    model.catch(() => loaded.delete(key)); // to try again
  }
  return loaded.get(key);
}

/** How many initial consonants, vowels and final consonants a Korean syllable may have: Unicode has all syllables in this order. */
const PARTS = [19, 21, 28];

/**
 * What the library is told of the class of an image, or of each of some. The class of a syllable is its number in Unicode, and its model takes the vector
 * of its parts: three times a one among zeros.
 *
 * @param {import('pixelcnn-layers/runtime').PortableModel} model
 * @param {number | number[]} [classes] left out where the model takes none
 */
export function conditionOf(model, classes) {
  if (classes === undefined) return {};
  if (model.conditions[0].kind === 'class') return { condition: classes };
  const [, vowels, finals] = PARTS;
  const data = [classes].flat().flatMap((k) => {
    const parts = [Math.floor(k / (vowels * finals)), Math.floor(k / finals) % vowels, k % finals];
    return PARTS.flatMap((count, i) =>
      Array.from({ length: count }, (_, part) => (part === parts[i] ? 1 : 0)),
    );
  });
  return { condition: { data, shape: [data.length / 68, 68] } };
}

/** Of the first rows only. */
const withRows = (model, rows) => ({ ...model, imageShape: [rows, ...model.imageShape.slice(1)] });

async function load(name) {
  return readPortable(new Uint8Array(await (await readFile(FILES[name])).arrayBuffer()));
}
