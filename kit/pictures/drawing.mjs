import { PNG } from 'pngjs';
import { dotsOf, LETTER } from './letters.mjs';

/**
 * A picture of rectangles and lines of text, on white, later ones above earlier ones. Positions and sizes are
 * whole pixels.
 *
 * @typedef {{ x: number, y: number, width: number, height: number, fill: string }} Rectangle `fill` is '#rrggbb'
 * @typedef {{ x: number, y: number, text: string, fill: string }} Line `x` is its middle, `y` its top
 * @typedef {{ width: number, height: number, title: string, shapes: (Rectangle | Line)[] }} Drawing
 */

/** Side of a letter's dot. */
const DOT = 2;

/** Height of a line of text without descenders. */
export const TEXT_HEIGHT = DOT * LETTER.height;

/** Width of a line of text. */
export const textWidth = (text) => DOT * (text.length * LETTER.width - 1);

/**
 * @param {Drawing} drawing
 * @returns {string}
 */
export function svgOf({ width, height, title, shapes }) {
  const elements = shapes.map((shape) => ('text' in shape ? svgText(shape) : svgRectangle(shape)));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<title>${title}</title>
<rect width="${width}" height="${height}" fill="white"/>
${elements.join('\n')}
</svg>
`;
}

const svgRectangle = ({ x, y, width, height, fill }) =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}"/>`;

const svgText = ({ x, y, text, fill }) =>
  `<text x="${x}" y="${y + TEXT_HEIGHT}" fill="${fill}" font-family="sans-serif" font-size="18" text-anchor="middle">${text}</text>`;

/**
 * @param {Drawing} drawing
 * @returns {Buffer}
 */
export function pngOf({ width, height, shapes }) {
  const png = new PNG({ width, height });
  png.data.fill(255);
  for (const shape of shapes) {
    if (!('text' in shape)) paint(png, shape);
    else {
      const left = shape.x - Math.round(textWidth(shape.text) / 2);
      for (const [x, y] of dotsOf(shape.text)) {
        paint(png, { x: left + x * DOT, y: shape.y + y * DOT, width: DOT, height: DOT, fill: shape.fill });
      }
    }
  }
  return PNG.sync.write(png);
}

function paint(png, { x, y, width, height, fill }) {
  const colour = [1, 3, 5].map((at) => Number.parseInt(fill.slice(at, at + 2), 16));
  for (let row = y; row < y + height; row++) {
    for (let column = x; column < x + width; column++) png.data.set(colour, (row * png.width + column) * 4);
  }
}
