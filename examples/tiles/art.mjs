// What a map looks like: flat rectangles, 12 by 12 pixels a tile, for a canvas or for examples/lib/drawing.mjs.

import { around, BRIDGE, RIVER, ROAD, SIDE } from './tiles.mjs';

/** Pixels along a side of a tile. */
export const TILE_PIXELS = 12;

const [WATER, GRASS, PATH] = ['#4f9fdb', '#93c76b', '#d8b982'];
const peak = (light, dark) => [
  [light, 5, 2, 2, 8], [light, 4, 4, 2, 6], [light, 3, 6, 2, 4], [light, 2, 8, 2, 2],
  [dark, 6, 3, 1, 7], [dark, 7, 4, 1, 6], [dark, 8, 6, 1, 4], [dark, 9, 8, 1, 2],
]; // biome-ignore format: light and dark

/** Of each kind: the colour of the ground, and marks on it, each a colour, x, y, width and height. */
const LOOKS = [
  ['#2f74b5', ['#3b82c4', 2, 3, 4, 1], ['#3b82c4', 6, 8, 4, 1]], // deep water
  [WATER, ['#77bbed', 2, 3, 3, 1], ['#77bbed', 7, 8, 3, 1]], // water
  ['#efdca4', ['#dcc484', 3, 3, 1, 1], ['#dcc484', 8, 5, 1, 1], ['#dcc484', 4, 9, 1, 1]], // sand
  [GRASS, ['#7cb457', 3, 3, 1, 2], ['#7cb457', 8, 7, 1, 2]], // grass
  ['#7ab55e', ['#3f7f45', 3, 2, 6, 6], ['#3f7f45', 2, 3, 8, 4], ['#5a9c55', 4, 3, 2, 2], ['#7a5a3a', 5, 8, 2, 2]], // forest
  ['#a8a297', ...peak('#8a847a', '#6c675f')], // mountain
  ['#dfe8ef', ...peak('#ffffff', '#b9cad8')], // snow
  [GRASS, [WATER, 3, 3, 6, 6]], // river
  [GRASS, [PATH, 4, 4, 4, 4]], // road
  [GRASS, [WATER, 3, 0, 6, 12], ['#7d5230', 0, 3, 12, 6], ['#b98650', 0, 4, 12, 4], ...[1, 4, 7, 10].map((x) => ['#9a6b3e', x, 4, 1, 4])], // bridge
  [GRASS, ['#f6e8cb', 3, 6, 6, 4], ['#c9493b', 4, 2, 4, 2], ['#c9493b', 2, 4, 8, 2], ['#7d5230', 5, 7, 2, 3]], // house
  ['#e0bd55', ['#c29a38', 1, 2, 10, 1], ['#c29a38', 1, 5, 10, 1], ['#c29a38', 1, 8, 10, 1]], // field
]; // biome-ignore format: a kind a line

/** How rivers and roads go on: the colour and half the width, the kinds to which they do, and whether north and south are its edges. */
const WAYS = new Map([
  [RIVER, { fill: WATER, half: 3, to: [RIVER, BRIDGE], edges: [0, 2] }],
  [ROAD, { fill: PATH, half: 2, to: [ROAD, BRIDGE], edges: [1, 3] }],
]);

/**
 * The rectangles of a map, later ones over earlier ones.
 *
 * @param {ArrayLike<number>} map
 * @returns {{ x: number, y: number, width: number, height: number, fill: string }[]}
 */
export function shapesOf(map) {
  return Array.from(map).flatMap((tile, place) => {
    const [ground, ...marks] = LOOKS[tile];
    const [top, left] = [TILE_PIXELS * Math.floor(place / SIDE), TILE_PIXELS * (place % SIDE)];
    const whole = [ground, 0, 0, TILE_PIXELS, TILE_PIXELS];
    return [whole, ...marks, ...armsOf(map, place)].map(([fill, x, y, width, height]) => ({
      x: left + x,
      y: top + y,
      width,
      height,
      fill,
    }));
  });
}

/** From the middle of a river or road to each side on which it goes on. */
function armsOf(map, place) {
  const way = WAYS.get(map[place]);
  if (way === undefined) return [];
  const { fill, half, to, edges } = way;
  const middle = TILE_PIXELS / 2;
  const arms = [
    [middle - half, 0, 2 * half, middle],
    [middle, middle - half, middle, 2 * half],
    [middle - half, middle, 2 * half, middle],
    [0, middle - half, middle, 2 * half],
  ]; // above, right, below, left
  const goesOn = around(place).map((next, side) =>
    next === null ? edges.includes(side) : to.includes(map[next]),
  );
  return arms.filter((_, side) => goesOn[side]).map((arm) => [fill, ...arm]);
}
