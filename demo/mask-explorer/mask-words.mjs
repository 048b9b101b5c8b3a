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
