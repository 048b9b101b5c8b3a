import { FIGURES } from './model-figures.mjs';

const DIGITS = [...'0123456789'];

/**
 * The models that the page brings along.
 *
 * @typedef {object} Entry
 * @property {string} title
 * @property {string} note
 * @property {[number, number, number]} shape height, width and channels
 * @property {number} levels
 * @property {Uint8Array} [palette] what these look like, where the model's file says so: [L,1] or [L,3]
 * @property {number | null} numClasses null where it takes no class
 * @property {string[]} groups what the classes show; in each style where there are several. Empty where it takes no class
 * @property {string[]} styles classes are the groups in the first style, then those in the second; empty where there is one style
 * @property {number | null} testBits the mean over its test images, where the page measures with it
 * @property {[number, number] | null} usualRatio where there is a background model, NAME-background: how many fewer bits per dimension test images
 * take, each as of its likeliest class, than by that; between these for 95% of them
 *
 * @type {Record<import('./worker/protocol.mjs').ModelName, Entry>}
 */
export const MODELS = {
  clothes: {
    title: 'Clothes',
    note: '28 by 28 pixels in 16 shades of grey. A PixelCNN++ of 583,120 weights, trained on Fashion-MNIST.',
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
    styles: [],
    ...FIGURES.clothes,
  },
  'digits-28': {
    title: 'Digits',
    note: '28 by 28 pixels in 16 shades of grey. A PixelCNN++ of 583,120 weights, trained on MNIST.',
    shape: [28, 28, 1],
    levels: 16,
    numClasses: 10,
    groups: DIGITS,
    styles: [],
    ...FIGURES['digits-28'],
  },
  'binarized-mnist': {
    title: 'Digits, black and white',
    note: `28 by 28 pixels in black or white. A PixelCNN++ of 893,442 weights, trained on binarized MNIST: ${FIGURES['binarized-mnist'].nats.toFixed(2)} nats an image.`,
    shape: [28, 28, 1],
    levels: 2,
    numClasses: null,
    groups: [],
    styles: [],
    testBits: null,
    usualRatio: null,
  },
  'digits-conditional': {
    title: 'Small digits',
    note: '8 by 8 pixels in 17 shades of grey. A Gated PixelCNN of 37,377 weights, trained on 1,500 digits.',
    shape: [8, 8, 1],
    levels: 17,
    numClasses: 10,
    groups: DIGITS,
    styles: [],
    testBits: 1.673,
    usualRatio: null,
  },
  'emoji-32': {
    title: 'Emoji',
    note: '32 by 32 pixels in colour. A PixelCNN++ of 594,788 weights, trained on the emoji of two fonts: colours and edges so far, hardly objects.',
    shape: [32, 32, 3],
    levels: 256,
    numClasses: 18,
    groups: ['smileys', 'people', 'animals', 'food', 'travel', 'activities', 'objects', 'symbols', 'flags'],
    styles: ['Google', 'Twemoji'],
    testBits: 2.311,
    usualRatio: null,
  },
  digits: {
    title: 'Small digits, whatever the class',
    note: '8 by 8 pixels in 17 shades of grey. A PixelCNN of 20,465 weights, trained on 1,500 digits.',
    shape: [8, 8, 1],
    levels: 17,
    numClasses: null,
    groups: [],
    styles: [],
    testBits: 1.815,
    usualRatio: null,
  },
};

/** Models that panels offer no more, and open where an older link asks for them. */
export const UNLISTED = ['digits-conditional'];

/** How many values an image has: height times width times channels. */
export const sizeOf = ([height, width, channels]) => height * width * channels;

/** What a class of a model shows, in words. */
export function className({ groups, styles }, k) {
  const group = groups[k % groups.length];
  return styles.length === 0 ? group : `${group}, ${styles[Math.floor(k / groups.length)]}`;
}
