import { indexOf, placeAt } from './order.mjs';

/**
 * What the output at a place depends on.
 *
 * @typedef {object} Field
 * @property {Uint8Array} layers for each value of the image, through how many layers it is first seen; 0 where it never is
 * @property {(index: number) => Stop[]} pathTo the way from the output down to a value that is seen, one stop a layer
 */

/** @typedef {{ row: number, column: number, stack: number }} Stop stack -1 is the image */

/**
 * The receptive field, by arithmetic on sets: what the output reads of the layer below, what that reads of the one below it, and so on down to the image.
 *
 * @param {import('./networks.mjs').Network} network
 * @param {import('./order.mjs').Place} place
 * @param {import('./networks.mjs').Size} size of the image
 * @returns {Field}
 */
export function fieldOf(network, place, size) {
  const count = size.height * size.width * size.channels;
  const layers = new Uint8Array(count);
  const descents = network.layers.map((_, top) => descend(network.layers.slice(0, top + 1), place, size));
  descents.forEach((levels, top) => {
    for (const node of levels.at(-1).nodes) layers[node] ||= top + 1;
  });

  const pathTo = (index) => {
    if (layers[index] === 0) return [];
    const levels = descents[layers[index] - 1];
    const stops = [];
    let node = index;
    for (let level = levels.length - 1; level >= 0; level--) {
      const { row, column } = placeAt(node % count, size);
      stops.unshift({ row, column, stack: level === levels.length - 1 ? -1 : Math.floor(node / count) });
      node = levels[level].above[node];
    }
    return stops;
  };
  return { layers, pathTo };
}

/**
 * What is read on the way from the output down to the image: a level for the output and each layer below. A node is a value's index, plus the number of
 * values for each stack before its own.
 */
function descend(layers, place, size) {
  const count = size.height * size.width * size.channels;
  const level = () => ({ nodes: [], above: new Int32Array(2 * count).fill(-1) });
  const levels = [level()];
  levels[0].nodes.push(indexOf(place, size)); // of stack 0
  for (const convs of layers.toReversed()) {
    const below = level();
    for (const node of levels.at(-1).nodes) {
      const stack = Math.floor(node / count);
      const { row, column, channel } = placeAt(node % count, size);
      for (const { to, from, taps } of convs) {
        if (to !== stack) continue;
        for (const tap of taps[channel]) {
          const at = { row: row + tap.row, column: column + tap.column, channel: tap.channel };
          if (at.row < 0 || at.column < 0 || at.column >= size.width) continue; // padding; no mask looks below
          const read = from * count + indexOf(at, size);
          if (below.above[read] !== -1) continue;
          below.above[read] = node;
          below.nodes.push(read);
        }
      }
    }
    levels.push(below);
  }
  return levels;
}
