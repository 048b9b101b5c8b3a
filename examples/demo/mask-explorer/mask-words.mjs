import { channelNames } from './channels.mjs';
import { capitalized, counted, listed } from './words.mjs';

/** @typedef {import('./kernel-squares.mjs').MaskChoice} MaskChoice */

/**
 * What a square of a kernel means.
 *
 * @param {import('./kernel-squares.mjs').Square} square
 * @param {MaskChoice} choice
 * @returns {string}
 */
export function squareWords(square, choice) {
  const from = featureName(square.from, choice);
  const to = featureName(square.to, choice);
  const may = square.isUsed ? 'may be seen' : 'is hidden';
  return `${capitalized(from)}, ${whereWords(square)}, ${may} when ${to} is computed. ${reason(square, choice)}`;
}

/** 'one row above and two pixels to the left' */
export function whereWords({ row, column }) {
  const parts = [];
  if (row !== 0) parts.push(`${counted(Math.abs(row), 'row')} ${row < 0 ? 'above' : 'below'}`);
  if (column !== 0)
    parts.push(`${counted(Math.abs(column), 'pixel')} to the ${column < 0 ? 'left' : 'right'}`);
  return parts.length === 0 ? 'at this very pixel' : listed(parts);
}

/**
 * What the chosen type of mask does, and why.
 *
 * @param {MaskChoice} choice
 * @returns {string[]} sentences that belong together
 */
export function maskWords(choice) {
  return choice.vertical ? verticalWords(choice) : plainWords(choice);
}

function featureName(index, { features, imageChannels }) {
  const name = channelNames(imageChannels)[Math.floor(index / features)];
  return features === 1 ? name : `feature ${(index % features) + 1} of ${name}`;
}

function reason({ row, column, from, to }, { maskType, vertical, features, imageChannels }) {
  if (row > 0) return 'It is drawn later.';
  if (vertical) {
    if (row < 0) return 'Rows above are seen whole, in every colour.';
    return maskType === 'A'
      ? 'The vertical stack leaves the current row to the horizontal one.'
      : 'Here the vertical stack reads its own features, and those know rows above only.';
  }
  if (row < 0 || column < 0) return 'It is drawn before.';
  if (column > 0) return 'It is drawn later.';
  const [seen, computed] = [from, to].map((index) => Math.floor(index / features));
  const names = channelNames(imageChannels);
  if (seen !== computed) {
    const order = seen < computed ? 'before' : 'after';
    return `Within a pixel, ${names[seen]} is drawn ${order} ${names[computed]}.`;
  }
  if (maskType === 'A')
    return features === 1
      ? 'It is the very value that has to be predicted.'
      : `It may know the value of ${names[seen]}, and that has to be predicted.`;
  return `A later layer reads features here, and mask A has kept the value of ${names[seen]} out of them.`;
}

function plainWords({ maskType, imageChannels, kernelSize }) {
  const names = channelNames(imageChannels);
  const around =
    kernelSize === 1 ? '' : 'Pixels in rows above, and to the left in the same row, are used whole. ';
  const seers = names.map((name, index) => {
    const seen = names.slice(0, maskType === 'A' ? index : index + 1);
    return `${name} sees ${seen.length === 0 ? 'nothing' : listed(seen)}`;
  });
  const pixel = `At the current pixel, ${seers.join(', ')}.`;
  return maskType === 'A'
    ? [
        'Mask A is for the first layer, which reads the image itself.',
        `${around}${pixel}`,
        'No colour sees itself: that value is the answer, and a network that sees it would only copy it.',
      ]
    : [
        'Mask B is for every later layer, which reads features.',
        `${around}${pixel}`,
        'Each colour sees itself too, and that is safe: its features were made behind mask A, without the value they predict.',
      ];
}

function verticalWords({ maskType, kernelSize }) {
  if (maskType === 'A') {
    const rows = kernelSize === 1 ? 'A kernel of one row has none above, so nothing is left.' : '';
    return [
      'Mask A of the vertical stack is for the layer that reads the image.',
      `It uses the rows above, left and right, in every colour, and nothing of the current row. ${rows}`.trim(),
      'Rows above are finished before the current row begins, so nothing in them needs to be hidden.',
    ];
  }
  return [
    'Mask B of the vertical stack is for its later layers.',
    'It uses the rows above and the current row too, left and right, in every colour.',
    'That is safe: a feature of the vertical stack, wherever it stands in the row, knows rows above only.',
  ];
}
