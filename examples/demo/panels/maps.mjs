import { shapesOf, TILE_PIXELS } from '../../tiles/art.mjs';
import { brokenRules, RULES } from '../../tiles/rules.mjs';
import { around, KINDS, mapsOf, NAMES, SIDE } from '../../tiles/tiles.mjs';
import { addressOf, addressReader, onAddress, readAddress } from '../parts/address-state.mjs';
import { button, slider } from '../parts/controls.mjs';
import { colour, h, whenNear } from '../parts/dom.mjs';
import { seconds } from '../parts/figures.mjs';
import { levelsOfText, textOfLevels } from '../parts/levels-text.mjs';
import { linkButton } from '../parts/link-button.mjs';
import { pixelGrid } from '../parts/pixel-grid.mjs';
import { taskRunner } from '../parts/task.mjs';
import { toggle } from '../parts/toggle.mjs';
import { workerClient } from '../parts/worker-client.mjs';

const SIZE = SIDE ** 2;
/** The first map breaks two rules: there is something to mend. */
const FIRST_SEED = 9;
const TEMPERATURES = { min: 0.1, max: 1.5, step: 0.1 };
const FIRST_TEMPERATURE = 0.8;
/** Particles that look ahead, where tiles are drawn again; and maps to choose from, where flaws are mended. */
const [PARTICLES, TRIES] = [64, 8];
/** Milliseconds without another tile painted over by keys, or another temperature, until it is drawn. */
const SETTLES = 200;

/**
 * Maps: a picture of kinds of tile instead of shades. What is painted over is drawn again, to go with all the others.
 *
 * @param {HTMLElement} root
 */
export function mountMaps(root) {
  const client = workerClient();
  const task = taskRunner({ onChange: update });
  const grid = pixelGrid({
    label: 'Map',
    hint: 'Paint over tiles: with the pointer, or with arrow keys and space.',
    paint,
    describe,
    act,
  });
  /** @type {Uint8Array | null} null until one is drawn */
  let map = null;
  let broken = [];
  /** Places that are painted over, and not drawn again yet. */
  const hole = new Set();
  let isPressed = false;
  let seed = FIRST_SEED;
  let timer;
  /** The present task, or the last one. */
  let work = Promise.resolve();
  let lastOpened = 0;

  const fresh = button('New map', () => drawNew(freshSeed()), 'button.primary');
  const mend = button('Mend flaws', mendFlaws);
  const link = linkButton('Copy link', { address: present });
  const temperature = slider('Temperature', {
    ...TEMPERATURES,
    value: FIRST_TEMPERATURE,
    say: (x) => x.toFixed(1),
  });
  temperature.input.addEventListener('input', () => soon(() => drawNew(seed)));
  const marks = toggle('Mark flaws', { isOn: true, onchange: grid.refresh });
  const headline = h('p.headline', { role: 'status' });
  const rules = h('ul.rules');
  const alert = h('p.alert', { role: 'alert', hidden: true });
  root.append(
    h(
      'div.work.even.bench',
      h('div.controls', h('div.editor', grid.element)),
      h(
        'div.stage',
        headline,
        h('div.buttons', fresh, mend, link.element),
        link.answer,
        alert,
        task.element,
        rules,
        marks.element,
        temperature.element,
      ),
    ),
  );
  grid.element.addEventListener('pointerdown', () => (isPressed = true), true); // before the grid acts on it
  grid.element.addEventListener('pointerup', lift);
  grid.element.addEventListener('pointercancel', lift);
  grid.setSize(SIDE, SIDE);
  update();
  onAddress(root.id, open);
  const asked = readAddress(root.id);
  if (asked !== null) open(asked);
  else whenNear(root, () => drawNew(FIRST_SEED));

  function update() {
    const { isBusy } = task;
    fresh.disabled = isBusy;
    mend.disabled = isBusy || broken.length === 0;
    link.element.disabled = map === null;
  }

  function paint(context, cell) {
    if (map === null) return;
    context.save();
    context.scale(cell / TILE_PIXELS, cell / TILE_PIXELS);
    for (const { x, y, width, height, fill } of shapesOf(map)) {
      context.fillStyle = fill;
      context.fillRect(x, y, width, height);
    }
    const square = (place) => [TILE_PIXELS * (place % SIDE), TILE_PIXELS * Math.floor(place / SIDE)];
    context.fillStyle = colour('--surface');
    for (const place of hole) context.fillRect(...square(place), TILE_PIXELS, TILE_PIXELS);
    context.strokeStyle = '#d3141d';
    context.lineWidth = 1.5;
    const marked = marks.input.checked ? broken.flatMap(({ places }) => places) : [];
    for (const [x, y] of marked.map(square)) {
      context.strokeRect(x + 0.75, y + 0.75, TILE_PIXELS - 1.5, TILE_PIXELS - 1.5);
    }
    context.restore();
  }

  function describe(row, column) {
    const place = row * SIDE + column;
    if (map === null) return 'not drawn yet';
    if (hole.has(place)) return 'painted over';
    const breaches = broken.filter(({ places }) => places.includes(place)).map(({ rule }) => rule);
    const flaws = breaches.length === 0 ? '' : `, breaks a rule (${[...new Set(breaches)].join(', ')})`;
    return `${NAMES[map[place]]}${flaws}`;
  }

  function show(now) {
    map = now;
    broken = brokenRules(map);
    hole.clear();
    headline.replaceChildren('This map: ', h('strong', flawsOf(broken.length)));
    rules.replaceChildren(
      ...Object.entries(RULES).map(([rule, text]) => {
        const count = broken.filter((breach) => breach.rule === rule).length;
        return h(
          count === 0 ? 'li' : 'li.broken',
          h('span', text),
          h('span.rule-count', count === 0 ? 'kept' : `broken ${count}×`),
        );
      }),
    );
    grid.refresh();
    link.clear();
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
    show(tiles);
    task.say('The map in the link.');
    update();
  }

  function present() {
    return addressOf(root.id, { temperature: temperature.input.value, tiles: textOfLevels([...map]) });
  }

  /** Once nothing is drawn, and nothing is asked for any more. */
  function soon(what) {
    clearTimeout(timer);
    timer = setTimeout(() => (task.isBusy ? soon(what) : what()), SETTLES);
  }

  function act(row, column) {
    if (map === null) return;
    hole.add(row * SIDE + column);
    grid.refresh();
    if (!isPressed) soon(drawHole);
  }

  /** The stroke is whole. */
  function lift() {
    isPressed = false;
    if (hole.size > 0) soon(drawHole);
  }

  async function sample(signal, rest) {
    const job = { kind: 'sample', model: 'tiles', temperature: temperature.input.valueAsNumber, ...rest };
    const { levels, seconds: time } = await client.run(job, { signal });
    return { maps: mapsOf(Uint8Array.from(levels)), words: `drawn in ${seconds(time)}.` };
  }

  function doing(what) {
    work = task.run(what);
    return work;
  }

  function drawNew(newSeed) {
    return doing(async (signal) => {
      seed = newSeed;
      const { maps, words } = await sample(signal, { numImages: 1, seed });
      show(maps[0]);
      task.say(`A map ${words}`);
    });
  }

  /** Draws places again, given all the others. */
  function drawAgain(signal, places, numImages) {
    const known = new Uint8Array(SIZE).fill(1);
    for (const place of places) known[place] = 0;
    const given = { levels: map, known };
    return sample(signal, { numImages, seed: freshSeed(), given, lookAhead: PARTICLES });
  }

  function drawHole() {
    const places = [...hole];
    return doing(async (signal) => {
      const { maps, words } = await drawAgain(signal, places, 1);
      const later = [...hole].slice(places.length); // painted over meanwhile
      show(maps[0]);
      for (const place of later) hole.add(place);
      grid.refresh();
      task.say(`${places.length} ${places.length === 1 ? 'tile' : 'tiles'} ${words}`);
    });
  }

  /** Draws the tiles that break a rule again, with those around these, and around those: of some tries the best, if it is better. */
  function mendFlaws() {
    return doing(async (signal) => {
      task.say('Mending…');
      const before = broken.length;
      const flawed = broken.flatMap(({ places }) => places);
      const { maps } = await drawAgain(signal, new Set(withNeighbours(withNeighbours(flawed))), TRIES);
      const counts = maps.map((tried) => brokenRules(tried).length);
      const least = Math.min(...counts);
      if (least >= before) return task.say('No try was better. Mend again for others.');
      show(maps[counts.indexOf(least)]);
      task.say(`Mended: ${flawsOf(before)} before, ${flawsOf(least)} now.`);
    });
  }
}

const withNeighbours = (places) =>
  places.flatMap((place) => [place, ...around(place)]).filter((place) => place !== null);

const freshSeed = () => Math.floor(1e9 * Math.random());

const flawsOf = (count) => (count === 0 ? 'no flaws' : count === 1 ? '1 flaw' : `${count} flaws`);
