import { copy } from './vector';

// The lines of images [height,width] that an LSTM processes in turn: rows, or diagonals, where
// place i of line t lies in row i and column t - i, counted from the left or from the right.

/** The path of an LSTM. */
export const ROWS: usize = 0;
export const FROM_RIGHT: usize = 2;

export function linesOf(height: usize, width: usize, path: usize): usize {
  return path == ROWS ? height : height + width - 1;
}

export function placesOf(height: usize, width: usize, path: usize): usize {
  return path == ROWS ? width : height;
}

/** The number of taps of a kernel along a line that lie before the place itself. */
export function tapsBefore(columns: usize, path: usize): usize {
  return path == ROWS ? columns >> 1 : 1;
}

/** The pixel of a place, counted in the order of rows. */
export function pixelOf(t: usize, place: usize, width: usize, path: usize): usize {
  if (path == ROWS) return t * width + place;
  const column = t - place;
  return place * width + (path == FROM_RIGHT ? width - 1 - column : column);
}

/** The first place of a line that is a pixel. It never decreases from line to line. */
export function firstPlace(t: usize, width: usize, path: usize): usize {
  return path == ROWS ? 0 : max(t + 1, width) - width;
}

/** The place behind the last pixel of a line. */
export function endPlace(t: usize, height: usize, width: usize, path: usize): usize {
  return path == ROWS ? width : min(height, t + 1);
}

/** Copies a line of an image [height,width,features] into a padded one. */
export function padLine(
  to: usize, toBytes: usize, image: usize, t: usize,
  height: usize, width: usize, path: usize, features: usize, columns: usize,
): void {
  const bytes = features * 4, end = endPlace(t, height, width, path);
  memory.fill(to, 0, toBytes);
  for (let i = firstPlace(t, width, path); i < end; i++) {
    copy(to + (columns + i) * bytes, image + pixelOf(t, i, width, path) * bytes, bytes);
  }
}
