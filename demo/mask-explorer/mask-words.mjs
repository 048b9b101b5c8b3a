const WORDS = {
  A: 'Mask A is for the first layer, which reads the image. It hides the pixel itself, which is the answer.',
  B: 'Mask B is for later layers. Mask A has kept the pixel out of what these read, so they may look at its place, too.',
};
const VERTICAL_WORDS = {
  A: 'The vertical stack reads whole rows above. The current row is left to the horizontal stack.',
  B: 'What the first layer found comes from rows above only, so later layers may read it in the current row, too.',
};

/**
 * What a mask is for.
 *
 * @param {'plain' | 'horizontal' | 'vertical'} stack
 * @param {'A' | 'B'} maskType
 */
export const maskWords = (stack, maskType) => (stack === 'vertical' ? VERTICAL_WORDS : WORDS)[maskType];

/**
 * Whether a weight is used, and why.
 *
 * @param {ReturnType<import('./mask.mjs').maskOf>} mask
 * @param {'plain' | 'horizontal' | 'vertical'} stack
 * @param {number} row
 * @param {number} column
 */
export function weightWords({ rows, columns, values }, stack, row, column) {
  const isUsed = values[row * columns + column] === 1;
  const isCurrentRow = row === rows >> 1;
  let reason = `it is drawn ${isUsed ? 'before' : 'later'}`;
  if (stack === 'vertical' && isCurrentRow)
    reason = isUsed ? 'features here know only rows above' : 'the horizontal stack reads this row';
  else if (isCurrentRow && column === columns >> 1)
    reason = isUsed ? 'features here do not know the pixel itself' : 'this is the pixel to predict';
  return `${isUsed ? 'used' : 'hidden'}, because ${reason}`;
}
