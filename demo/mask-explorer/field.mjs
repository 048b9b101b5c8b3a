import { maskOf } from './mask.mjs';

/**
 * @typedef {{ row: number, column: number }} Place
 * @typedef {{ height: number, width: number }} Size of the image
 */

/**
 * Through how many layers of 3x3 a pixel sees each other one, 0 for never: by arithmetic on sets, from what is computed down to the image. The first layer
 * has mask A, and all later ones mask B.
 *
 * @param {boolean} isGated whether a vertical stack tells the horizontal one of the rows above, or one plain stack is all there is
 * @param {number} numLayers
 * @param {Place} place
 * @param {Size} size
 * @returns {Uint8Array} row by row
 */
export function layersToSee(isGated, numLayers, { row, column }, { height, width }) {
  const found = new Uint8Array(height * width);
  let [own, above] = [[row * width + column], []]; // what has to be known of each stack

  const read = (pixels, stack, maskType) => {
    const steps = stepsOf(stack, maskType);
    const isInside = (pixel, right) => (pixel % width) + right >= 0 && (pixel % width) + right < width;
    const all = pixels.flatMap((pixel) =>
      steps
        .filter(([, right]) => isInside(pixel, right))
        .map(([down, right]) => pixel + down * width + right),
    );
    return [...new Set(all)].filter((pixel) => pixel >= 0);
  };
  const below = (maskType) =>
    isGated
      ? [read(own, 'horizontal', maskType), read([...own, ...above], 'vertical', maskType)]
      : [read(own, 'plain', maskType), []];

  for (let layer = 1; layer <= numLayers; layer++) {
    for (const pixel of below('A').flat()) found[pixel] ||= layer;
    [own, above] = below('B');
  }
  return found;
}

/** Where a mask of 3x3 lets a layer read, as steps down and to the right. */
function stepsOf(stack, maskType) {
  const { rows, columns, values } = maskOf(stack, maskType, 3);
  return [...values.keys()]
    .filter((index) => values[index] === 1)
    .map((index) => [Math.floor(index / columns) - (rows >> 1), (index % columns) - (columns >> 1)]);
}

/**
 * What each pixel is to the one computed: 'here'; 'later'; 'seen'; 'blind', drawn before and within the layers' window, but never seen; or 'outside' of the
 * window.
 *
 * @param {Uint8Array} found as {@link layersToSee} returns it
 * @param {number} numLayers as many pixels their window reaches up, left and right
 * @param {Place} place
 * @param {Size} size
 * @returns {string[]}
 */
export function kindsOf(found, numLayers, { row, column }, { width }) {
  const here = row * width + column;
  return Array.from(found, (layer, pixel) => {
    if (pixel >= here) return pixel === here ? 'here' : 'later';
    if (layer > 0) return 'seen';
    const far = Math.max(row - Math.floor(pixel / width), Math.abs(column - (pixel % width)));
    return far > numLayers ? 'outside' : 'blind';
  });
}
