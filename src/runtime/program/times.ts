// When a feature is ready: once for each image, before each row, before a pixel, after a number of
// its channels, or after the row. Later times are greater numbers, so a result that depends on
// several features is ready at the greatest of their times.

/** Ready before the first pixel, and the same at every pixel. */
export const ONCE = -2;

/** Depends on rows above only: ready for all pixels of a row before its first one. */
export const ROW = -1;

/** Depends on later pixels of its row: ready once the last one is known, so only later rows can use it. */
export const AFTER_ROW = Infinity;
