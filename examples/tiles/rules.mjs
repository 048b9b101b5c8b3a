// The rules of neighbourhood, which every map of the generator keeps, and where other maps break them.

import { around, BRIDGE, FIELD, HOUSE, heightOf, RIVER, ROAD, SIDE } from './tiles.mjs';

/** The rules, by name. */
export const RULES = {
  slope:
    'Neighbours differ in height by one step at most: deep water, water, sand, grass, forest, mountain, snow',
  road: 'A road goes on, without fork or end, to the west and east edges',
  river: 'A river flows on, without fork or end, to the north and south edges',
  bridge: 'A bridge takes a road, from west to east, over a river',
  house: 'A house stands beside a road',
  field: 'A field lies beside a house',
};

const isRoad = (tile) => tile === ROAD || tile === BRIDGE;
const isRiver = (tile) => tile === RIVER || tile === BRIDGE;

/** Whether a way goes on to two sides: `ahead` it may also leave the map, where a tile is undefined; `aside` it may not. */
const goesOn = (isWay, ahead, aside) =>
  ahead.filter((tile) => tile === undefined || isWay(tile)).length + aside.filter(isWay).length === 2;

/** Whether a tile breaks a rule, by those above, right, below and left of it. */
const TILE_RULES = {
  road: (tile, [above, right, below, left]) =>
    tile === ROAD && !goesOn(isRoad, [left, right], [above, below]),
  river: (tile, [above, right, below, left]) =>
    tile === RIVER && !goesOn(isRiver, [above, below], [left, right]),
  bridge: (tile, [above, right, below, left]) =>
    tile === BRIDGE && !(left === ROAD && right === ROAD && above === RIVER && below === RIVER),
  house: (tile, sides) => tile === HOUSE && !sides.includes(ROAD),
  field: (tile, sides) => tile === FIELD && !sides.includes(HOUSE),
};

/**
 * Each time that a map breaks a rule: the rule's name, and the places of the tiles that do.
 *
 * @param {ArrayLike<number>} map
 * @returns {{ rule: keyof typeof RULES, places: number[] }[]}
 */
export function brokenRules(map) {
  const broken = [];
  for (let place = 0; place < SIDE * SIDE; place++) {
    const sides = around(place).map((side) => map[side]);
    for (const [rule, isBroken] of Object.entries(TILE_RULES)) {
      if (isBroken(map[place], sides)) broken.push({ rule, places: [place] });
    }
    const [, right, below] = around(place); // each pair once
    for (const side of [right, below]) {
      if (side !== null && Math.abs(heightOf(map[place]) - heightOf(map[side])) > 1)
        broken.push({ rule: 'slope', places: [place, side] });
    }
  }
  return broken;
}
