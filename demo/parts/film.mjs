import { GIFEncoder } from 'gifenc';
import { pageLook } from './pictures.mjs';

/** Pixels of the film along a side, about; how many pictures it has; and for how long each is seen, in milliseconds, and the last. */
const [SIDE, STEPS, DELAY, LAST] = [320, 60, 60, 2500];
const BLANK = [220, 217, 208];

/**
 * A film of a picture that is drawn pixel by pixel, again and again: a GIF.
 *
 * @param {ArrayLike<number>} values levels
 * @param {import('./pictures.mjs').Kind} kind
 * @returns {Blob}
 */
export function filmOf(values, kind) {
  const [rows, columns] = kind.shape;
  const cell = Math.max(1, Math.floor(SIDE / columns));
  const [width, height] = [columns * cell, rows * cell];
  const look = pageLook(kind);
  const palette = [...Array.from({ length: kind.levels }, (_, level) => look([level], 0)), BLANK];
  const film = GIFEncoder();
  for (let step = 1; step <= STEPS; step++) {
    const shown = Math.round((values.length * step) / STEPS);
    const colours = Uint8Array.from({ length: width * height }, (_, point) => {
      const [y, x] = [Math.floor(point / width / cell), Math.floor((point % width) / cell)];
      const pixel = y * columns + x;
      return pixel < shown ? values[pixel] : kind.levels;
    });
    film.writeFrame(colours, width, height, { palette, delay: step < STEPS ? DELAY : LAST });
  }
  film.finish();
  return new Blob([film.bytes()], { type: 'image/gif' });
}
