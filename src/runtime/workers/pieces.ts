/** Consecutive images. */
export interface Piece {
  /** The number of the first one. */
  readonly first: number;
  readonly count: number;
}

/** The k-th of pieces of nearly equal sizes. */
export function pieceAt(k: number, numPieces: number, numImages: number): Piece {
  const start = (k: number) => Math.floor((k * numImages) / numPieces);
  return { first: start(k), count: start(k + 1) - start(k) };
}
