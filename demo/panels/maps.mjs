import { shapesOf, TILE_PIXELS } from '../../examples/tiles/art.mjs';
import { brokenRules, RULES } from '../../examples/tiles/rules.mjs';
import { around, KINDS, NAMES, SIDE, turned, turnedBack } from '../../examples/tiles/tiles.mjs';
import { addressOf, addressReader, onAddress, readAddress } from '../parts/address-state.mjs';
import { button, radios, slider } from '../parts/controls.mjs';
import { colour, h, whenNear } from '../parts/dom.mjs';
import { seconds } from '../parts/figures.mjs';
import { levelsOfText, textOfLevels } from '../parts/levels-text.mjs';
import { linkButton } from '../parts/link-button.mjs';
import { pixelGrid } from '../parts/pixel-grid.mjs';
import { taskRunner } from '../parts/task.mjs';
import { toggle } from '../parts/toggle.mjs';
import { workerClient } from '../parts/worker-client.mjs';

const SIZE = SIDE ** 2;
const PLACES = [...Array(SIZE).keys()];
const FIRST_SEED = 143;
const TEMPERATURES = { min: 0.1, max: 1.5, step: 0.1 };
const FIRST_TEMPERATURE = 0.8;
/** Maps to choose from, and the particles of each that look ahead to tiles that stay: at first, and to mend flaws. */
const [TRIES, PARTICLES, MENDING] = [4, 16, 32];
/** How often flaws are mended, at most; and how far around a tile others are drawn again: from water, that is far enough to a mountain. */
const [ROUNDS, RADIUS] = [8, 3];
/** Rows below drawn tiles that these are made to fit: what lies further away has little to do with them. */
const FIT = 5;
/** Milliseconds without another tile painted by keys, or another temperature, until it is drawn. */
const SETTLES = 200;
/** The brush that has tiles drawn again. */
const AGAIN = 'again';

/** The model draws from the top row to the bottom row. For it to go on over an edge, the map is turned: its new tiles are then the last rows. */
const EDGES = {
  north: { key: 'ArrowUp', sign: '↑', rows: -8, columns: 0, orientation: 2 },
  west: { key: 'ArrowLeft', sign: '←', rows: 0, columns: -8, orientation: 6 },
  east: { key: 'ArrowRight', sign: '→', rows: 0, columns: 8, orientation: 4 },
  south: { key: 'ArrowDown', sign: '↓', rows: 8, columns: 0, orientation: 0 },
};

/**
 * Maps: a picture of kinds of tile instead of shades, of a world without end. What is painted stays, and the model draws what is around it to fit.
 *
 * @param {HTMLElement} root
 */
export function mountMaps(root) {
  const client = workerClient();
  const task = taskRunner({ onChange: update });
  const grid = pixelGrid({
    label: 'Map',
    hint: 'Paint with the pointer, or with arrow keys and space. Shift and an arrow key move on.',
    paint,
    describe,
    act,
  });
  const picture = h('canvas', { width: SIDE * TILE_PIXELS, height: SIDE * TILE_PIXELS });
  /** @type {Uint8Array | null} the part of the world that is seen; null until one is drawn */
  let map = null;
  let broken = [];
  /** All tiles that were seen, and which of them were painted, by row and column. */
  const world = new Map();
  const painted = new Set();
  /** Where in the world the map begins. */
  let origin = [0, 0];
  /** What is painted, and not drawn yet: kinds, or AGAIN, by place. */
  const stroke = new Map();
  let isPressed = false;
  let mapSeed = FIRST_SEED;
  let seed = FIRST_SEED;
  let timer;
  /** The present task, or the last one. */
  let work = Promise.resolve();
  let lastOpened = 0;

  const brush = radios(
    'Brush',
    [AGAIN, ...NAMES.keys()].map((kind) => ({ value: String(kind), label: brushOf(kind) })),
    { className: 'tools' },
  );
  const edges = Object.entries(EDGES).map(([name, { sign }]) => {
    const edge = button(sign, () => go(name), `button.edge.${name}`);
    edge.setAttribute('aria-label', `Move ${name}`);
    return edge;
  });
  const fresh = button('New map', () => drawNew(freshSeed()), 'button.primary');
  const mend = button('Mend flaws', () => doing((signal) => fill(signal, map, [])));
  const cancel = button('Cancel', task.cancel);
  const link = linkButton('Copy link', { address: present });
  const temperature = slider('Temperature', {
    ...TEMPERATURES,
    value: FIRST_TEMPERATURE,
    say: (x) => x.toFixed(1),
  });
  temperature.input.addEventListener('input', () => soon(() => drawNew(mapSeed)));
  const headline = h('p.headline', { role: 'status' });
  const rules = Object.entries(RULES).map(([rule, text]) => {
    const { element, input } = toggle(text, { isOn: true, onchange: judge });
    const count = h('span.rule-count');
    return { rule, input, count, row: h('li', element, count) };
  });
  const alert = h('p.alert', { role: 'alert', hidden: true });
  root.append(
    h(
      'div.work.even.bench',
      h('div.controls', h('div.editor', h('div.world', ...edges, grid.element), brush.element)),
      h(
        'div.stage',
        headline,
        h('div.buttons', fresh, mend, cancel, link.element),
        link.answer,
        alert,
        task.element,
        h('ul.rules', ...rules.map(({ row }) => row)),
        temperature.element,
      ),
    ),
  );
  grid.element.addEventListener('keydown', moveOn, true); // before the grid acts on it
  grid.element.addEventListener('pointerdown', () => (isPressed = true), true);
  for (const end of ['pointerup', 'pointercancel']) addEventListener(end, () => isPressed && lift());
  grid.setSize(SIDE, SIDE);
  update();
  onAddress(root.id, open);
  const asked = readAddress(root.id);
  if (asked !== null) open(asked);
  else whenNear(root, () => lastOpened === 0 && drawNew(FIRST_SEED));

  function update() {
    const { isBusy } = task;
    fresh.disabled = isBusy;
    mend.disabled = isBusy || broken.length === 0;
    cancel.disabled = !isBusy;
    link.element.disabled = map === null;
    for (const edge of edges) edge.disabled = isBusy || map === null;
  }

  function paint(context, cell) {
    if (map === null) return;
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, 0, 0, cell * SIDE, cell * SIDE);
    const square = (place) => [cell * (place % SIDE), cell * Math.floor(place / SIDE)];
    for (const [place, kind] of stroke) {
      context.fillStyle = colour('--surface');
      if (kind === AGAIN) context.fillRect(...square(place), cell, cell);
      else context.drawImage(TILES[kind], ...square(place), cell, cell);
    }
    context.strokeStyle = '#d3141d';
    context.lineWidth = 3;
    for (const [x, y] of broken.flatMap(({ places }) => places).map(square)) {
      context.strokeRect(x + 1.5, y + 1.5, cell - 3, cell - 3);
    }
  }

  function describe(row, column) {
    const place = row * SIDE + column;
    if (map === null) return 'not drawn yet';
    const kind = stroke.get(place);
    if (kind !== undefined) return kind === AGAIN ? 'to be drawn again' : `${NAMES[kind]}, painted`;
    const breaches = broken.filter(({ places }) => places.includes(place)).map(({ rule }) => rule);
    const flaws = breaches.length === 0 ? '' : `, breaks a rule (${[...new Set(breaches)].join(', ')})`;
    return `${NAMES[map[place]]}${flaws}`;
  }

  /** Where in the world a place of the map is. */
  function keyOf(place, [top, left] = origin) {
    return `${top + Math.floor(place / SIDE)},${left + (place % SIDE)}`;
  }

  function show(now) {
    map = now;
    for (const place of PLACES) world.set(keyOf(place), map[place]);
    paintTiles(picture, map);
    link.clear();
    judge();
  }

  /** Counts what breaks the rules that are on. */
  function judge() {
    broken = flawsOf(map);
    headline.replaceChildren('This map: ', h('strong', inWords(broken.length)));
    for (const { rule, input, count, row } of rules) {
      const times = broken.filter((breach) => breach.rule === rule).length;
      row.className = times === 0 ? '' : 'broken';
      count.textContent = !input.checked ? 'off' : times === 0 ? 'kept' : `broken ${times}×`;
    }
    grid.refresh();
    update();
  }

  function flawsOf(tiles) {
    const isOn = new Set(rules.filter(({ input }) => input.checked).map(({ rule }) => rule));
    return tiles === null ? [] : brokenRules(tiles).filter(({ rule }) => isOn.has(rule));
  }

  /** The map of an address; what is wrong with it is said, and left out. */
  async function open(query) {
    const opened = ++lastOpened;
    task.cancel();
    await work;
    if (opened !== lastOpened) return;
    const address = addressReader(query);
    temperature.set(address.number('temperature', TEMPERATURES) ?? FIRST_TEMPERATURE);
    const tiles = address.read('tiles', `those of ${SIZE} tiles`, (text) => {
      const values = levelsOfText(text, { levels: KINDS, size: SIZE });
      return values?.length === SIZE ? Uint8Array.from(values) : null;
    });
    alert.textContent = address.complaint;
    alert.hidden = address.complaint === '';
    if (tiles === null) return drawNew(FIRST_SEED);
    forget();
    show(tiles);
    task.say('The map you asked for.');
  }

  function present() {
    return addressOf(root.id, { temperature: temperature.input.value, tiles: textOfLevels([...map]) });
  }

  /** Another world begins. */
  function forget() {
    for (const past of [world, painted, stroke]) past.clear();
    origin = [0, 0];
  }

  /** Once nothing is drawn, and nothing is asked for any more. */
  function soon(what) {
    clearTimeout(timer);
    timer = setTimeout(() => (task.isBusy ? soon(what) : what()), SETTLES);
  }

  function act(row, column) {
    if (map === null) return;
    stroke.set(row * SIDE + column, brush.value === AGAIN ? AGAIN : Number(brush.value));
    if (!isPressed) soon(drawStroke);
  }

  /** The stroke is whole. */
  function lift() {
    isPressed = false;
    if (stroke.size > 0) soon(drawStroke);
  }

  function moveOn(event) {
    const edge = event.shiftKey && edges.find((_, i) => Object.values(EDGES)[i].key === event.key);
    if (!edge) return;
    event.preventDefault();
    event.stopPropagation();
    edge.click();
  }

  function doing(what) {
    work = task.run(what);
    return work;
  }

  function drawNew(newSeed) {
    return doing(async (signal) => {
      mapSeed = seed = newSeed;
      forget();
      await fill(signal, new Uint8Array(SIZE), PLACES);
    });
  }

  /** Moves on over an edge: what was seen before is the same again. */
  function go(name) {
    return doing(async (signal) => {
      const { rows, columns, orientation } = EDGES[name];
      const next = [origin[0] + rows, origin[1] + columns];
      const tiles = Uint8Array.from(PLACES, (place) => world.get(keyOf(place, next)) ?? 0);
      const holes = PLACES.filter((place) => !world.has(keyOf(place, next)));
      await fill(signal, tiles, holes, { next, orientation });
    });
  }

  /** What is painted stays, and is surrounded anew. */
  function drawStroke() {
    return doing(async (signal) => {
      const tiles = map.slice();
      const holes = [];
      for (const [place, kind] of stroke) {
        if (kind === AGAIN) {
          painted.delete(keyOf(place));
          holes.push(place);
        } else {
          painted.add(keyOf(place));
          tiles[place] = kind;
          holes.push(...within(RADIUS, [place]));
        }
      }
      await fill(signal, tiles, holes);
    });
  }

  /**
   * Draws places of a map, given all others, and shows it; then mends it in rounds, as long as it has flaws: these and what is around them are drawn
   * again, each time in another order.
   */
  async function fill(signal, tiles, holes, { next = origin, orientation = 0 } = {}) {
    const start = performance.now();
    const free = (places) => places.filter((place) => !painted.has(keyOf(place, next)));
    const drawn = await draw(signal, tiles, free(holes), orientation, PARTICLES);
    for (const place of next === origin ? holes : stroke.keys()) stroke.delete(place);
    origin = next;
    show(drawn);
    let round = 0;
    for (; round < ROUNDS && broken.length > 0; round++) {
      task.say('Mending flaws…');
      const near = within(
        RADIUS + (round >> 1),
        broken.flatMap(({ places }) => places),
      );
      const mended = await draw(signal, map, free(near), round, MENDING);
      if (flawsOf(mended).length <= broken.length) show(mended);
    }
    const time = seconds((performance.now() - start) / 1000);
    task.say(
      broken.length === 0
        ? holes.length + round === 0
          ? 'Seen before.'
          : `Drawn in ${time}.`
        : `${inWords(broken.length)} left after ${round} rounds of mending. Mend again, or paint something else.`,
    );
  }

  /** Of some tries at places, given all others, the one with the fewest flaws. */
  async function draw(signal, tiles, holes, orientation, lookAhead) {
    const known = new Uint8Array(SIZE).fill(1);
    for (const place of holes) known[place] = 0;
    if (!known.includes(0)) return tiles;
    const given = { levels: turned(tiles, orientation), known: turned(known, orientation) };
    const last = Math.floor(given.known.lastIndexOf(0) / SIDE);
    const rows = Math.min(SIDE, 4 * Math.ceil((last + 1 + FIT) / 4)); // a few heights, for each of which a network is made ready once
    const { levels } = await client.run(
      {
        kind: 'sample',
        model: 'tiles',
        numImages: TRIES,
        seed: seed++,
        temperature: temperature.input.valueAsNumber,
        given,
        rows,
        lookAhead,
      },
      { signal },
    );
    const maps = Array.from({ length: TRIES }, (_, n) => {
      const whole = given.levels.slice();
      whole.set(levels.subarray(n * rows * SIDE, (n + 1) * rows * SIDE));
      return turnedBack(whole, orientation);
    });
    return maps.reduce((a, b) => (flawsOf(b).length < flawsOf(a).length ? b : a));
  }
}

/** Places, with those up to so many steps away. */
function within(steps, places) {
  let all = places;
  for (let i = 0; i < steps; i++) {
    const sides = all.flatMap((place) => [place, ...around(place)]);
    all = [...new Set(sides)].filter((place) => place !== null);
  }
  return all;
}

/** A picture of each kind of tile. */
const TILES = NAMES.map((_, kind) => {
  const canvas = h('canvas', { width: TILE_PIXELS, height: TILE_PIXELS, 'aria-hidden': 'true' });
  paintTiles(canvas, [kind]);
  return canvas;
});

function brushOf(kind) {
  if (kind === AGAIN)
    return h('span', h('i.swatch.rubber', { 'aria-hidden': 'true' }), h('span.tool-name.rubber', 'redraw'));
  TILES[kind].className = 'swatch';
  return h('span', TILES[kind], h('span.tool-name', NAMES[kind]));
}

function paintTiles(canvas, tiles) {
  const context = canvas.getContext('2d');
  for (const { x, y, width, height, fill } of shapesOf(tiles)) {
    context.fillStyle = fill;
    context.fillRect(x, y, width, height);
  }
}

const freshSeed = () => Math.floor(1e9 * Math.random());

const inWords = (count) => (count === 0 ? 'no flaws' : count === 1 ? '1 flaw' : `${count} flaws`);
