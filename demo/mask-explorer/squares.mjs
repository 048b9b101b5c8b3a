import { colour } from '../parts/dom.mjs';

const COLOURS = ['accent', 'accent-ink', 'black', 'blind', 'blind-line', 'field-line', 'ink', 'muted', 'seen', 'tray']; // biome-ignore format: one line

/**
 * @typedef {object} Look of a square; colours are names of the page's own
 * @property {string} [fill]
 * @property {string} [line]
 * @property {string | number} [sign]
 * @property {string} [ink] of the sign
 */

/**
 * Paints rows of squares.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} cell side of a square
 * @param {number} columns
 * @param {Look[]} looks
 */
export function paintSquares(context, cell, columns, looks) {
  const colours = Object.fromEntries(COLOURS.map((name) => [name, colour(`--${name}`)]));
  const gap = 1 + cell / 40;
  context.font = `600 ${cell * 0.55}px system-ui, sans-serif`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineWidth = gap;
  looks.forEach(({ fill, line, sign = '', ink = 'ink' }, index) => {
    const [x, y] = [(index % columns) * cell, Math.floor(index / columns) * cell];
    context.beginPath();
    context.roundRect(x + gap, y + gap, cell - 2 * gap, cell - 2 * gap, cell / 8);
    if (fill) {
      context.fillStyle = colours[fill];
      context.fill();
    }
    if (line) {
      context.strokeStyle = colours[line];
      context.stroke();
    }
    context.fillStyle = colours[ink];
    context.fillText(sign, x + cell / 2, y + cell * 0.54);
  });
}
