/**
 * Places of an image where something is done: each row r and column c for which r mod `every` is `row` and c mod
 * `every` is `column`. `every` is a power of two, of which `row` and `column` are nothing or half.
 */
export interface Places {
  readonly every: number;
  readonly row: number;
  readonly column: number;
}

/** The places of maps that have features at every so many rows and columns only. */
export const placesOfScale = (scale: number): Places => ({ every: scale, row: 0, column: 0 });

/** All places. */
export const EVERYWHERE: Places = /* @__PURE__ */ placesOfScale(1);

/** Whether a row is one of places. */
export const hasRow = ({ every, row }: Places, present: number): boolean => present % every === row;

/** Whether a column is one of places. */
export const hasColumn = ({ every, column }: Places, present: number): boolean => present % every === column;

/**
 * The first row, or column, but 0, that belongs to the same places as one: what tells rows apart is how often they can be
 * halved. `most` is the greatest `every` of these places.
 */
export function alike(position: number, most: number): number {
  const bits = position | most;
  return bits & -bits; // the lowest of them
}
