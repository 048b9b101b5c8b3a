// The rules of neighbourhood, which every map of the generator keeps, and where other maps break them. A map is part of
// a larger world: what lies beyond its edge may be anything that keeps a rule.

import { around, BRIDGE, FIELD, HOUSE, heightOf, MOUNTAIN, RIVER, ROAD, SIDE, WATER } from './tiles.mjs';

/** The rules, by name. */
export const RULES = {
  slope: 'Land rises and falls step by step: deep water, water, beach, land, mountain, snow',
  road: 'A road is one tile wide, and has no dead end',
  river: 'A river never forks, and ends only at a mountain or in water',
  bridge: 'A bridge takes a road straight over a river',
  house: 'A house stands beside a road',
  field: 'A field lies beside a house or a road',
};

const isRoad = (tile) => tile === ROAD || tile === BRIDGE;
const isRiver = (tile) => tile === RIVER || tile === BRIDGE;
const isBeyond = (tile) => tile === undefined;
const isRoadOrBeyond = (tile) => isBeyond(tile) || isRoad(tile);
const isRiverOrBeyond = (tile) => isBeyond(tile) || tile === RIVER;
const count = (tiles, isThat) => tiles.filter(isThat).length;

/** Whether a tile breaks a rule, by those above, right, below and left of it, and those right of and below the last two. */
const TILE_RULES = {
  road: (tile, sides, [right, below, corner]) =>
    isRoad(tile) &&
    ((tile === ROAD && count(sides, isRoadOrBeyond) < 2) || [right, below, corner].every(isRoad)),
  river: (tile, sides) =>
    tile === RIVER &&
    (count(sides, isRiver) > 2 ||
      count(sides, isRiver) +
        count(sides, isBeyond) +
        sides.some((side) => [WATER, MOUNTAIN].includes(side)) <
        2),
  bridge: (tile, [above, right, below, left]) =>
    tile === BRIDGE &&
    ![
      [above, below, left, right],
      [left, right, above, below],
    ].some(
      ([from, to, ...banks]) =>
        [from, to].every((side) => isBeyond(side) || side === ROAD) && banks.every(isRiverOrBeyond),
    ),
  house: (tile, sides) => tile === HOUSE && !sides.some((side) => isBeyond(side) || side === ROAD),
  field: (tile, sides) =>
    tile === FIELD && !sides.some((side) => isBeyond(side) || side === ROAD || side === HOUSE),
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
    const places = around(place);
    const [, right, below] = places; // each pair once
    const corner = right === null || below === null ? null : below + 1;
    const sides = places.map((side) => map[side]);
    const block = [right, below, corner].map((side) => map[side]);
    for (const [rule, isBroken] of Object.entries(TILE_RULES)) {
      if (isBroken(map[place], sides, block)) broken.push({ rule, places: [place] });
    }
    for (const side of [right, below]) {
      if (side !== null && Math.abs(heightOf(map[place]) - heightOf(map[side])) > 1)
        broken.push({ rule: 'slope', places: [place, side] });
    }
  }
  return broken;
}
