import { h } from '../parts/dom.mjs';
import { choice } from './choice.mjs';
import { colourButtons } from './colour-buttons.mjs';
import { fieldOf } from './field.mjs';
import { shortWords } from './field-words.mjs';
import { layerSlider } from './layer-slider.mjs';
import { lookAt, sentenceOf } from './look.mjs';
import { gatedNetwork, plainNetwork } from './networks.mjs';
import { placeByKey } from './order.mjs';
import { pixelGrid } from './pixel-grid.mjs';
import { stepsLegend } from './steps-legend.mjs';

const IMAGE = { height: 9, width: 13 };
const STEPS = [
  ['First', 'Home', '«'],
  ['Previous', 'p', '‹'],
  ['Next', 'n', '›'],
  ['Last', 'End', '»'],
];

/**
 * Steps through an image value by value, and shows layer by layer what a plain and a gated network see.
 *
 * @returns {HTMLElement}
 */
export function stepsPart() {
  const chosen = { channels: 1, firstKernelSize: 7, numBlocks: 3 };
  let place = { row: 7, column: 6, channel: 0 };
  let layer = 4;
  let isAsking = false; // arrow keys and clicks ask about a pixel, instead of moving the one computed
  /** @type {{ row: number, column: number } | null} */
  let asked = null;

  const sentence = h('p.mask-sentence', { 'aria-live': 'polite' });
  const colours = colourButtons((channel) => moveTo({ ...place, channel }));
  const slider = layerSlider((value) => {
    layer = value;
    show();
  });
  const views = [
    viewOf('Plain stack', plainNetwork),
    viewOf('Gated network: a vertical and a horizontal stack', gatedNetwork),
  ];

  function viewOf(title, build) {
    const counts = h('strong');
    const answer = h('span.mask-answer');
    const grid = pixelGrid({
      label: title,
      size: IMAGE,
      onKey: (key) => press(key, grid),
      onPick: (at) => {
        if (isAsking) ask(at);
        else moveTo({ ...place, ...at });
        grid.focus(at);
      },
      onPoint: (at) => {
        if (at !== null || !isAsking) ask(at); // in asking, the last answer stays
      },
    });
    const caption = h('figcaption', counts, answer);
    const figure = h('figure', h('h4', title), grid.root, caption);
    return { figure, grid, counts, answer, build, network: null, field: null };
  }

  function press(key, grid) {
    const isArrow = key.startsWith('Arrow');
    const next = placeByKey(isAsking && isArrow ? { ...place, ...asked } : place, key, sizeOf());
    if (next === null) return false;
    if (isAsking && isArrow) ask({ row: next.row, column: next.column });
    else moveTo(next);
    grid.focus(isAsking && isArrow ? asked : place);
    return true;
  }

  function sizeOf() {
    return { ...IMAGE, channels: chosen.channels };
  }

  function ask(at) {
    asked = at;
    show();
  }

  function moveTo(next) {
    place = next;
    asked = null;
    compute();
  }

  function compute() {
    for (const view of views) {
      view.network = view.build(chosen);
      view.field = fieldOf(view.network, place, sizeOf());
    }
    show();
  }

  function show() {
    const size = sizeOf();
    const numLayers = chosen.numBlocks + 1;
    const options = { place, size, layer, asked, numLayers };
    const looks = views.map(({ network, field }) => lookAt(network, field, options));
    views.forEach(({ grid, counts, answer }, index) => {
      const look = looks[index];
      grid.show(look.picture, { place, layer, asked, path: look.path, active: (isAsking && asked) || place });
      counts.textContent = shortWords(look.picture);
      answer.textContent = look.answer;
    });
    const [plain, gated] = looks;
    const text = sentenceOf(plain, gated, options);
    if (sentence.textContent !== text) sentence.textContent = text; // said once
    colours.show(place, size.channels);
    slider.show(layer, numLayers, chosen.firstKernelSize);
  }

  function choose(changes) {
    const wasLast = layer === chosen.numBlocks + 1;
    Object.assign(chosen, changes);
    const numLayers = chosen.numBlocks + 1;
    layer = wasLast ? numLayers : Math.min(layer, numLayers);
    place = { ...place, channel: Math.min(place.channel, chosen.channels - 1) };
    compute();
  }

  const offer = (legend, key, options) =>
    choice({ legend, options, value: chosen[key], onChange: (value) => choose({ [key]: value }) });
  const controls = h(
    'div.mask-controls',
    offer('First kernel', 'firstKernelSize', [3, 5, 7].map((size) => [`${size}×${size}`, size])), // biome-ignore format: one line
    offer('Blocks of 3×3', 'numBlocks', [0, 1, 2, 3, 4, 5, 6].map((n) => [`${n}`, n])), // biome-ignore format: one line
    offer('Image', 'channels', [['grey', 1], ['colour', 3]]), // biome-ignore format: one line
    choice({
      legend: 'Clicks and arrow keys',
      options: [['move the pixel', false], ['ask about one', true]], // biome-ignore format: one line
      value: isAsking,
      onChange: (value) => {
        isAsking = value;
        ask(value ? asked : null);
      },
    }),
  );
  const buttons = STEPS.map(([name, key, sign]) => {
    const onclick = () => moveTo(placeByKey(place, key, sizeOf()));
    return h('button', { type: 'button', onclick, 'aria-label': `${name} value`, title: `${name} value` }, h('span', { 'aria-hidden': 'true' }, sign), name); // biome-ignore format: one line
  });
  const steps = h('div.mask-steps', { role: 'group', 'aria-label': 'In drawing order' }, ...buttons); // biome-ignore format: one line

  compute();
  return h(
    'div',
    controls,
    h('div.mask-bar', steps, colours.root, slider.root),
    sentence,
    h('div.mask-figures', ...views.map(({ figure }) => figure)),
    stepsLegend(),
  );
}
