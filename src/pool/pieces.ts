/** The images of a job that one worker processes at a time. */
export interface Piece {
  readonly first: number;
  readonly count: number;
}

/** Images in a piece of a large job: no more than this are computed together, so larger pieces would not be faster. */
const MAX_IMAGES = 32;

/** Smaller pieces take notably longer for each image, since weights are reread for few images. */
const MIN_IMAGES = 8;

/** Pieces for each worker, so that little is left to do when the first workers finish. */
const PIECES_OF_A_WORKER = 4;

/**
 * Splits images, with a number of particles each, into pieces of about the same size; one for each worker if there are
 * few. An array would do for them, but there may be millions.
 */
export function cut(numImages: number, workers: number, numParticles = 1) {
  const balanced = Math.ceil(numImages / (PIECES_OF_A_WORKER * workers));
  const shared = Math.ceil(numImages / workers);
  const max = Math.ceil(MAX_IMAGES / numParticles);
  const min = Math.ceil(MIN_IMAGES / numParticles);
  const size = Math.min(shared, max, Math.max(min, balanced));
  const length = Math.ceil(numImages / size);
  const start = (k: number) => Math.floor((k * numImages) / length);
  return { length, at: (k: number): Piece => ({ first: start(k), count: start(k + 1) - start(k) }) };
}

/** The values of a piece's images, `size` each, copied so that only these are sent. */
export const sliced = <Values extends { slice(from: number, to: number): Values }>(
  { first, count }: Piece,
  all: Values,
  size: number,
): Values => all.slice(first * size, (first + count) * size);
