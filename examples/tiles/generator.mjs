// Makes maps that keep all rules: land and sea, rivers from the mountains to the water, towns, and roads between them.
// None of it prefers a direction: a map that is turned or mirrored is as likely as before.

import { randomNumbers } from '../../kit/random.mjs';
import { brokenRules } from './rules.mjs';
import {
  aroundIn,
  BRIDGE,
  DEEP,
  FIELD,
  FOREST,
  GRASS,
  HOUSE,
  MOUNTAIN,
  RIVER,
  ROAD,
  SAND,
  SIDE,
  SNOW,
  WATER,
} from './tiles.mjs';

/** A world is wider than the map that is cut out of its middle: ways lead on over the edges of the map. */
const MARGIN = 8;
const WIDTH = SIDE + 2 * MARGIN;
const PLACES = [...Array(WIDTH ** 2).keys()];
const sidesOf = aroundIn(WIDTH, WIDTH);
const SIDES = PLACES.map((place) => sidesOf(place).filter((side) => side !== null));
const KIND_AT = [DEEP, WATER, SAND, GRASS, MOUNTAIN, SNOW];
const EDGE = PLACES.filter((place) => SIDES[place].length < 4);

/**
 * Makes maps of 1,024 tiles each. Map n of a seed does not depend on how many are made.
 *
 * @param {number} count
 * @param {number} seed
 * @returns {Uint8Array}
 */
export function makeMaps(count, seed) {
  const maps = new Uint8Array(count * SIDE * SIDE);
  for (let n = 0; n < count; n++) {
    const random = randomNumbers(`${seed}/${n}`);
    let map;
    do map = middleOf(makeWorld(random));
    while (brokenRules(map).length > 0); // rarely, where ways crowd
    maps.set(map, n * SIDE * SIDE);
  }
  return maps;
}

function makeWorld(random) {
  const world = Uint8Array.from(makeLand(random));
  for (let i = 0; i < 2; i++) layRiver(world, random);
  const towns = Array.from({ length: 5 }, () => foundTown(world, random)).filter((town) => town !== null);
  layRoads(world, towns, random);
  settle(world, towns, random);
  const woods = noise(random, 9);
  const trees = noise(random, 3);
  for (const place of PLACES) {
    if (world[place] === GRASS && 0.75 * woods[place] + 0.25 * trees[place] > 0.53) world[place] = FOREST;
  }
  return world;
}

/** Deep water to snow, in slopes of one step at most. */
function makeLand(random) {
  const [wide, middle, fine] = [17, 9, 4].map((wavelength) => noise(random, wavelength));
  const heights = PLACES.map((place) => {
    const height = 0.62 * wide[place] + 0.28 * middle[place] + 0.1 * fine[place];
    return [0.31, 0.39, 0.405, 0.64, 0.77].filter((step) => height > step).length; // up to 5, of snow
  });
  return levelled(heights);
}

/** The land at heights that are brought down until no slope is steeper than a step. */
function levelled(heights) {
  const level = [...heights];
  const queue = [...PLACES];
  for (const place of queue) {
    for (const side of SIDES[place]) {
      if (level[side] <= level[place] + 1) continue;
      level[side] = level[place] + 1;
      queue.push(side);
    }
  }
  return level.map((height) => KIND_AT[height]);
}

/** Smooth random numbers, 0 to 1: of a lattice of points, and in between. */
function noise(random, wavelength) {
  const size = Math.ceil(WIDTH / wavelength) + 2;
  const points = Array.from({ length: size ** 2 }, random);
  const [top, left] = [random(), random()];
  const ease = (x) => x * x * (3 - 2 * x);
  return PLACES.map((place) => {
    const [y, x] = [Math.floor(place / WIDTH) / wavelength + top, (place % WIDTH) / wavelength + left];
    const [row, column] = [Math.floor(y), Math.floor(x)];
    const mix = (a, b, share) => a + ease(share) * (b - a);
    const between = (at) => mix(points[at], points[at + 1], x - column);
    return mix(between(row * size + column), between((row + 1) * size + column), y - row);
  });
}

/** From a spring beside a mountain to a mouth beside water, or in from and out over the edge of the world. */
function layRiver(world, random) {
  const rough = noise(random, 5); // where it rather does not go
  const isBeside = (place, kind) => SIDES[place].some((side) => world[side] === kind);
  const isFree = (place) => [GRASS, SAND].includes(world[place]) && !isBeside(place, RIVER);
  const free = PLACES.filter(isFree);
  const end = (kind) =>
    pick(
      free.filter((place) => isBeside(place, kind)),
      random,
    ) ?? pick(EDGE.filter(isFree), random);
  const [spring, mouth] = [end(MOUNTAIN), end(WATER)];
  const shuns = (place) => [WATER, SAND, MOUNTAIN].some((kind) => isBeside(place, kind));
  const costs = PLACES.map((place) => (isFree(place) ? 0.2 + 3 * rough[place] + 4 * shuns(place) : Infinity));
  for (const place of wayBetween(
    spring,
    mouth,
    SIDES.map((sides) => sides.map((to) => [to, costs[to]])),
  ))
    world[place] = RIVER;
}

/** A street around a block of houses, where there is room; null where a few tries find none. */
function foundTown(world, random) {
  const integer = (from, to) => from + Math.floor(random() * (to - from + 1));
  for (let tries = 0; tries < 20; tries++) {
    const [height, width] = [integer(4, 6), integer(3, 4)].sort(() => random() - 0.5);
    const corner = integer(1, WIDTH - 8) * WIDTH + integer(1, WIDTH - 8);
    const rows = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);
    const block = (grown) =>
      rows(-grown, height + grown).flatMap((y) =>
        rows(-grown, width + grown).map((x) => corner + WIDTH * y + x),
      );
    if (block(1).some((place) => world[place] !== GRASS)) continue;
    const inner = new Set(block(-1));
    const street = block(0).filter((place) => !inner.has(place));
    for (const place of street) world[place] = ROAD;
    for (const place of inner) world[place] = HOUSE;
    return street;
  }
  return null;
}

/** From each town to the one after it, and from the first and last on over the edge of the world. */
function layRoads(world, towns, random) {
  const rough = noise(random, 5);
  const ends = [EDGE, ...towns, EDGE].map((places) =>
    pick(
      places.filter((place) => world[place] === GRASS || world[place] === ROAD),
      random,
    ),
  );
  const isRiver = (place) => world[place] === RIVER || world[place] === BRIDGE;
  const isDry = (place) => world[place] === GRASS || world[place] === ROAD;
  const cost = (place) => (world[place] === ROAD ? 0.2 : 1 + 4 * rough[place]);
  const steps = (from) =>
    sidesOf(from).flatMap((to, side) => {
      if (to === null) return [];
      if (isDry(to)) return [[to, cost(to)]];
      const [beyond, ...banks] = [side, side + 1, side + 3].map((turn) => sidesOf(to)[turn % 4]);
      const crosses =
        isRiver(to) && beyond !== null && isDry(beyond) && banks.every((bank) => world[bank] === RIVER);
      return crosses ? [[beyond, 4 + cost(beyond), to]] : [];
    });
  for (let i = 1; i < ends.length; i++) {
    for (const place of wayBetween(ends[i - 1], ends[i], PLACES.map(steps)))
      world[place] = isRiver(place) ? BRIDGE : ROAD;
  }
}

/** The cheapest way, all places of it; none where nothing leads there. The steps from each place: [to, cost, place that is crossed]. */
function wayBetween(from, to, steps) {
  if (from === undefined || to === undefined) return [];
  const costs = new Float64Array(WIDTH ** 2).fill(Infinity);
  const cameBy = []; // of each place, the places before it: one, or two where one is crossed
  costs[from] = 0;
  const queue = [from];
  for (const place of queue) {
    for (const [next, cost, ...crossed] of steps[place]) {
      const sum = costs[place] + cost;
      if (sum >= Math.min(costs[next], costs[to])) continue;
      costs[next] = sum;
      cameBy[next] = [...crossed, place];
      queue.push(next);
    }
  }
  if (costs[to] === Infinity) return [];
  const way = [to];
  while (way.at(-1) !== from) way.push(...cameBy[way.at(-1)]);
  return way;
}

/** Builds more houses on the grass beside the streets, and lays fields around them. */
function settle(world, towns, random) {
  const grassBeside = (places) =>
    places.flatMap((place) => SIDES[place]).filter((place) => world[place] === GRASS);
  for (const street of towns) {
    const isNear = (place) => distance(place, street[0]) < 9;
    const roads = PLACES.filter((place) => world[place] === ROAD && isNear(place));
    const houses = grassBeside(roads).filter(() => random() < 0.4);
    for (const place of houses) world[place] = HOUSE;
    for (const place of grassBeside([...houses, ...street])) if (random() < 0.6) world[place] = FIELD;
  }
}

const pick = (places, random) => places[Math.floor(random() * places.length)];

const distance = (a, b) =>
  Math.abs(Math.floor(a / WIDTH) - Math.floor(b / WIDTH)) + Math.abs((a % WIDTH) - (b % WIDTH));

function middleOf(world) {
  return world.filter((_, place) => {
    const [row, column] = [Math.floor(place / WIDTH), place % WIDTH];
    return [row, column].every((at) => at >= MARGIN && at < MARGIN + SIDE);
  });
}
