/**
 * Values are drawn in the order rows, columns, channels.
 *
 * @typedef {import('./networks.mjs').Size} Size
 * @typedef {{ row: number, column: number, channel: number }} Place
 */

/**
 * @param {Place} place
 * @param {Size} size
 */
export function indexOf({ row, column, channel }, { width, channels }) {
  return (row * width + column) * channels + channel;
}

/**
 * @param {number} index
 * @param {Size} size
 * @returns {Place}
 */
export function placeAt(index, { width, channels }) {
  const pixel = Math.floor(index / channels);
  return { row: Math.floor(pixel / width), column: pixel % width, channel: index % channels };
}

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * Where a key leads: arrows to the next pixel, N and P to the next and previous value, Home and End to the first and last.
 *
 * @param {Place} place
 * @param {string} key as events name it
 * @param {Size} size
 * @returns {Place | null} null for a key that leads nowhere
 */
export function placeByKey(place, key, size) {
  const last = size.height * size.width * size.channels - 1;
  const clamp = (n, max) => Math.min(Math.max(n, 0), max);
  if (key in MOVES) {
    const [down, right] = MOVES[key];
    const row = clamp(place.row + down, size.height - 1);
    return { ...place, row, column: clamp(place.column + right, size.width - 1) };
  }
  const targets = {
    n: indexOf(place, size) + 1,
    p: indexOf(place, size) - 1,
    home: 0,
    end: last,
  };
  const index = targets[key.toLowerCase()];
  return index === undefined ? null : placeAt(clamp(index, last), size);
}
