import { isSeen, sigmoid } from '../worker/evaluator.mjs';

/**
 * A gated network that decides about a pixel; and what it would compute if one earlier pixel were another.
 *
 * @typedef {object} Net
 * @property {readonly import('pixelcnn-layers/runtime').ProgramNode[]} nodes
 * @property {number} output the node of the logits
 * @property {ReadonlyMap<string, import('pixelcnn-layers/runtime').Weight>} weights
 * @property {number[][][]} values of each node, at each place, of each channel; NaN where they are not known yet
 * @property {number[][][]} others the same, if that pixel were another
 * @property {number} width of the picture
 * @property {number} pixel
 *
 * @typedef {{ node: number, place: number, channel: number }} Spot a number in the network
 * @typedef {{ place: number, amount: number, weight: number, from: Spot }} Tap a place in a window: what the change there adds, the number there that
 * adds most, and that one's weight
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

/** The gates of the blocks, whose sum the layers after them read. */
export function gatesOf({ nodes, output }) {
  let node = output;
  while (nodes[node].op !== 'add') node = nodes[node].input;
  return termsOf(nodes, node).map((mix) => nodes[mix].input);
}

/** Whether a node is the same at every pixel: it tells of the class. */
function isOfClass(nodes, node) {
  const { op, input } = nodes[node];
  return op === 'condition' || (typeof input === 'number' && isOfClass(nodes, input));
}

/** By how much each number of a node changes. */
export function changeOf({ values, others }, node, place) {
  return values[node][place].map((value, i) => value - others[node][place][i]);
}

/** What a gate multiplies: what is found, and how much of it passes; as it is, and as it would be. */
export function gateOf({ nodes, values, others }, { node, place, channel }) {
  const { input, size } = nodes[node];
  return [values, others].map(({ [input]: { [place]: sums } }) => [
    Math.tanh(sums[channel]),
    sigmoid(sums[channel + size]),
  ]);
}

/**
 * The blocks, whose sum the layers after them read: how much of the change of one level's lead over another each makes, and each channel of its gate.
 * This is exact: a ReLU between them counts as the straight line from what it was to what it is.
 *
 * @param {Net} net
 * @param {number} level
 * @param {number} rival
 * @returns {{ node: number, amount: number, channels: number[] }[]} `node` is the gate
 */
function blocksOf(net, level, rival) {
  const { nodes, values, pixel, output } = net;
  let pull = only(nodes[output].size, level).map((one, o) => one - Number(o === rival));
  let node = output;
  for (; nodes[node].op !== 'add'; node = nodes[node].input) {
    if (nodes[node].op === 'conv') pull = pulledBack(net, node, pull);
    else {
      const [from, to] = [nodes[node].input, node].map((node) => changeOf(net, node, pixel));
      pull = pull.map((x, i) => x * (from[i] ? to[i] / from[i] : Number(values[node][pixel][i] > 0)));
    }
  }
  return termsOf(nodes, node).map((mix) => {
    const { input } = nodes[mix];
    const change = changeOf(net, input, pixel);
    const channels = pulledBack(net, mix, pull).map((weight, k) => weight * change[k]);
    return { node: input, amount: sum(channels), channels };
  });
}

/**
 * The places that one half of a gate is computed from, by the windows of one convolution or two.
 *
 * @param {Net} net
 * @param {Spot} gate
 * @param {number} half 0 or 1, of {@link gateOf}
 * @returns {Tap[]}
 */
function windowOf(net, gate, half) {
  const { nodes, width } = net;
  const channel = gate.channel + half * nodes[gate.node].size;
  /** By place: what the change adds there, by the input. @type {Map<number, { amount: number, weight: number, from: Spot }[]>} */
  const places = new Map();
  for (const node of termsOf(nodes, nodes[gate.node].input)) {
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
      const change = changeOf(net, input, place);
      const parts = pulledBack(net, conv, pull, tap).map((weight, i) => ({
        amount: weight * change[i],
        weight,
        from: { node: input, place, channel: i },
      }));
      places.set(place, [...(places.get(place) ?? []), ...parts]);
    }
  }
  return [...places].map(([place, parts]) => {
    const amounts = parts.map(({ amount }) => amount);
    return { ...parts[most(amounts)], place, amount: sum(amounts) };
  });
}

/** The gate that makes most of the change of a number; null where that is a pixel. */
function gateBehind(net, { node, place, channel }) {
  const { nodes } = net;
  if (nodes[node].op === 'image') return null;
  if (nodes[node].op === 'gate') return { node, place, channel };
  const mixes = termsOf(nodes, node);
  const mix = mixes[most(mixes.map((mix) => changeOf(net, mix, place)[channel]))];
  const { input, size } = nodes[mix];
  const change = changeOf(net, input, place);
  const parts = pulledBack(net, mix, only(size, channel)).map((weight, k) => weight * change[k]);
  return { node: input, place, channel: most(parts) };
}

/**
 * From the answer back to the pixel that is another, each time to what changes most because of it.
 *
 * @param {Net} net
 * @param {number} level
 * @param {number} rival the level that it is compared with
 */
export function trailOf(net, level, rival) {
  const blocks = blocksOf(net, level, rival);
  const block = most(blocks.map(({ amount }) => amount));
  const { node, channels } = blocks[block];
  const channel = most(channels);
  const hops = [];
  for (let gate = { node, place: net.pixel, channel }; gate !== null; ) {
    const [[found, open], [otherFound, otherOpen]] = gateOf(net, gate);
    const half = most([(found - otherFound) * (open + otherOpen), (open - otherOpen) * (found + otherFound)]);
    const taps = windowOf(net, gate, half);
    const tap = taps[most(taps.map(({ amount }) => amount))];
    hops.push({ gate, half, taps, tap });
    gate = gateBehind(net, tap.from);
  }
  return { blocks, block, channel, hops };
}
