// Makes maps that keep all rules: a river, a road with a bridge over it, villages, and land that rises and falls between.

import seedrandom from 'seedrandom';
import { brokenRules } from './rules.mjs';
import { around, BRIDGE, FIELD, GRASS, HOUSE, RIVER, ROAD, SIDE, SNOW } from './tiles.mjs';

/**
 * Makes maps of 256 tiles each. Map n of a seed does not depend on how many are made.
 *
 * @param {number} count
 * @param {number} seed
 * @returns {Uint8Array}
 */
export function makeMaps(count, seed) {
  const maps = new Uint8Array(count * SIDE * SIDE);
  for (let n = 0; n < count; n++) {
    const random = seedrandom.alea(`${seed}/${n}`);
    let map;
    do map = tryMap(random);
    while (brokenRules(map).length > 0);
    maps.set(map, n * SIDE * SIDE);
  }
  return maps;
}

/** A map, nearly always with a road or a river. It breaks rules where the two meet beside the bridge too. */
function tryMap(random) {
  const integer = (from, to) => from + Math.floor(random() * (to - from + 1));
  const [row, column] = [integer(3, 12), integer(3, 12)]; // of the bridge
  const [hasRoad, hasRiver] = [integer(1, 5) > 1, integer(1, 5) > 1];
  const along = (start, aside) => [
    [start, aside],
    ...walk(integer, start, aside, -1),
    ...walk(integer, start, aside, 1),
  ];
  const road = hasRoad ? along(column, row).map(([x, y]) => SIDE * y + x) : [];
  const river = hasRiver ? along(row, column).map(([y, x]) => SIDE * y + x) : [];

  const map = Uint8Array.from(landAround([...road, ...river], random));
  for (const place of river) map[place] = RIVER;
  for (const place of road) map[place] = ROAD;
  if (hasRoad && hasRiver) map[SIDE * row + column] = BRIDGE;
  if (hasRoad) settle(map, road, integer);
  return map;
}

/** A way from the bridge to an edge of the map, in steps along it with occasional turns aside: [along, aside]. */
function walk(integer, start, startAside, step) {
  const way = [];
  let aside = startAside;
  let straight = 0; // steps since the last turn: two at least, so that the way does not touch itself
  for (let along = start + step; along >= 0 && along < SIDE; along += step) {
    way.push([along, aside]);
    straight += 1;
    const isAtEdge = along === 0 || along === SIDE - 1;
    if (straight < 2 || isAtEdge || integer(1, 4) > 1) continue;
    const target = Math.min(SIDE - 2, Math.max(1, aside + integer(-3, 3)));
    while (aside !== target) {
      aside += Math.sign(target - aside);
      way.push([along, aside]);
    }
    straight = 0;
  }
  return way;
}

/** Heights of all places: of grass where there are ways, and between them hills and lakes, in slopes of one step at most. */
function landAround(ways, random) {
  const hills = hillsOf(random);
  const isWay = new Set(ways);
  const lowest = spread(
    hills.map((_, place) => (isWay.has(place) ? GRASS : 0)),
    Math.max,
    -1,
  );
  return spread(
    hills.map((height, place) => (isWay.has(place) ? GRASS : Math.max(height, lowest[place]))),
    Math.min,
    1,
  );
}

/**
 * The maximum, or minimum, at each place of the heights of all places, changed by `slope` with each step from there.
 */
function spread(heights, most, slope) {
  const spreading = [...heights];
  for (const places of [[...heights.keys()], [...heights.keys()].reverse()]) {
    // from the north-west, and back
    for (const place of places) {
      for (const side of around(place)) {
        if (side !== null) spreading[place] = most(spreading[place], spreading[side] + slope);
      }
    }
  }
  return spreading;
}

/** Random heights at each fifth row and column, with straight slopes between, rounded. */
function hillsOf(random) {
  const corners = Array.from({ length: 5 * 5 }, () => 10 * random() - 2);
  return Array.from({ length: SIDE * SIDE }, (_, place) => {
    const [y, x] = [Math.floor(place / SIDE) / 5, (place % SIDE) / 5];
    const [row, column] = [Math.floor(y), Math.floor(x)];
    const between = (corner) => corners[corner] + (x - column) * (corners[corner + 1] - corners[corner]);
    const [upper, lower] = [between(5 * row + column), between(5 * (row + 1) + column)];
    return Math.min(SNOW, Math.max(0, Math.round(upper + (y - row) * (lower - upper))));
  });
}

/** Builds houses on the grass beside two stretches of the road, and lays fields beside them. */
function settle(map, road, integer) {
  const isGrass = (place) => map[place] === GRASS;
  for (const centre of [1, 2].map(() => road[integer(0, road.length - 1)])) {
    const plots = road
      .filter((place) => distance(place, centre) <= 4)
      .flatMap(around)
      .filter(isGrass);
    for (const plot of plots) if (integer(1, 3) > 1) map[plot] = HOUSE;
    const gardens = plots
      .filter((plot) => map[plot] === HOUSE)
      .flatMap(around)
      .filter(isGrass);
    for (const garden of gardens) if (integer(1, 3) > 1) map[garden] = FIELD;
  }
}

const distance = (a, b) =>
  Math.abs(Math.floor(a / SIDE) - Math.floor(b / SIDE)) + Math.abs((a % SIDE) - (b % SIDE));
