import { loadPortable } from 'pixelcnn-layers/runtime';
import { modelURL } from 'pixelcnn-models';

/** @type {Map<string, Promise<import('pixelcnn-layers/runtime').PortableModel>>} */
const loaded = new Map();

/**
 * A model that the page brings along; loaded once. With `rows`, of only the first ones of its images: it draws these the same.
 *
 * @param {import('pixelcnn-models').ModelName | string} name or the address of the visitor's own network
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

function load(name) {
  return loadPortable(name.startsWith('blob:') ? name : modelURL(name)).catch((cause) => {
    const reason = cause.message.replace(/^loadPortable: \S+: /, '');
    throw new Error(`The model ${name} cannot be read: ${reason}`, { cause });
  });
}
