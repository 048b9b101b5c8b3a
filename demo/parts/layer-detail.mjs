import { isSeen, sigmoid } from '../worker/evaluator.mjs';
import { radios } from './controls.mjs';
import { h } from './dom.mjs';
import { signedMap } from './signed-map.mjs';

/**
 * A network that decides about a pixel.
 *
 * @typedef {object} Net
 * @property {import('pixelcnn-layers/runtime').ProgramNode[]} nodes
 * @property {Map<string, import('pixelcnn-layers/runtime').Weight>} weights
 * @property {import('./gated-layers.mjs').Layer[]} layers
 * @property {number[][][]} values of each node, at each place, of each channel; NaN where they are not known yet
 * @property {number[]} scales of each node: the largest of these, without its sign
 * @property {number[][]} colours
 * @property {number} width of the picture
 * @property {number} pixel
 * @property {(level: number) => string} nameOf
 */

/** What a gate adds up: the kinds of layers that it reads, in words. */
const ADDED = { vertical: 'rows above', horizontal: 'own row', across: 'from vertical' };
/** What other layers without weights read. */
const READ = { add: ['what came in', 'from this block'], pointwise: ['input'] };

const number = (value) => (Number.isNaN(value) ? '?' : value.toFixed(3).replace('-', '−'));
const sum = (values) => values.reduce((total, value) => total + value, 0);
const largest = (values) => values.indexOf(Math.max(...values));

/** What a channel of a convolution adds up: for each channel before it, the weight, value and product of each tap. */
export function tapsOf({ nodes, weights, values, width, pixel }, node, channel) {
  const { input, kernel, window, size } = nodes[node];
  const [rows, columns] = window.kernelSize;
  const { data } = weights.get(kernel);
  const count = nodes[input].size;
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: rows * columns }, (_, tap) => {
      const [down, right] = [
        Math.floor(tap / columns) - window.anchor[0],
        (tap % columns) - window.anchor[1],
      ];
      const column = (pixel % width) + right;
      const weight = data[(tap * count + i) * size + channel];
      const isInside = column >= 0 && column < width; // else it is one of the zeros around the picture
      const value = (isInside && values[input][pixel + down * width + right]?.[i]) || 0;
      return { weight, value, product: weight * value, isSeen: isSeen(window.present, down, right) };
    }),
  );
}

/**
 * How a number of a layer is computed, to be seen; and in words.
 *
 * @param {Net} net
 * @param {import('./gated-layers.mjs').Layer} layer
 * @param {number} channel
 * @param {{ onOpen: (layer: number, channel: number, map: Element) => void, say: (words: string) => void }} options `onOpen`: the layer that
 * computed one of the numbers before it is asked for, by its index and by the map
 * @returns {HTMLElement[]} the map of the channel is in `.result`
 */
export function layerDetail(net, { kind, node, size, inputs }, channel, { onOpen, say }) {
  const { nodes, values, pixel, width, weights, layers } = net;
  const at = (node, channel) => values[node][pixel][channel];

  /** A map with the pixel marked, and a window where there is one. */
  function marked(node, channel, { anchor, kernelSize } = {}) {
    const canvas = signedMap(net, node, channel);
    const mark = ([up, left], [rows, columns]) => {
      const [y, x] = [Math.floor(pixel / width) - up, (pixel % width) - left];
      const of = (part, whole) => `${(100 * part) / whole}%`;
      const { height } = canvas;
      return h('i', {
        style: `inset: ${of(y, height)} auto auto ${of(x, width)}; width: ${of(columns, width)}; height: ${of(rows, height)}`,
      });
    };
    return h('div.marked', canvas, mark([0, 0], [1, 1]), anchor ? mark(anchor, kernelSize) : null);
  }

  /** A number and the map that it is in, which leads to the layer that computed it; of the class there is none. */
  function term(name, node, channel, window) {
    const words = [h('b', number(at(node, channel))), h('small', name)];
    const index = layers.findIndex((layer) => layer.node === node);
    if (index < 0) return h('div.term', ...words);
    const map = marked(node, channel, window);
    const onclick = () => onOpen(index, channel, map.firstChild);
    return h('button.term', { type: 'button', 'data-node': node, onclick }, map, ...words);
  }

  const row = (...parts) =>
    h('div.terms', ...parts.map((part) => (typeof part === 'string' ? h('span.operator', part) : part)));
  const plus = (terms) => terms.flatMap((one, i) => (i > 0 ? ['+', one] : one));
  const result = h(
    'div.term.result',
    marked(node, channel),
    h('b', number(at(node, channel))),
    h('small', `channel ${channel}`),
  );

  if (kind === 'image') return [row(result)];

  if (kind === 'gate') {
    const factors = [];
    const halves = ['tanh(a)', 'σ(b)'].map((name, i) => {
      const own = channel + i * size;
      const total = sum(inputs.map((input) => at(input, own)));
      factors[i] = number(i > 0 ? sigmoid(total) : Math.tanh(total));
      const terms = inputs.map((input) => {
        const before = layers.find((layer) => layer.node === input);
        return term(ADDED[before?.kind] ?? 'class', input, own);
      });
      return row(`${'ab'[i]} =`, ...plus(terms), `= ${number(total)}`, `${name} = ${factors[i]}`);
    });
    say(`tanh(a) · σ(b) is ${factors.join(' · ')} = ${number(at(node, channel))}.`);
    return [row(h('div', ...halves), '→', result)];
  }

  if (kind === 'softmax') {
    const logits = values[inputs[0]][pixel];
    const powers = logits.map((logit) => Math.exp(logit - Math.max(...logits)));
    const total = sum(powers);
    const line = (tag, ...parts) => h('tr', ...parts.map((part) => h(tag, part)));
    const lines = powers.map((power, o) =>
      line('td', net.nameOf(o), ...[logits[o], power, power / total].map(number)),
    );
    lines[channel].className = 'chosen';
    say(
      `${net.nameOf(channel)}: ${number(powers[channel])} ÷ ${number(total)}, the sum, is ${number(at(node, channel))}.`,
    );
    const head = line('th', 'Level', 'Logit', 'e^(logit − largest)', 'Chance');
    return [row(h('table.logits', head, ...lines), '→', result)];
  }

  if (kind in READ) {
    const all = inputs.map((input) => number(at(input, channel)));
    say(`${all[1] ? all.join(' + ') : `The larger of 0 and ${all}`} is ${number(at(node, channel))}.`);
    return [row(...plus(inputs.map((input, i) => term(READ[kind][i], input, channel))), '→', result)];
  }

  const { input, bias, window } = nodes[node];
  const taps = tapsOf(net, node, channel);
  const added = taps.map((all) => sum(all.map((tap) => (tap.isSeen ? tap.product : 0))));
  const chosen = h('div');
  const strip = radios(
    'What each input channel adds',
    added.map((value, i) => ({
      value: String(i),
      label: h('div.term', signedMap(net, input, i), h('b', number(value))),
    })),
    { className: 'strip', onchange: () => show(Number(strip.value)) },
  );
  function show(i) {
    const table = (caption, key) => tableOf(caption, taps[i], key, window);
    chosen.replaceChildren(
      row(
        term(`input channel ${i}`, input, i, window),
        table('Kernel', 'weight'),
        '×',
        table('Window', 'value'),
        '=',
        table('Products', 'product'),
      ),
    );
    const count = taps[i].filter((tap) => tap.isSeen).length;
    const own = `sum of ${count} product${count === 1 ? '' : 's'}, ${number(added[i])}`;
    const whole =
      added.length === 1
        ? `The ${own}`
        : `Input channel ${i} adds the ${own}. All ${added.length} together, ${number(sum(added))}`;
    const offset = bias === null ? 0 : weights.get(bias).data[channel];
    say(`${whole}, plus bias ${number(offset)} is ${number(at(node, channel))}.`);
  }
  const first = largest(added.map(Math.abs));
  strip.value = String(first);
  show(first);
  strip.element.hidden = added.length === 1;
  return [row(chosen, '→', result), strip.element];
}

/** One number of each tap; what the mask hides is struck out. */
function tableOf(caption, taps, key, { kernelSize: [, columns] }) {
  const most = Math.max(1e-9, ...taps.map((tap) => Math.abs(tap[key])));
  const cells = taps.map(({ [key]: value, isSeen }) =>
    isSeen
      ? h(value < 0 ? 'td.negative' : 'td', { style: `--share: ${Math.abs(value) / most}` }, number(value))
      : h('td.masked', key === 'weight' ? h('s', number(value)) : ''),
  );
  const rows = taps.flatMap((_, i) => (i % columns > 0 ? [] : h('tr', ...cells.slice(i, i + columns))));
  return h('table.taps', { style: `--columns: ${columns}` }, h('caption', caption), ...rows);
}
