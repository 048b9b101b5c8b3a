import { getMask } from 'pixelcnn-layers';
import { TEXT_HEIGHT, textWidth } from './drawing.mjs';

const LINE = '#c9d0da';
const TEXT = '#3b4454';
const NAMES = ['R', 'G', 'B'];
/** The colours of used and hidden taps. The centre, the current pixel, is darker. */
export const TAP = { used: '#7fa3dc', hidden: '#f6f7fa', centreUsed: '#143e8c', centreHidden: '#d5dae3' };

/**
 * The mask from each colour to each, as zeros and ones, which all features of a colour share.
 *
 * @param {import('pixelcnn-layers').MaskArgs} args
 * @returns {{ rows: number, columns: number, pairs: number[][][] }} `pairs[i][o]` is from colour i to colour o, row by row
 */
export function maskByColour(args) {
  const { shape, values } = getMask(args);
  const [rows, columns, featuresIn, featuresOut] = shape;
  const colours = Array.from({ length: args.imageChannels ?? 3 }, (_, colour) => colour);
  const first = (colour, features) => (colour * features) / colours.length; // of the features of a colour
  const tap = (i, o) => (_, index) =>
    values[(index * featuresIn + first(i, featuresIn)) * featuresOut + first(o, featuresOut)];
  const pairs = colours.map((i) => colours.map((o) => Array.from({ length: rows * columns }, tap(i, o))));
  return { rows, columns, pairs };
}

/** R, G and B for three channels, else their numbers; nothing for a single channel. */
const nameOf = (colour, colours) => ({ 1: '', 3: `${NAMES[colour]} ` })[colours] ?? `${colour + 1} `;

/**
 * The plot of a mask, with a row of kernels for each input colour, and a column for each output colour.
 *
 * @param {import('pixelcnn-layers').MaskArgs} args
 * @returns {import('./drawing.mjs').Drawing}
 */
export function maskPlot(args) {
  const { rows, columns, pairs } = maskByColour(args);
  const { maskType = 'B', vertical = false, featuresIn, featuresOut } = args;
  const count = pairs.length;
  const side = Math.max(8, Math.min(30, Math.floor(126 / Math.max(rows, columns)))); // of a tap
  const gap = 16;
  const labelled = (from) => nameOf(from, count).length > 0;
  const left = textWidth(labelled(0) ? `${nameOf(count - 1, count)}in` : 'in') + 2 * gap;
  const top = 2 * TEXT_HEIGHT + 3 * gap;
  const pitch = { x: columns * side + 1 + gap, y: rows * side + 1 + gap };
  const title = `mask ${maskType}, ${vertical ? 'vertical, ' : ''}${rows}x${columns}`;
  const note = `${featuresIn} to ${featuresOut} features`;
  const plots = count * pitch.x - gap;
  const width = left + Math.max(plots, textWidth(title), textWidth(note)) + gap;
  const height = top + count * pitch.y + TEXT_HEIGHT + gap;
  const middle = left + Math.round((width - left - gap) / 2);

  const shapes = [
    { x: middle, y: gap, text: title, fill: TEXT },
    { x: middle, y: height - gap - TEXT_HEIGHT, text: note, fill: TEXT },
  ];
  const start = middle - Math.round(plots / 2); // of the first column
  for (const [i, row] of pairs.entries()) {
    const y = top + i * pitch.y;
    shapes.push({
      x: Math.round((start - gap / 2) / 2),
      y: y + ((rows * side - TEXT_HEIGHT) >> 1),
      text: `${nameOf(i, count)}in`,
      fill: TEXT,
    });
    for (const [o, taps] of row.entries()) {
      const x = start + o * pitch.x;
      if (i === 0)
        shapes.push({
          x: x + ((columns * side) >> 1),
          y: top - gap / 2 - TEXT_HEIGHT,
          text: `${nameOf(o, count)}out`,
          fill: TEXT,
        });
      shapes.push({ x, y, width: columns * side + 1, height: rows * side + 1, fill: LINE });
      for (const [index, used] of taps.entries()) {
        shapes.push({
          x: x + (index % columns) * side + 1,
          y: y + Math.floor(index / columns) * side + 1,
          width: side - 1,
          height: side - 1,
          fill: colourOf(used === 1, index === taps.length >> 1),
        });
      }
    }
  }
  return { width, height, title: `${title}: blue weights are used`, shapes };
}

function colourOf(isUsed, isCentre) {
  if (isCentre) return isUsed ? TAP.centreUsed : TAP.centreHidden;
  return isUsed ? TAP.used : TAP.hidden;
}
