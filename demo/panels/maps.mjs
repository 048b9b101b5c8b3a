import { RULES } from '../../examples/tiles/rules.mjs';
import { KINDS, NAMES, SIDE } from '../../examples/tiles/tiles.mjs';
import { addressOf, addressReader, onAddress, readAddress } from '../parts/address-state.mjs';
import { button, radios, slider } from '../parts/controls.mjs';
import { h, whenNear } from '../parts/dom.mjs';
import { levelsOfText, textOfLevels } from '../parts/levels-text.mjs';
import { linkButton } from '../parts/link-button.mjs';
import { AGAIN, inWords, mapEditor, TILES } from '../parts/map-editor.mjs';
import { freshSeed } from '../parts/random.mjs';
import { taskRunner } from '../parts/task.mjs';
import { toggle } from '../parts/toggle.mjs';
import { workerClient } from '../parts/worker-client.mjs';

const SIZE = SIDE ** 2;
const FIRST_SEED = 143;
const TEMPERATURES = { min: 0.1, max: 1.5, step: 0.1 };
const FIRST_TEMPERATURE = 0.8;
const FIRST_BRUSH = String(NAMES.indexOf('mountain'));

/** The model draws from the top row to the bottom row. For it to go on over an edge, the map is turned: its new tiles are then the last rows. */
const EDGES = {
  north: { key: 'ArrowUp', sign: '↑', rows: -8, columns: 0, orientation: 2 },
  west: { key: 'ArrowLeft', sign: '←', rows: 0, columns: -8, orientation: 6 },
  east: { key: 'ArrowRight', sign: '→', rows: 0, columns: 8, orientation: 4 },
  south: { key: 'ArrowDown', sign: '↓', rows: 8, columns: 0, orientation: 0 },
};

/**
 * Maps: a picture of kinds of tile instead of shades, to paint with all of them, and the rules that it keeps.
 *
 * @param {HTMLElement} root
 */
export function mountMaps(root) {
  const task = taskRunner({ onChange: update });
  const editor = mapEditor({
    client: workerClient(),
    task,
    hint: 'Paint here. Shift and an arrow key move on.',
    brush: () => (brush.value === AGAIN ? AGAIN : Number(brush.value)),
    temperature: () => temperature.input.valueAsNumber,
    isOn: ({ rule }) => rules.find((one) => one.rule === rule).input.checked,
    onShow: tell,
  });
  const { grid } = editor;
  const brush = radios(
    'Brush',
    [AGAIN, ...NAMES.keys()].map((kind) => ({ value: String(kind), label: brushOf(kind) })),
    { className: 'tools' },
  );
  brush.value = FIRST_BRUSH;
  const edges = Object.entries(EDGES).map(([name, edge]) => {
    const element = button(
      edge.sign,
      () => task.restart((signal) => editor.go(signal, edge)),
      `button.edge.${name}`,
    );
    element.setAttribute('aria-label', `Move ${name}`);
    return element;
  });
  const fresh = button('New map', () => task.restart((signal) => editor.drawNew(signal, freshSeed())), 'button.primary'); // biome-ignore format: one line
  const mend = button('Mend flaws', () => task.run(editor.mend));
  const link = linkButton('Copy link', { address: present });
  const temperature = slider('Temperature', {
    ...TEMPERATURES,
    value: FIRST_TEMPERATURE,
    say: (x) => x.toFixed(1),
  });
  temperature.input.addEventListener('input', () => editor.soon(editor.drawNew));
  const headline = h('p.headline', { role: 'status' });
  const rules = Object.entries(RULES).map(([rule, text]) => {
    const { element, input } = toggle(text, { isOn: true, onchange: editor.judge });
    const count = h('span.rule-count');
    return { rule, input, count, row: h('li', element, count) };
  });
  root.append(
    h(
      'div.work.even.bench',
      h('div.controls', h('div.editor', h('div.world', ...edges, grid.element), brush.element)),
      h(
        'div.stage',
        headline,
        task.element,
        h('div.buttons', fresh, mend, link.element),
        link.answer,
        root.querySelector('.hint'),
        h('ul.rules', ...rules.map(({ row }) => row)),
        temperature.element,
      ),
    ),
  );
  grid.element.addEventListener('keydown', moveOn, true); // before the grid acts on it
  update();
  onAddress(root.id, open);
  const asked = readAddress(root.id);
  if (asked !== null) open(asked);
  else whenNear(root, () => editor.map ?? task.run((signal) => editor.drawNew(signal, FIRST_SEED)));

  function update() {
    const { isBusy } = task;
    mend.disabled = isBusy || editor.broken.length === 0;
    link.element.disabled = editor.map === null;
    for (const edge of edges) edge.disabled = editor.map === null;
  }

  /** Says what the map that is shown breaks. */
  function tell() {
    link.clear();
    headline.replaceChildren('This map: ', h('strong', inWords(editor.broken.length)));
    for (const { rule, input, count, row } of rules) {
      const times = editor.broken.filter((breach) => breach.rule === rule).length;
      row.className = times === 0 ? '' : 'broken';
      count.textContent = !input.checked ? 'off' : times === 0 ? 'kept' : `broken ${times}×`;
    }
    update();
  }

  /** The map of an address; what is wrong with it is said, and left out. */
  function open(query) {
    return task.restart(async (signal) => {
      const address = addressReader(query);
      temperature.set(address.number('temperature', TEMPERATURES) ?? FIRST_TEMPERATURE);
      const tiles = address.read('tiles', `those of ${SIZE} tiles`, (text) => {
        const values = levelsOfText(text, { levels: KINDS, size: SIZE });
        return values?.length === SIZE ? Uint8Array.from(values) : null;
      });
      task.fail(address.complaint);
      if (tiles === null) return editor.drawNew(signal, FIRST_SEED);
      editor.open(tiles);
      task.say('The map you asked for.');
    });
  }

  function present() {
    return addressOf(root.id, { temperature: temperature.input.value, tiles: textOfLevels([...editor.map]) });
  }

  function moveOn(event) {
    const edge = event.shiftKey && edges.find((_, i) => Object.values(EDGES)[i].key === event.key);
    if (!edge) return;
    event.preventDefault();
    event.stopPropagation();
    edge.click();
  }
}

function brushOf(kind) {
  if (kind === AGAIN)
    return h('span', h('i.swatch.rubber', { 'aria-hidden': 'true' }), h('span.tool-name.rubber', 'redraw'));
  TILES[kind].className = 'swatch';
  return h('span', TILES[kind], h('span.tool-name', NAMES[kind]));
}
