import { copy } from './vector';
import { PIXELS } from './window';

// The lines that an LSTM goes along, of images [height,width]: rows, or diagonals, where place i of each lies in row i and
// column t - i, or from the right t - (height - 1 - i).

/** The path of an LSTM. */
export const ROWS: usize = 0;
export const FROM_RIGHT: usize = 2;

export function linesOf(height: usize, width: usize, path: usize): usize {
  return path == ROWS ? height : height + width - 1;
}

export function placesOf(height: usize, width: usize, path: usize): usize {
  return path == ROWS ? width : height;
}

/** The pixel of a place, counted in the order of rows. */
export function pixelOf(t: usize, place: usize, height: usize, width: usize, path: usize): usize {
  if (path == ROWS) return t * width + place;
  return place * width + (path == FROM_RIGHT ? t + place - (height - 1) : t - place);
}

/** The first place of a line that is a pixel. */
export function firstPlace(t: usize, height: usize, width: usize, path: usize): usize {
  if (path == ROWS) return 0;
  if (path == FROM_RIGHT) return height - 1 - min(t, height - 1);
  return max(t + 1, width) - width;
}

/** Behind the last of them. */
export function endPlace(t: usize, height: usize, width: usize, path: usize): usize {
  if (path == ROWS) return width;
  return min(height, path == FROM_RIGHT ? height + width - 1 - t : t + 1);
}

export function paddedBytes(places: usize, features: usize, columns: usize): usize {
  return (places + columns - 1 + PIXELS) * features * 4;
}

/** Copies a line of an image [height,width,features] into a padded one, with so many columns before it. */
export function padLine(
  to: usize, toBytes: usize, image: usize, t: usize,
  height: usize, width: usize, path: usize, features: usize, columns: usize,
): void {
  const bytes = features * 4, end = endPlace(t, height, width, path);
  memory.fill(to, 0, toBytes);
  for (let i = firstPlace(t, height, width, path); i < end; i++) {
    copy(to + (columns + i) * bytes, image + pixelOf(t, i, height, width, path) * bytes, bytes);
  }
}
