/**
 * The models that the page brings along.
 *
 * @typedef {object} Entry
 * @property {string} title
 * @property {string} note
 * @property {[number, number, number]} shape height, width and channels
 * @property {number} levels
 * @property {number | null} numClasses null where it takes no class
 * @property {number | null} testBits the mean over its test images, where the page measures with it
 *
 * @type {Record<import('./worker/protocol.mjs').ModelName, Entry>}
 */
export const MODELS = {
  digits: {
    title: 'Digits',
    note: '8 by 8 pixels in 17 greys; 20,465 weights, learned from 1,500 digits.',
    shape: [8, 8, 1],
    levels: 17,
    numClasses: null,
    testBits: 1.815,
  },
  'digits-conditional': {
    title: 'Digits by class',
    note: 'The same digits, and told which: a gated network of 37,377 weights.',
    shape: [8, 8, 1],
    levels: 17,
    numClasses: 10,
    testBits: null,
  },
  emoji: {
    title: 'Emoji',
    note: '16 by 16 pixels in colour; 192,864 weights, learned in 13 minutes: shapes and colours, no faces yet.',
    shape: [16, 16, 3],
    levels: 32,
    numClasses: null,
    testBits: 1.559,
  },
};

/** How many values an image has: height times width times channels. */
export const sizeOf = ([height, width, channels]) => height * width * channels;
