import { addressOf, addressReader, onAddress, readAddress } from '../parts/address-state.mjs';
import { textOfLevels } from '../parts/levels-text.mjs';
import { freshSeed, MAX_SEED, randomOf } from '../parts/random.mjs';
import { isMotionReduced } from '../parts/replay.mjs';
import { taskRunner } from '../parts/task.mjs';
import { wallTile } from '../parts/wall-tile.mjs';
import { workerClient } from '../parts/worker-client.mjs';

const ID = 'wall';
/** What hangs there, in the order in which it is drawn. The first model is small: it draws the first pictures of the page. */
const KINDS = [
  { model: 'syllables-16', noun: 'syllable', count: 18, hasClass: true, temperature: 0.7 },
  { model: 'characters-small', noun: 'character', count: 18, temperature: 0.9 },
];
const MAP = { model: 'tiles', count: 1, temperature: 0.7 };
/** Parts of syllables by their numbers in Unicode: single vowels, and no final consonant or a single one. */
const [VOWELS, FINALS] = [
  [0, 2, 4, 6, 8, 12, 13, 17, 18, 20],
  [0, 0, 1, 4, 8, 16, 17, 19, 21],
];
/** Of these, the ones that insult by themselves in Korean: nobody should meet one on the first screen. */
const INSULTS = '\uB144\uB188\uB625\uBED1\uC30D\uC345\uC539\uC5FF\uC883';
/** Pictures more than there is room for: now and then one stays blank, and some maps are dull. */
const SPARE = 3;
/** Milliseconds in which pictures begin, one after the other; and from one that is drawn anew to the next. */
const [BEGINS, ANEW] = [2400, 3000];
/** The first picture that is drawn anew is the map: some snow falls on it. */
const SHOWS = 1;
/** Milliseconds from one tile of a stroke to the next. */
const STROKE = 150;
/** Tiles of the map. */
const [GRASS, FOREST, MOUNTAIN, SNOW] = [3, 4, 5, 6];
/** Where arrow keys lead. */
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * A wall of pictures that draw themselves, from a seed that is the date, and one by one again; each leads on, to be drawn by hand. Among them is a map
 * that grows around what is painted.
 *
 * @param {HTMLElement} root
 * @param {() => Promise<typeof import('./index.mjs')>} panels loads the others: the map is painted by the code of one
 * @returns {Promise<void>} once the first of them are drawn, or it is said why not
 */
export function mountWall(root, panels) {
  const client = workerClient();
  const task = taskRunner({ onChange: () => {} });
  const tiles = KINDS.flatMap((kind) =>
    Array.from({ length: kind.count }, (_, i) => wallTile({ kind, number: i + 1, onChoose })),
  );
  const buttons = tiles.map(({ element }) => element);
  buttons[0].tabIndex = 0;
  const [wall, room, caption, onward] = root.querySelectorAll('.wall, .wall-map, .wall-foot :is(span, a)');
  wall.onkeydown = move;
  onward.onclick = goOn;
  /** @type {ReturnType<typeof import('../parts/map-editor.mjs').mapEditor> | null} */
  let editor = null;
  let seed = 0;
  let ticks = 0;
  room.addEventListener('pointerdown', () => {
    ticks = SHOWS; // who paints knows how
    room.classList.add('known');
  });
  wall.prepend(...buttons);
  root.append(task.element);
  setInterval(drawOneAnew, ANEW);
  onAddress(ID, open);
  return open(readAddress(ID) ?? new Map());

  /** The pictures of an address, or else of today. */
  function open(query) {
    const address = addressReader(query);
    seed = address.number('seed', { min: 0, max: MAX_SEED }) ?? today();
    const name = seed === today() ? 'Today’s wall' : `Wall ${seed}`;
    caption.textContent = `${address.complaint} ${name}`;
    return new Promise((resolve) => task.restart((signal) => drawAll(signal, resolve)).then(resolve));
  }

  /** Draws all pictures of the seed, kind by kind. Says once there are some. */
  async function drawAll(signal, onFirst) {
    for (const tile of tiles) tile.clear();
    const random = randomOf(seed);
    for (const kind of KINDS) {
      const pictures = await drawn(kind, signal, random);
      for (const [i, tile] of tiles.filter((tile) => tile.kind === kind).entries())
        tile.draw(pictures[i], isMotionReduced() ? null : (BEGINS * i) / kind.count);
      onFirst();
      await new Promise(requestAnimationFrame); // these are seen before others are asked for
    }
    const [{ levels }] = await drawn(MAP, signal);
    if (editor === null) {
      const { mapEditor } = await panels();
      const hint = 'Paint mountains: new land is drawn around them.';
      editor = mapEditor({ client, task, hint, brush });
      room.append(editor.grid.element);
    }
    editor.open(levels);
  }

  /** Pictures of a kind, with some to spare, the fullest first. */
  async function drawn({ model, count, temperature, hasClass }, signal, random = Math.random, from = seed) {
    const numImages = count + SPARE;
    const classes = hasClass && Array.from({ length: numImages }, () => syllableOf(random));
    const job = { kind: 'sample', model, numImages, seed: from, temperature, ...(classes && { classes }) };
    const { levels } = await client.run(job, { signal });
    const size = levels.length / numImages;
    const pictures = Array.from({ length: numImages }, (_, i) => ({
      levels: Uint8Array.from(levels.slice(i * size, (i + 1) * size)),
      syllable: classes?.[i],
    }));
    const fullness = (picture) => new Set(picture.levels).size;
    return pictures.sort((a, b) => fullness(b) - fullness(a));
  }

  /** One picture of those that are seen, once all are there, unless the visitor looks elsewhere, wants no motion, or has the keyboard or the hand here. */
  function drawOneAnew() {
    const isSeen = editor !== null && !document.hidden && root.getBoundingClientRect().bottom > 0;
    if (!isSeen || isMotionReduced() || task.isBusy || wall.matches(':focus-within')) return;
    if (++ticks === SHOWS && !room.matches(':hover')) return paintSnow();
    const free = tiles.filter(
      ({ element }) => element.matches(':enabled:not(:hover)') && element.offsetParent,
    );
    const tile = free[Math.floor(free.length * Math.random())];
    task.run(async (signal) => {
      const [picture] = await drawn({ ...tile.kind, count: 1 }, signal, Math.random, freshSeed());
      tile.draw(picture, 0);
    });
  }

  /** As a visitor may, to show what comes of it: where there is room for mountains. */
  function paintSnow() {
    const { map } = editor;
    const side = Math.sqrt(map.length);
    const away = (place) => Math.hypot(place / side - side / 2, (place % side) - side / 2); // from the middle
    const places = [...map.keys()].filter((place) => map[place] <= FOREST && brush(place) === SNOW);
    const [place] = places.sort((a, b) => away(a) - away(b));
    if (!place) return;
    for (const i of [0, 1, 2])
      setTimeout(editor.act, STROKE * i, Math.floor(place / side), (place % side) + i - 1);
  }

  /** Land rises from the water; from land a mountain, with snow where it has room. */
  function brush(place) {
    const { map } = editor;
    if (map[place] < GRASS) return GRASS;
    const isLand = (place) => map[place] >= GRASS;
    const far = 3 * Math.sqrt(map.length);
    return [0, 3, far].every((way) => isLand(place - way) && isLand(place + way)) ? SNOW : MOUNTAIN;
  }

  /** Goes on with a glyph as far as it is drawn, or from its middle, where a pixel is open. */
  function onChoose({ model, values, from, condition }) {
    const own = condition === undefined ? { model: 'characters' } : { model, class: condition };
    goTo(addressOf('drawing', { ...own, values: textOfLevels(values), from }));
  }

  /** With the map as it is now. */
  function goOn() {
    if (editor !== null) onward.href = addressOf('maps', { tiles: textOfLevels([...editor.map]) });
  }

  /** Arrow keys go from picture to picture, as they hang: the Tab key finds one of them. */
  function move(event) {
    const here = event.target;
    const [x, y] = STEPS[event.key] ?? [];
    if (!buttons.includes(here) || x === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const away = (one, x, y) => (one.offsetLeft - here.offsetLeft) * x + (one.offsetTop - here.offsetTop) * y;
    const [to] = buttons
      .filter((one) => away(one, x, y) > 0 && Math.abs(away(one, y, x)) < one.offsetWidth / 2)
      .sort((a, b) => away(a, x, y) - away(b, x, y));
    if (to === undefined) return;
    here.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  }
}

/** Also where the page is at that address already. */
function goTo(address) {
  if (location.href === address) dispatchEvent(new Event('hashchange'));
  else location.href = address;
}

/** The number of a syllable of parts that have room at 16 by 16 pixels, and that insults nobody. */
export function syllableOf(random) {
  const one = (all) => all[Math.floor(all.length * random())];
  const syllable = (21 * Math.floor(19 * random()) + one(VOWELS)) * 28 + one(FINALS);
  return INSULTS.includes(String.fromCharCode(0xac00 + syllable)) ? syllableOf(random) : syllable;
}

/** 20261129: the date where the visitor is. */
function today() {
  const now = new Date();
  return 10_000 * now.getFullYear() + 100 * (now.getMonth() + 1) + now.getDate();
}
