// The kinds of tile, and what a map is: the numbers of 16x16 of them, row by row.

/** Rows and columns of a map. */
export const SIDE = 16;

/** The kinds by number. Land rises through the first seven, numbered by height; all that follows lies as high as grass. */
export const [DEEP, WATER, SAND, GRASS, FOREST, MOUNTAIN, SNOW, RIVER, ROAD, BRIDGE, HOUSE, FIELD] =
  Array(12).keys();
export const KINDS = 12;

/** What they are called, by number. */
export const NAMES = [
  ...['deep water', 'water', 'sand', 'grass', 'forest', 'mountain', 'snow'],
  ...['river', 'road', 'bridge', 'house', 'field'],
];

/** How high a tile lies. */
export const heightOf = (tile) => (tile > SNOW ? GRASS : tile);

/** The places above, to the right of, below and to the left of a place; null beyond the edge of the map. */
export const around = aroundIn(SIDE, SIDE);

/** The same on maps of another size. */
export function aroundIn(height, width) {
  return (place) => {
    const [row, column] = [Math.floor(place / width), place % width];
    return [
      row > 0 ? place - width : null,
      column < width - 1 ? place + 1 : null,
      row < height - 1 ? place + width : null,
      column > 0 ? place - 1 : null,
    ];
  };
}

/** The maps that lie one after the other in an array. */
export const mapsOf = (tiles) =>
  Array.from({ length: tiles.length / SIDE ** 2 }, (_, n) =>
    tiles.subarray(n * SIDE ** 2, (n + 1) * SIDE ** 2),
  );
