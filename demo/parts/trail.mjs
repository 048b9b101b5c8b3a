import { isSeen } from '../worker/evaluator.mjs';

/**
 * A gated network that decides about a pixel.
 *
 * @typedef {object} Net
 * @property {readonly import('pixelcnn-layers/runtime').ProgramNode[]} nodes
 * @property {number} output the node of the logits
 * @property {ReadonlyMap<string, import('pixelcnn-layers/runtime').Weight>} weights
 * @property {number[][][]} values of each node, at each place, of each channel; NaN where they are not known yet
 * @property {number} width of the picture
 * @property {number} pixel
 *
 * @typedef {{ node: number, place: number, channel: number }} Spot a number in the network
 * @typedef {{ place: number, amount: number, from: Spot }} Tap what a window adds up at a place; and the number there that adds most
 */

const sum = (values) => values.reduce((total, value) => total + value, 0);

/** One for one output, and nothing for the others. */
const only = (size, channel) => Array.from({ length: size }, (_, o) => Number(o === channel));

/** The index of what contributes most to a sum: the largest number of its sign. */
function most(values) {
  const sign = sum(values) < 0 ? -1 : 1;
  const signed = values.map((value) => sign * value);
  return signed.indexOf(Math.max(...signed));
}

/** The terms of a sum, however it is nested. */
function termsOf(nodes, node) {
  return nodes[node].op === 'add' ? nodes[node].inputs.flatMap((input) => termsOf(nodes, input)) : [node];
}

/** How much each input of a convolution counts, at one tap of its kernel, where each output counts as much as `pull` says. */
function pulledBack({ nodes, weights }, conv, pull, tap = 0) {
  const { kernel, size, input } = nodes[conv];
  const { data } = weights.get(kernel);
  const count = nodes[input].size;
  return Array.from({ length: count }, (_, i) =>
    sum(pull.map((weight, o) => weight * data[(tap * count + i) * size + o])),
  );
}

/** Whether a node is the same at every pixel: it tells of the class. */
export function isOfClass(nodes, node) {
  const { op, input } = nodes[node];
  return op === 'condition' || (typeof input === 'number' && isOfClass(nodes, input));
}

/**
 * What is added up for one half of a gate.
 *
 * @param {Net} net
 * @param {Spot} gate
 * @param {0 | 1} half what was found, or how much of it goes on
 * @returns {{ node: number, channel: number, value: number }[]}
 */
export function halfOf({ nodes, values }, { node, place, channel }, half) {
  const own = channel + half * nodes[node].size;
  return termsOf(nodes, nodes[node].input).map((node) => ({
    node,
    channel: own,
    value: values[node][place][own],
  }));
}

/**
 * The blocks, whose sum the layers after them read: how much each adds to the lead of one level over another, and each channel of its gate, of which
 * `value` is the number and `weight` how much it counts. This is exact: what these layers make of this sum is a ReLU's share of it, and linear.
 *
 * @param {Net} net
 * @param {number} level
 * @param {number} rival
 * @returns {{ node: number, amount: number, channels: { value: number, weight: number }[] }[]} `node` is the gate
 */
function blocksOf(net, level, rival) {
  const { nodes, values, pixel, output } = net;
  let pull = only(nodes[output].size, level).map((one, o) => one - Number(o === rival));
  let node = output;
  for (; nodes[node].op !== 'add'; node = nodes[node].input) {
    if (nodes[node].op === 'conv') pull = pulledBack(net, node, pull);
    else pull = pull.map((x, i) => (values[node][pixel][i] > 0 ? x : 0));
  }
  return termsOf(nodes, node).map((mix) => {
    const { input } = nodes[mix];
    return {
      node: input,
      amount: sum(pull.map((x, i) => x * values[mix][pixel][i])),
      channels: pulledBack(net, mix, pull).map((weight, k) => ({ weight, value: values[input][pixel][k] })),
    };
  });
}

/**
 * The places that the first half of a gate is computed from, by the windows of one convolution or two.
 *
 * @param {Net} net
 * @param {Spot} gate
 * @returns {Tap[]}
 */
function windowOf(net, gate) {
  const { nodes, values, width } = net;
  /** By place: what is added up there, by the input. @type {Map<number, (Spot & { amount: number })[]>} */
  const places = new Map();
  for (const { node, channel } of halfOf(net, gate, 0)) {
    if (isOfClass(nodes, node)) continue;
    let [conv, pull] = [node, only(nodes[node].size, channel)];
    if (nodes[nodes[conv].input].op === 'conv') {
      pull = pulledBack(net, conv, pull); // what the vertical stack found comes over
      conv = nodes[conv].input;
    }
    const { input, window } = nodes[conv];
    const [rows, columns] = window.kernelSize;
    for (let tap = 0; tap < rows * columns; tap++) {
      const [down, right] = [
        Math.floor(tap / columns) - window.anchor[0],
        (tap % columns) - window.anchor[1],
      ];
      const column = (gate.place % width) + right;
      const place = gate.place + down * width + right;
      if (!isSeen(window.present, down, right) || column < 0 || column >= width || place < 0) continue;
      const parts = pulledBack(net, conv, pull, tap).map((weight, i) => ({
        ...{ node: input, place, channel: i },
        amount: weight * values[input][place][i],
      }));
      places.set(place, [...(places.get(place) ?? []), ...parts]);
    }
  }
  return [...places].map(([place, parts]) => {
    const amounts = parts.map(({ amount }) => amount);
    return { place, amount: sum(amounts), from: parts[most(amounts)] };
  });
}

/** The gate that makes most of a number; null where that is a pixel. */
function gateBehind(net, { node, place, channel }) {
  const { nodes, values } = net;
  if (nodes[node].op === 'image') return null;
  if (nodes[node].op === 'gate') return { node, place, channel };
  const mixes = termsOf(nodes, node);
  const mix = mixes[most(mixes.map((mix) => values[mix][place][channel]))];
  const { input, size } = nodes[mix];
  const parts = pulledBack(net, mix, only(size, channel)).map(
    (weight, k) => weight * values[input][place][k],
  );
  return { node: input, place, channel: most(parts) };
}

/**
 * From the answer back to the picture, each time to what contributes most.
 *
 * @param {Net} net
 * @param {number} level
 * @param {number} rival the level that it is compared with
 */
export function trailOf(net, level, rival) {
  const blocks = blocksOf(net, level, rival);
  const block = most(blocks.map(({ amount }) => amount));
  const { node, channels } = blocks[block];
  const channel = most(channels.map(({ value, weight }) => value * weight));
  const hops = [];
  for (let gate = { node, place: net.pixel, channel }; gate !== null; ) {
    const taps = windowOf(net, gate);
    const tap = taps[most(taps.map(({ amount }) => amount))];
    hops.push({ gate, taps, tap });
    gate = tap ? gateBehind(net, tap.from) : null; // the first pixel has none before it
  }
  return { blocks, block, channel, hops };
}
