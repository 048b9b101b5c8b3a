// What a map looks like: flat rectangles, 12 by 12 pixels a tile, for a canvas or for kit/pictures/drawing.mjs.

import { around, BRIDGE, RIVER, ROAD, SAND, SIDE, WATER } from './tiles.mjs';

/** Pixels along a side of a tile. */
export const TILE_PIXELS = 12;

const [SEA, SHALLOW] = ['#2b6cb0', '#4795d6'];
const [BEACH, GREEN, ROCK, ICE, PATH] = ['#f2dfa7', '#8fc866', '#a39c90', '#d3dce2', '#e3c48d'];

const peak = (light, dark, cap) => [
  [dark, 6, 2, 1, 9], [dark, 7, 4, 1, 7], [dark, 8, 5, 1, 6], [dark, 9, 7, 1, 4], [dark, 10, 9, 1, 2],
  [light, 5, 2, 1, 9], [light, 4, 4, 1, 7], [light, 3, 5, 1, 6], [light, 2, 7, 1, 4], [light, 1, 9, 1, 2],
  [cap, 5, 2, 2, 2], [cap, 4, 4, 3, 1],
]; // biome-ignore format: light and dark
const tree = (x, y) => [
  ['#6b4a2c', x + 2, y + 5, 1, 2], ['#2f6b3c', x + 1, y, 3, 5], ['#2f6b3c', x, y + 1, 5, 3], ['#4c9150', x + 1, y + 1, 2, 1],
]; // biome-ignore format: a line
const roof = '#c4442f';
const house = (x, y) => [
  ['#fbeed3', x + 1, y + 4, 6, 4], [roof, x + 2, y, 4, 2], [roof, x + 1, y + 1, 6, 2], [roof, x, y + 2, 8, 2],
  ['#8e2f22', x, y + 4, 8, 1], ['#6d4526', x + 3, y + 5, 2, 3],
]; // biome-ignore format: a line
const crop = (light, dark) => [[light, 0, 0, 12, 12], ...[1, 4, 7, 10].map((y) => [dark, 0, y, 12, 1])];

/** Of each kind: the colour of the ground, and marks on it, each a colour, x, y, width and height, in two variants. */
const LOOKS = [
  [SEA, [['#3a7dc0', 2, 3, 4, 1]], [['#3a7dc0', 6, 8, 4, 1]]], // deep water
  [SHALLOW, [['#6db2e6', 2, 4, 3, 1]], [['#6db2e6', 7, 7, 3, 1]]], // water
  [BEACH, [['#dcc386', 3, 4, 1, 1], ['#dcc386', 8, 8, 1, 1]], [['#dcc386', 7, 3, 1, 1]]], // beach
  [GREEN, [['#76b150', 3, 3, 1, 2], ['#76b150', 5, 4, 1, 1]], [['#76b150', 8, 7, 1, 2]]], // grass
  [GREEN, [...tree(0, 0), ...tree(6, 4)], [...tree(6, 0), ...tree(1, 5)]], // forest
  [ROCK, peak('#8c857a', '#6a645b', '#b9b3a8'), peak('#8c857a', '#6a645b', '#b9b3a8')], // mountain
  [ICE, peak('#eef3f7', '#a9bac8', '#ffffff'), peak('#eef3f7', '#a9bac8', '#ffffff')], // snow
  [GREEN, [], []], // river
  [GREEN, [], []], // road
  [GREEN, [], []], // bridge
  [GREEN, house(2, 2), house(2, 3)], // house
  [GREEN, crop('#e2bd4f', '#c29a38'), crop('#b9c455', '#98a540')], // field
]; // biome-ignore format: a kind a line

/** How rivers and roads go on: the colour and half the width, and to which kinds. */
const WAYS = new Map([
  [RIVER, { fill: SHALLOW, half: 3, to: [RIVER, BRIDGE, WATER] }],
  [ROAD, { fill: PATH, half: 2, to: [ROAD, BRIDGE] }],
]);

/** A bridge from west to east. */
const PLANKS = [
  [SHALLOW, 3, 0, 6, 12], ['#6d4526', 0, 3, 12, 6], ['#b98650', 0, 4, 12, 4],
  ...[2, 5, 8, 11].map((x) => ['#96683b', x, 4, 1, 4]),
]; // biome-ignore format: two lines

/** The steps of a rounded corner, from the edge inward: each a y, a height and a width. */
const STEPS = [[0, 1, 6], [1, 1, 4], [2, 1, 3], [3, 1, 2], [4, 2, 1]]; // biome-ignore format: one line

/** The corners between above and right, right and below, below and left, left and above. */
const CORNERS = [[1, 0], [1, 1], [0, 1], [0, 0]].map(([right, below]) =>
  STEPS.map(([y, height, width]) => [right * (12 - width), below ? 12 - y - height : y, width, height]),
); // biome-ignore format: two lines

/** The ground of a tile; a river flows over the beach where it meets the water. */
const groundOf = (map, place) => {
  const tile = map[place];
  const isBeach = tile === RIVER && around(place).some((side) => [SAND, WATER].includes(map[side]));
  return isBeach ? BEACH : LOOKS[tile][0];
};

/**
 * The rectangles of a map, later ones over earlier ones.
 *
 * @param {ArrayLike<number>} map
 * @returns {{ x: number, y: number, width: number, height: number, fill: string }[]}
 */
export function shapesOf(map) {
  const grounds = Array.from(map, (_, place) => groundOf(map, place));
  return Array.from(map).flatMap((tile, place) => {
    const [row, column] = [Math.floor(place / SIDE), place % SIDE];
    const shapes = [
      [grounds[place], 0, 0, TILE_PIXELS, TILE_PIXELS],
      ...coastsOf(grounds, place),
      ...LOOKS[tile][1 + ((row + (column >> 1)) % 2)],
      ...waysOf(map, place),
    ];
    return shapes.map(([fill, x, y, width, height]) => ({
      x: TILE_PIXELS * column + x,
      y: TILE_PIXELS * row + y,
      width,
      height,
      fill,
    }));
  });
}

/** Corners are rounded where two neighbours have another ground. */
function coastsOf(grounds, place) {
  const own = grounds[place];
  const sides = around(place).map((side) => grounds[side]);
  return CORNERS.flatMap((steps, side) => {
    const [one, other] = [sides[side], sides[(side + 1) % 4]];
    return one === other && one !== own && one !== undefined ? steps.map((step) => [one, ...step]) : [];
  });
}

/** From the middle of a river or road to each side on which it goes on, and a bridge over the river. */
function waysOf(map, place) {
  const sides = around(place).map((side) => map[side]);
  if (map[place] === BRIDGE) {
    const [above, right, below, left] = sides;
    const isAcross = [left, right].includes(ROAD) || [above, below].includes(RIVER);
    return isAcross ? PLANKS : PLANKS.map(([fill, x, y, width, height]) => [fill, y, x, height, width]);
  }
  const way = WAYS.get(map[place]);
  if (way === undefined) return [];
  const { fill, half, to } = way;
  const [start, middle] = [TILE_PIXELS / 2 - half, TILE_PIXELS / 2];
  const arms = [
    [start, 0, 2 * half, middle + half],
    [start, start, middle + half, 2 * half],
    [start, start, 2 * half, middle + half],
    [0, start, middle + half, 2 * half],
  ]; // above, right, below, left
  const goesOn = (kinds) => arms.filter((_, side) => kinds.includes(sides[side]));
  const within = goesOn(to);
  const beyond = within.length < 2 ? goesOn([undefined]) : []; // over the edge of the map
  return [[start, start, 2 * half, 2 * half], ...within, ...beyond].map((arm) => [fill, ...arm]);
}
