import { askedWords, countWords, ownPixelWords, valueWords } from './field-words.mjs';
import { indexOf } from './order.mjs';
import { pictureOf } from './picture.mjs';

/**
 * What there is to show of one network.
 *
 * @typedef {object} Look
 * @property {import('./picture.mjs').Picture} picture
 * @property {import('./field.mjs').Stop[]} path from the value computed to the pixel asked about, empty without one
 * @property {string} counts
 * @property {string} answer about the pixel asked, empty without one
 */

/**
 * @param {import('./networks.mjs').Network} network
 * @param {import('./field.mjs').Field} field
 * @param {object} options
 * @param {import('./order.mjs').Place} options.place
 * @param {import('./networks.mjs').Size} options.size
 * @param {number} options.layer
 * @param {{ row: number, column: number } | null} options.asked
 * @returns {Look}
 */
export function lookAt({ stacks, radii }, field, { place, size, layer, asked }) {
  const picture = pictureOf(field, { place, size, layer, radius: radii[layer - 1] });
  const counts = countWords(picture);
  if (asked === null) return { picture, path: [], counts, answer: '' };
  const pixel = picture.pixels[asked.row * size.width + asked.column];
  const path = pixel.kind === 'seen' ? field.pathTo(indexOf({ ...asked, channel: 0 }, size)) : [];
  return { picture, path, counts, answer: askedWords({ pixel, at: asked, place, path, stacks }) };
}

/**
 * The sentence about both.
 *
 * @param {Look} plain
 * @param {Look} gated
 * @param {object} options
 * @param {import('./order.mjs').Place} options.place
 * @param {import('./networks.mjs').Size} options.size
 * @param {number} options.layer
 * @param {number} options.numLayers
 */
export function sentenceOf(plain, gated, { place, size, layer, numLayers }) {
  const after = layer === numLayers ? `all ${numLayers} layers` : `layer ${layer} of ${numLayers}`;
  return [
    valueWords(place, size),
    `After ${numLayers === 1 ? 'the first layer' : after}, the plain stack ${plain.counts}.`,
    `The gated network ${gated.counts}.`,
    ownPixelWords(place, size.channels),
  ]
    .join(' ')
    .trim();
}
