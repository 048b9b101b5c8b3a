/** Rows above a spot, and columns on each side of it. */
const [ABOVE, BESIDE] = [4, 3];
const COLUMNS = 2 * BESIDE + 1;

/** What is shown around a spot, [height, width, channels], and where in it the spot is. */
export const [PATCH, SPOT] = [[ABOVE + 1, COLUMNS, 1], ABOVE * COLUMNS + BESIDE];

/** The levels around a spot, 0 outside the picture. */
export function patchOf(levels, width, place) {
  const corner = [Math.floor(place / width) - ABOVE, (place % width) - BESIDE];
  return Array.from({ length: (ABOVE + 1) * COLUMNS }, (_, k) => {
    const [row, column] = [corner[0] + Math.floor(k / COLUMNS), corner[1] + (k % COLUMNS)];
    const isInside = row >= 0 && column >= 0 && column < width;
    return isInside ? levels[row * width + column] : 0;
  });
}
