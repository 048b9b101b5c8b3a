import { channelNames } from './channels.mjs';
import { indexOf } from './order.mjs';
import { capitalized, counted, listed } from './words.mjs';

/** @typedef {import('./picture.mjs').Picture} Picture */

/** 'row 7, column 6': counted from 0, as the library's places are */
export function pixelName({ row, column }) {
  return `row ${row}, column ${column}`;
}

/** 'Green of row 7, column 6, is computed: value 278 of 351.' */
export function valueWords(place, size) {
  const name = capitalized(channelNames(size.channels)[place.channel]);
  const total = size.height * size.width * size.channels;
  return `${name} of ${pixelName(place)}, is computed: value ${indexOf(place, size) + 1} of ${total}.`;
}

/**
 * How much is seen.
 *
 * @param {Picture} picture
 * @returns {string} 'sees 57 of 60 earlier pixels in its window; 3 are never seen'
 */
export function countWords({ seen, blind }) {
  const earlier = seen + blind;
  if (earlier === 0) return 'sees no other pixel: none is drawn yet';
  if (blind === 0) {
    return earlier === 1 ? 'sees the one earlier pixel in its window' : `sees all ${earlier} earlier pixels in its window`; // biome-ignore format: one line
  }
  const never = blind === 1 ? '1 is never seen' : `${blind} are never seen`;
  return `sees ${seen} of ${earlier} earlier pixels in its window; ${never}`;
}

/** The same in short, below a picture: 'Seen: 57 of 60. Never seen: 3.' */
export function shortWords({ seen, blind }) {
  return `Seen: ${seen} of ${seen + blind}. Never seen: ${blind}.`;
}

/** What both see of the pixel itself: 'Both also see red and green of the pixel itself.' */
export function ownPixelWords({ channel }, channels) {
  const names = channelNames(channels);
  if (channel > 0) return `Both also see ${listed(names.slice(0, channel))} of the pixel itself.`;
  return channels === 1 ? '' : `Of the pixel itself they see nothing: ${names[0]} is drawn first.`;
}

/**
 * What one pixel is to the value computed.
 *
 * @param {object} asked
 * @param {{ kind: import('./picture.mjs').Kind, layer: number }} asked.pixel
 * @param {{ row: number, column: number }} asked.at
 * @param {import('./order.mjs').Place} asked.place of the value computed
 * @param {import('./field.mjs').Stop[]} asked.path from the value to the pixel, empty where it is not seen
 * @param {string[]} asked.stacks
 * @returns {string}
 */
export function askedWords({ pixel, at, place, path, stacks }) {
  const name = capitalized(pixelName(at));
  switch (pixel.kind) {
    case 'here':
      return `${name}, is the pixel computed.`;
    case 'later':
      return `${name}, is drawn later and must not be seen.`;
    case 'outside':
      return `${name}, is drawn before, but lies outside the window of these layers.`;
    case 'blind':
      return `${name}, is never seen: ${farWords(at, place)}, and a layer reads to the right only in rows above.`;
    default:
      return `${name}, is seen ${pixel.layer === 1 ? 'directly, by the first layer' : `through ${counted(pixel.layer, 'layer')}`}${wayWords(path, stacks)}.`;
  }
}

function farWords(at, place) {
  const right = counted(at.column - place.column, 'column');
  return `it stands ${right} to the right, but just ${counted(place.row - at.row, 'row')} above`;
}

/** The stops between the value and the pixel, from the pixel up. */
function wayWords(path, stacks) {
  const stops = path.slice(1, -1).reverse();
  if (stops.length === 0) return '';
  const words = stops.map((stop) => {
    return stacks.length === 1 ? pixelName(stop) : `${pixelName(stop)} (${stacks[stop.stack]})`;
  });
  return `, by way of ${words.join('; ')}`;
}
