import { FIGURES } from './model-figures.mjs';

const DIGITS = [...'0123456789'];

/**
 * The models that the page brings along.
 *
 * @typedef {object} Entry
 * @property {string} title
 * @property {string} note the network, after its article, and what it was trained on
 * @property {[number, number, number]} shape height, width and channels
 * @property {number} levels
 * @property {number | null} numClasses null where it takes no class
 * @property {string[]} groups what the classes show; empty where it takes none, or they have no names
 * @property {number | null} testBits the mean over its test images, where the page measures with it
 * @property {string} [url] of the file of the visitor's own network
 * @property {[number, number] | null} usualRatio where there is a background model, NAME-background: how many fewer bits per dimension test images
 * take, each as of its likeliest class, than by that; between these for 95% of them
 */

/** @type {Record<import('./worker/protocol.mjs').ModelName, Entry>} */
export const MODELS = {
  clothes: {
    title: 'Clothes',
    note: 'network of 583,120 weights, trained on Fashion-MNIST.',
    shape: [28, 28, 1],
    levels: 16,
    numClasses: 10,
    groups: [
      'T-shirt or top',
      'trousers',
      'pullover',
      'dress',
      'coat',
      'sandal',
      'shirt',
      'sneaker',
      'bag',
      'ankle boot',
    ],
    ...FIGURES.clothes,
  },
  'digits-28': {
    title: 'Digits',
    note: 'network of 583,120 weights, trained on MNIST.',
    shape: [28, 28, 1],
    levels: 16,
    numClasses: 10,
    groups: DIGITS,
    ...FIGURES['digits-28'],
  },
  characters: {
    title: 'Characters',
    note: 'network of 572,418 weights, trained on Chinese characters of three fonts.',
    shape: [24, 24, 1],
    levels: 2,
    numClasses: null,
    groups: [],
    testBits: 0.192,
    usualRatio: null,
  },
  'syllables-16': {
    title: 'Syllables',
    note: 'network of 43,150 weights, trained on 2,115 of the 11,172 Korean syllables, of a font.',
    shape: [16, 16, 1],
    levels: 2,
    numClasses: 11_172,
    groups: [],
    testBits: 0.054,
    usualRatio: null,
  },
  'binarized-mnist': {
    title: 'Digits, black and white',
    note: `network of 893,442 weights, trained on binarized MNIST: ${FIGURES['binarized-mnist'].nats.toFixed(2)} nats an image.`,
    shape: [28, 28, 1],
    levels: 2,
    numClasses: null,
    groups: [],
    testBits: null,
    usualRatio: null,
  },
  'digits-conditional': {
    title: 'Small digits',
    note: 'network of 37,377 weights, trained on 1,500 digits.',
    shape: [8, 8, 1],
    levels: 17,
    numClasses: 10,
    groups: DIGITS,
    testBits: 1.673,
    usualRatio: null,
  },
};

/** Models that panels do not offer, and open where a link or the wall asks for them. */
export const UNLISTED = ['digits-conditional', 'syllables-16'];

/**
 * Has all panels know the network that the visitor has trained, as `mine`.
 *
 * @param {Pick<Entry, 'shape' | 'levels'>} kind of its images
 * @param {Uint8Array} file
 */
export function addOwnNetwork({ shape, levels }, file) {
  if (MODELS.mine) URL.revokeObjectURL(MODELS.mine.url);
  else UNLISTED.push('mine');
  const url = URL.createObjectURL(new Blob([file]));
  MODELS.mine = { ...MODELS['binarized-mnist'], title: 'My network', note: '', shape, levels, url }; // no classes, and no figures
}

/** How many values an image has: height times width times channels. */
export const sizeOf = ([height, width, channels]) => height * width * channels;
