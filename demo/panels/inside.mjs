import { MODELS, sizeOf } from '../catalogue.mjs';
import { addressOf, addressReader, onAddress, readAddress } from '../parts/address-state.mjs';
import { button, radios, slider } from '../parts/controls.mjs';
import { colour, h, keepFocus, onThemeChange, whenNear } from '../parts/dom.mjs';
import { KINDS, layersOf } from '../parts/gated-layers.mjs';
import { layerDetail } from '../parts/layer-detail.mjs';
import { levelsOfText } from '../parts/levels-text.mjs';
import { linkButton } from '../parts/link-button.mjs';
import { percent, shadeName } from '../parts/odds.mjs';
import { pageLook } from '../parts/pictures.mjs';
import { pixelGrid } from '../parts/pixel-grid.mjs';
import { isMotionReduced } from '../parts/replay.mjs';
import { signedColour, signedColours, signedMap } from '../parts/signed-map.mjs';
import { taskRunner } from '../parts/task.mjs';
import { whenCalm } from '../parts/when-calm.mjs';
import { workerClient } from '../parts/worker-client.mjs';

/** What is opened: a gated network of one-channel images, with a picture that it drew. The pixel is where it begins. */
export const SHOWN = {
  model: 'syllables-gated',
  condition: 10_588, // han
  picture: '0G10N110C10C10A10D1E0010M10010J1C0E1A010M10M10M10C110N10M10E10F1G0Z0E',
  pixel: 123,
};
const KIND = MODELS['syllables-16']; // another network, of pictures like these
const [HEIGHT, WIDTH] = KIND.shape;
const LEVELS = Uint8Array.from(
  levelsOfText(SHOWN.picture, { levels: KIND.levels, size: sizeOf(KIND.shape) }),
);

const WHOLE = 'The whole network';
const look = pageLook(KIND);
const nameOf = (level) => shadeName(level, KIND);

/**
 * Look inside: a network while it decides about one pixel. Which pixels each chance depends on, and how the network computes it, layer by layer.
 *
 * @param {HTMLElement} root
 */
export function mountInside(root) {
  const client = workerClient();
  const task = taskRunner({ onChange() {} });
  const measure = whenCalm(task, measureNow);
  /** The level whose chance is looked at, null for the likeliest; the layer that is open, by its index, -1 for none; and the channel of that. */
  let [pixel, level, step, channel] = [SHOWN.pixel, null, -1, 0];
  /** @type {import('../parts/layer-detail.mjs').Net | null} */
  let net = null;
  /** Chances of levels at the pixel; and with each earlier pixel changed, null where that is out of sight. */
  let [chances, changed] = [[], []];

  const grid = pixelGrid({
    label: 'The picture as far as it is drawn',
    hint: 'Click a pixel, or press space on it: the network then decides about that one.',
    paint,
    describe,
    act(row, column) {
      pixel = row * WIDTH + column;
      level = null;
      changed = []; // of the pixel before
      measure();
    },
  });
  const bars = radios(
    'How likely is each shade of it? Point at one.',
    Array.from({ length: KIND.levels }, (_, value) => ({
      value: String(value),
      label: h(
        'div.shade',
        h('i.swatch', { style: `background: rgb(${look([value], 0)})` }),
        h('i.shade-bar'),
        h('b'),
        h('small.hidden-text', nameOf(value)),
      ),
    })),
    { className: 'shades', onchange: () => choose(Number(bars.value)) },
  );
  bars.element.addEventListener('pointerover', ({ target }) => target.value && choose(Number(target.value)));
  const rows = [...bars.element.querySelectorAll('.shade')];
  const most = h('p.inside-most');
  const ends = h('div.ends');
  const link = linkButton('Copy link', {
    address: () => addressOf(root.id, { pixel, level, ...(step >= 0 && { step, channel }) }),
  });
  const back = button('Previous', () => go(step - 1));
  const next = button('Next', () => go(step + 1), 'button.primary');
  const all = button('Overview', () => go(-1));
  const choice = slider('Channel', { min: 0, max: 0, step: 1, value: 0 });
  choice.input.addEventListener('input', () => go(step, choice.input.valueAsNumber));
  const [title, words, sum] = [h('h3', WHOLE), h('p'), h('p')];
  const overview = h('div.overview', {
    onkeydown: rove,
    onfocusin({ target }) {
      for (const one of buttons) one.tabIndex = one === target ? 0 : -1;
    },
  });
  const detail = h('div.detail');
  let [buttons, followed] = [[], null];
  root.append(
    h(
      'div.work',
      h('div.stage', grid.element, h('figure.scale', h('div.scale-bar', { 'aria-hidden': 'true' }), ends)),
      h('div.stage', bars.element, most, h('div.buttons', link.element), link.answer, task.element),
    ),
    h('div.inside-steps', h('div.buttons', back, next, all), choice.element),
    h('div.inside-words', { role: 'status' }, title, words, sum),
    h('div.inside', overview, detail),
  );
  back.disabled = next.disabled = all.disabled = true;
  grid.setSize(HEIGHT, WIDTH);
  const asked = readAddress(root.id);
  if (asked !== null) open(asked);
  show();
  onAddress(root.id, open);
  onThemeChange(() => net !== null && showNetwork());
  whenNear(root, measure);

  function open(query) {
    const address = addressReader(query);
    const read = (name, count) => address.number(name, { min: 0, max: count - 1 });
    pixel = read('pixel', LEVELS.length) ?? SHOWN.pixel;
    level = read('level', KIND.levels);
    step = Math.min(read('step', 100) ?? -1, (net?.layers.length ?? 100) - 1);
    channel = read('channel', 1000) ?? 0;
    measure();
    task.fail(address.complaint);
  }

  async function measureNow(signal) {
    const job = { model: SHOWN.model, levels: LEVELS, pixel, condition: SHOWN.condition };
    const model = await client.run({ kind: 'inside', ...job }, { signal });
    const scales = model.values.map((places) =>
      Math.max(1e-9, ...places.flat().map((value) => Math.abs(value) || 0)),
    );
    net = { ...model, scales, layers: layersOf(model), width: WIDTH, pixel, nameOf };
    chances = model.values.at(-1)[pixel];
    changed = [];
    level ??= chances.indexOf(Math.max(...chances));
    step = Math.min(step, net.layers.length - 1);
    showNetwork();
    task.tick('Changing each pixel before it…');
    ({ changed } = await client.run({ kind: 'depends', ...job }, { signal }));
    task.tick('');
    show();
  }

  function choose(now) {
    level = now;
    show();
  }

  /** How much a pixel raises the chance, compared with the opposite level. */
  function effectOf(i) {
    return changed[i] ? chances[level] - changed[i][level] : 0;
  }

  /** The effect of the fullest colour. */
  function scale() {
    return Math.max(0.01, ...changed.map((_, i) => Math.abs(effectOf(i))));
  }

  /** The chances, and which pixels the chosen one depends on. */
  function show() {
    bars.value = String(level ?? 0);
    for (const [i, row] of rows.entries()) {
      row.style.setProperty('--width', chances[i] / Math.max(...chances));
      row.querySelector('b').textContent = net && percent(chances[i]);
    }
    const points = changed.length > 0 ? ` by ${Math.round(100 * scale())} points` : '';
    ends.replaceChildren(...['lowers', 'raises'].map((verb) => h('span', `${verb} it${points}`)));
    const i = changed.findIndex((_, i) => Math.abs(effectOf(i)) >= scale());
    most.textContent =
      net === null || changed.length < pixel
        ? ''
        : i < 0
          ? 'No pixel before it changes this chance by a point.'
          : `It depends most on the pixel ${placeOf(i)}: it is ${describeEffect(i)}`;
    link.clear();
    grid.refresh();
  }

  function placeOf(i) {
    const [row, column] = [Math.floor(i / WIDTH), i % WIDTH];
    const near = { 1: 'on its left', [WIDTH]: 'above it' };
    return near[pixel - i] ?? `in row ${row}, column ${column}`;
  }

  function describeEffect(i) {
    const [now, then] = [chances[level], changed[i][level]].map(percent);
    const change =
      now === then ? `stay at ${now}` : `${effectOf(i) > 0 ? 'fall' : 'rise'} from ${now} to ${then}`;
    return `${nameOf(LEVELS[i])}. If it were ${nameOf(KIND.levels - 1 - LEVELS[i])}, the chance of ${nameOf(level)} would ${change}.`;
  }

  function describe(row, column) {
    const i = row * WIDTH + column;
    if (i === pixel) return 'the network decides about it';
    if (i > pixel) return 'not drawn yet';
    if (changed[i]) return describeEffect(i);
    return `${nameOf(LEVELS[i])}${changed.length > 0 ? ', out of sight' : ''}`;
  }

  function paint(context, cell) {
    const colours = signedColours();
    const [ink, paper, blank, line] = ['--ink', '--paper', '--blank', '--field-line'].map(colour);
    const most = scale();
    for (const i of LEVELS.keys()) {
      const [x, y] = [(i % WIDTH) * cell, Math.floor(i / WIDTH) * cell];
      const square = (inset, fill) => {
        context.fillStyle = fill;
        context.fillRect(x + inset, y + inset, cell - 2 * inset, cell - 2 * inset);
      };
      square(1, i === pixel ? ink : changed[i] ? `rgb(${signedColour(colours, effectOf(i) / most)})` : blank);
      if (i < pixel) {
        const inset = changed.length > 0 ? cell * 0.28 : 2;
        square(inset - 1, line);
        square(inset, `rgb(${look(LEVELS, i)})`);
      }
      if (i !== pixel) continue;
      context.fillStyle = paper;
      context.font = `600 ${cell * 0.6}px system-ui, sans-serif`;
      context.textAlign = 'center';
      context.fillText('?', x + cell / 2, y + cell * 0.72);
    }
  }

  /** All layers, and the one that is open. */
  function showNetwork() {
    net.colours = signedColours();
    if (buttons.length === 0) build();
    for (const [i, { node, size }] of net.layers.entries())
      mapsIn(i).replaceChildren(...Array.from({ length: size }, (_, o) => signedMap(net, node, o)));
    update(step, channel);
    show();
  }

  function build() {
    const columns = {};
    buttons = net.layers.map((layer, i) => {
      const { block, stack, title, kind } = layer;
      columns[block] ??= h('div.block', h('h4', block));
      const column = columns[block];
      if (column.lastChild.dataset.stack !== stack) column.append(h('div.stack', { 'data-stack': stack }));
      const button = h(
        'button.layer',
        {
          type: 'button',
          tabIndex: i > 0 ? -1 : 0,
          'aria-label': title,
          onclick: ({ target }) => go(i, channelOf(i, target)),
        },
        KINDS[kind][0],
        h('div'),
      );
      column.lastChild.append(button);
      return button;
    });
    overview.append(...Object.values(columns));
  }

  function mapsIn(i) {
    return buttons[i].lastChild;
  }

  /** The channel whose map is clicked; with the keyboard the one with the largest number. */
  function channelOf(i, map) {
    const sizes = net.values[net.layers[i].node][pixel].map((value) => Math.abs(value) || 0);
    const clicked = [...mapsIn(i).children].indexOf(map);
    return clicked < 0 ? sizes.indexOf(Math.max(...sizes)) : clicked;
  }

  /** Opens a layer, or with -1 shows the whole network. The map that is in both pictures, `from`, moves. */
  function go(to, o = channel, from = result()) {
    const was = step;
    if (isMotionReduced() || !document.startViewTransition) return update(to, o);
    const thumbnail = mapsIn(Math.max(to, was)).children[to < 0 ? channel : o % net.layers[to].size];
    follow(was < 0 ? thumbnail : from);
    const transition = document.startViewTransition(() => {
      update(to, o);
      const input = detail.querySelector(`[data-node="${net.layers[was]?.node}"] canvas`);
      follow(to < 0 ? thumbnail : to > was && was >= 0 && input ? input : result());
    });
    transition.ready.catch(() => {}); // the next one came before it began
  }

  function result() {
    return detail.querySelector('.result canvas');
  }

  /** The one map that moves. */
  function follow(map) {
    if (followed) followed.style.viewTransitionName = '';
    followed = map;
    map.style.viewTransitionName = 'map';
  }

  function update(to, o) {
    const was = step;
    const isFocused = [overview, detail, all].some((part) => part.contains(document.activeElement));
    const layer = net.layers[to];
    step = to;
    root.classList.toggle('open', to >= 0);
    link.clear();
    sum.textContent = '';
    title.textContent = layer ? layer.title : WHOLE;
    words.textContent = layer
      ? KINDS[layer.kind][1]
      : 'Each small map is a channel of a layer, as far as its numbers are known. Open one to see how they are computed.';
    if (layer) {
      channel = o % layer.size;
      choice.setMax(layer.size - 1, channel);
      const say = (text) => {
        sum.textContent = text;
      };
      detail.replaceChildren(...layerDetail(net, layer, channel, { onOpen: go, say }));
    }
    keepFocus(() => {
      back.disabled = all.disabled = to < 0;
      next.disabled = to === net.layers.length - 1;
    });
    if (isFocused) (layer ? next : buttons[was]).focus({ preventScroll: true });
  }

  /** Arrow keys go from layer to layer; the Tab key finds the last one. */
  function rove(event) {
    const way = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    const to = buttons[buttons.indexOf(event.target) + way];
    if (to === undefined) return;
    event.preventDefault();
    to.focus();
  }
}
