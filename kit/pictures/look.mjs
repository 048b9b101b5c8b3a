/**
 * What levels look like. Nothing else in the programs says so, but the page, which has a look of its own.
 *
 * @typedef {object} Kind of image
 * @property {number} channels 1 or 3
 * @property {number} levels
 * @property {Uint8Array} [palette] of the model: a grey of each level, [L,1], or its red, green and blue, [L,3]
 */

/** Paper and ink of grey images without a palette: level 0 is paper, the highest ink. */
const INK = { paper: [255, 255, 255], ink: [24, 24, 32] };

/** Whether images are drawn in ink on paper. @param {Kind} kind */
export const isInk = ({ channels, palette }) => channels === 1 && palette === undefined;

/**
 * How pixels look: as the palette says, else grey ones as ink on paper, and the channels of others as intensities.
 *
 * @param {Kind} kind
 * @param {{ paper: number[], ink: number[] }} [tint]
 * @returns {(data: ArrayLike<number>, pixel: number) => number[]} red, green and blue
 */
export function lookOf(kind, { paper, ink } = INK) {
  if (!isInk(kind)) return colourOf(kind);
  const share = (level) => level / (kind.levels - 1);
  return (data, pixel) => paper.map((from, i) => Math.round(from + share(data[pixel]) * (ink[i] - from)));
}

/**
 * The colours of pixels, from which levels can be read again: those of the palette, else intensities from black to white.
 *
 * @param {Kind} kind
 * @returns {(data: ArrayLike<number>, pixel: number) => number[]} red, green and blue
 */
export function colourOf({ channels, levels, palette = intensitiesOf(levels) }) {
  if (channels !== 1 && channels !== 3) throw new Error(`PNG: wanted 1 channel or 3, got ${channels}`);
  const isRgb = palette.length === 3 * levels;
  if (isRgb && channels === 3)
    throw new Error('palette: wanted a grey of each level, for 3 channels, got RGB');
  if (isRgb) return (data, pixel) => [...palette.subarray(3 * data[pixel], 3 * data[pixel] + 3)];
  return (data, pixel) => [0, 1, 2].map((part) => palette[data[channels === 1 ? pixel : 3 * pixel + part]]);
}

const intensitiesOf = (levels) =>
  Uint8Array.from({ length: levels }, (_, level) => Math.round((255 * level) / (levels - 1)));
