// A goal that is no tile: that a road connects two places.

import { aroundIn, BRIDGE, ROAD, SIDE } from './tiles.mjs';

const FORK = 6; // nats that it costs if a road can go on only from a fork, which is rare

/**
 * Whether roads and bridges lead from one place to another.
 *
 * @param {ArrayLike<number>} map
 * @param {number} from
 * @param {number} to
 * @param {readonly [number, number]} [size] rows and columns
 */
export const isConnected = (map, from, to, [height, width] = [SIDE, SIDE]) =>
  roadFrom(map, from, map.length - 1, aroundIn(height, width)).has(to);

/**
 * A log weight of maps so far, for `potential` of `sample`: 0 if two places are connected or their roads can still meet,
 * less if one of them would have to fork, and -Infinity if they can no longer be connected.
 *
 * @type {(from: number, to: number) => import('pixelcnn-layers').Potential}
 */
export const connection =
  (from, to) =>
  (map, [row, column], [height, width]) => {
    const last = row * width + column;
    const sidesOf = aroundIn(height, width);
    const road = roadFrom(map, from, last, sidesOf);
    if (road.has(to)) return 0;
    const other = roadFrom(map, to, last, sidesOf);
    return wayOn(road, from, last, sidesOf) + wayOn(other, to, last, sidesOf);
  };

/** The same for `adjust`, tile by tile: adds to log p of each kind what the map would then weigh. */
export const towards = (potential) => (logProbs, place, tiles, imageShape) => {
  const [height, width] = imageShape;
  const numMaps = tiles.length / (height * width);
  const kinds = logProbs.length / numMaps;
  for (let n = 0; n < numMaps; n++) {
    const map = tiles.slice(n * height * width, (n + 1) * height * width);
    for (let kind = 0; kind < kinds; kind++) {
      map[place[0] * width + place[1]] = kind;
      logProbs[n * kinds + kind] += potential(map, place, imageShape);
    }
  }
};

/** The places up to `last` to which roads and bridges lead from a place, itself among them. */
function roadFrom(map, start, last, sidesOf) {
  const isPart = (place) => place !== null && place <= last && (map[place] === ROAD || map[place] === BRIDGE);
  const road = new Set([start].filter(isPart));
  for (const place of road) for (const side of sidesOf(place)) if (isPart(side)) road.add(side); // and on from there
  return road;
}

/** 0 if the road of a place can go on after `last`, -FORK if only from a fork, -Infinity if nowhere. */
function wayOn(road, place, last, sidesOf) {
  if (place > last) return 0;
  let way = -Infinity;
  for (const tile of road) {
    const sides = sidesOf(tile);
    if (!sides.some((side) => side > last)) continue;
    const ways = sides.filter((side) => side === null || road.has(side)).length;
    if (ways < 2) return 0;
    way = -FORK;
  }
  return way;
}
