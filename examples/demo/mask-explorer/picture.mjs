import { indexOf } from './order.mjs';

/**
 * What the picture of a network shows of a pixel: 'here', where a value is computed; 'seen'; 'blind', drawn before and in the window, but never seen;
 * 'outside', drawn before, beyond the window; 'later'.
 *
 * @typedef {'here' | 'seen' | 'blind' | 'outside' | 'later'} Kind
 *
 * @typedef {object} Picture
 * @property {{ kind: Kind, layer: number }[]} pixels row by row; layer is how many it takes to see the pixel, 0 where it is not seen
 * @property {number} seen how many pixels are
 * @property {number} blind
 * @property {{ top: number, left: number, right: number }} window rows and columns, inclusive, within the image
 */

/**
 * What the features after a layer depend on. The window is what kernels of these sizes span around the pixel, cut at the image's border.
 *
 * @param {import('./field.mjs').Field} field
 * @param {object} options
 * @param {import('./order.mjs').Place} options.place
 * @param {import('./networks.mjs').Size} options.size
 * @param {number} options.layer 1 for the first
 * @param {number} options.radius of the window after that layer
 * @returns {Picture}
 */
export function pictureOf(field, { place, size, layer, radius }) {
  const window = {
    top: Math.max(0, place.row - radius),
    left: Math.max(0, place.column - radius),
    right: Math.min(size.width - 1, place.column + radius),
  };
  const pixels = Array.from({ length: size.height * size.width }, (_, pixel) => {
    const [row, column] = [Math.floor(pixel / size.width), pixel % size.width];
    if (row === place.row && column === place.column) return { kind: 'here', layer: 0 };
    if (row > place.row || (row === place.row && column > place.column)) return { kind: 'later', layer: 0 };
    const first = field.layers[indexOf({ row, column, channel: 0 }, size)]; // of an earlier pixel, all channels are seen or none
    if (first > 0 && first <= layer) return { kind: 'seen', layer: first };
    const isInside = row >= window.top && column >= window.left && column <= window.right;
    return { kind: isInside ? 'blind' : 'outside', layer: 0 };
  });
  const count = (kind) => pixels.filter((pixel) => pixel.kind === kind).length;
  return { pixels, seen: count('seen'), blind: count('blind'), window };
}
