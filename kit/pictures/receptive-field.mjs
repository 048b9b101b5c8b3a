/**
 * The receptive field of a model at a pixel.
 *
 * @typedef {object} Field
 * @property {number[][]} seen places [row, column, channel]
 * @property {number[][]} blindSpot
 * @property {number} row of the pixel predicted
 * @property {number} column
 * @property {number} height of the image
 * @property {number} width
 */

const SIDE = 18; // of a pixel
const COLOURS = { seen: '#7fa3dc', blind: '#c0563b', other: '#eceff4', later: '#ffffff', here: '#143e8c' };

/**
 * The kind of a pixel: 'here', 'seen', 'blind' (in the window, earlier, not seen), 'other' (earlier, beyond), 'later'.
 */
function kindOf({ seen, blindSpot, row, column }, r, c) {
  const holds = (places) => places.some(([i, j]) => i === r && j === c);
  if (r === row && c === column) return 'here';
  if (holds(seen)) return 'seen';
  if (holds(blindSpot)) return 'blind';
  return r < row || (r === row && c < column) ? 'other' : 'later';
}

/**
 * A field as text, one line a row: # seen, o blind, . earlier but beyond the window, @ the pixel itself.
 *
 * @param {Field} field
 * @returns {string}
 */
export function fieldText(field) {
  const signs = { here: '@', seen: '#', blind: 'o', other: '.', later: ' ' };
  return Array.from({ length: field.height }, (_, r) =>
    Array.from({ length: field.width }, (_, c) => signs[kindOf(field, r, c)])
      .join('')
      .trimEnd(),
  ).join('\n');
}

/**
 * A field as a picture.
 *
 * @param {Field} field
 * @returns {string} SVG
 */
export function fieldSvg(field) {
  const { height, width } = field;
  const squares = Array.from({ length: height * width }, (_, i) => {
    const [r, c] = [Math.floor(i / width), i % width];
    const fill = COLOURS[kindOf(field, r, c)];
    return `<rect x="${c * SIDE + 1}" y="${r * SIDE + 1}" width="${SIDE - 2}" height="${SIDE - 2}" fill="${fill}" stroke="#c9d0da"/>`;
  });
  const [w, h] = [width * SIDE, height * SIDE];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}">
<title>Pixels seen (blue) and not seen (red) before the dark one is predicted</title>
<rect width="${w}" height="${h}" fill="white"/>
${squares.join('\n')}
</svg>
`;
}
