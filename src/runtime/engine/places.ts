/**
 * Places of an image: each row r and column c for which r mod `every` is `row` and c mod `every` is
 * `column`. `every` is a power of two; `row` and `column` are 0 or half of it.
 */
export interface Places {
  readonly every: number;
  readonly row: number;
  readonly column: number;
}

export const placesOfScale = (scale: number): Places => ({ every: scale, row: 0, column: 0 });

export const EVERYWHERE: Places = /* @__PURE__ */ placesOfScale(1);

export const hasRow = ({ every, row }: Places, present: number): boolean => present % every === row;

export const hasColumn = ({ every, column }: Places, present: number): boolean => present % every === column;

/**
 * A key for the {@link Places} that a row or column belongs to, which depend only on how often it can be
 * halved. Returns the first row or column after 0 that belongs to them. `most` is their greatest `every`.
 */
export function firstAlike(position: number, most: number): number {
  const bits = position | most;
  return bits & -bits; // the lowest of them
}
