// The kinds of tile, and what a map is: the numbers of 32x32 of them, row by row.

/** Rows and columns of a map. */
export const SIDE = 32;

/** The kinds by number. */
export const [DEEP, WATER, SAND, GRASS, FOREST, MOUNTAIN, SNOW, RIVER, ROAD, BRIDGE, HOUSE, FIELD] =
  Array(12).keys();
export const KINDS = 12;

/** What they are called, by number. */
export const NAMES = [
  ...['deep water', 'water', 'beach', 'grass', 'forest', 'mountain', 'snow'],
  ...['river', 'road', 'bridge', 'house', 'field'],
];

/** How high a tile lies. Rivers cut through land of any height. */
export const heightOf = (tile) => [0, 1, 2, 3, 3, 4, 5, undefined, 3, 3, 3, 3][tile];

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

/**
 * A map in one of eight orientations: rows exchanged with columns if the number has 4 in it, upside down if it has 2,
 * mirrored if it has 1. Applied in this order; `turnedBack` undoes it.
 */
export const turned = (map, orientation) => map.map((_, place) => map[origin(place, orientation)]);

/** The map of which this one is `turned`. */
export function turnedBack(map, orientation) {
  const original = map.slice();
  for (const [place, tile] of map.entries()) original[origin(place, orientation)] = tile;
  return original;
}

/** Where the tile at a place of a turned map comes from. */
function origin(place, orientation) {
  const flip = (at, bit) => (orientation & bit ? SIDE - 1 - at : at);
  const [row, column] = [flip(Math.floor(place / SIDE), 2), flip(place % SIDE, 1)];
  return orientation & 4 ? column * SIDE + row : row * SIDE + column;
}
