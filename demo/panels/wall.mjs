import { addressOf, addressReader, onAddress, readAddress, setAddress } from '../parts/address-state.mjs';
import { button } from '../parts/controls.mjs';
import { h } from '../parts/dom.mjs';
import { textOfLevels } from '../parts/levels-text.mjs';
import { randomOf } from '../parts/random.mjs';
import { isMotionReduced } from '../parts/replay.mjs';
import { MAX_SEED } from '../parts/sampling-state.mjs';
import { taskRunner } from '../parts/task.mjs';
import { wallTile } from '../parts/wall-tile.mjs';
import { workerClient } from '../parts/worker-client.mjs';

const ID = 'wall';
/** What hangs there, in the order in which it is drawn. The first model is small: it draws the first pictures of the page. */
const KINDS = [
  { model: 'syllables-16', noun: 'syllable', count: 13, hasClass: true, temperature: 0.7 },
  { model: 'characters-small', noun: 'character', count: 15, temperature: 0.9 },
  { model: 'tiles', noun: 'map', count: 2, temperature: 0.7 },
];
/** Parts of syllables by their numbers in Unicode: single vowels, and no final consonant or a single one. */
const [VOWELS, FINALS] = [
  [0, 2, 4, 6, 8, 12, 13, 17, 18, 20],
  [0, 0, 1, 4, 8, 16, 17, 19, 21],
];
/** Pictures more than there is room for: now and then one stays blank. */
const SPARE = 3;
/** Milliseconds in which pictures begin, one after the other. */
const BEGINS = 2400;

/**
 * A wall of pictures that draw themselves, from a seed that is the date. Each leads on: a glyph to be drawn by hand, a map to be painted.
 *
 * @param {HTMLElement} root
 * @returns {Promise<void>} once the first of them are drawn, or it is said why not
 */
export function mountWall(root) {
  const client = workerClient();
  const task = taskRunner({ onChange: () => {} });
  const tiles = KINDS.flatMap((kind) =>
    Array.from({ length: kind.count }, (_, i) => wallTile({ ...kind, number: i + 1, onChoose })),
  );
  const buttons = tiles.map(({ element }) => element);
  buttons[0].tabIndex = 0;
  const wall = h(
    'div.wall',
    { role: 'group', 'aria-label': 'Invented just now. Choose one to go on with it.', onkeydown: move },
    ...buttons,
  );
  const caption = h('span');
  const others = button('Draw others', () => hang(Math.floor(MAX_SEED * Math.random())));
  let seed = 0;
  root.append(h('div.wall-room', wall, h('div.wall-foot', caption, others), task.element));
  onAddress(ID, open);
  return open(readAddress(ID) ?? new Map());

  /** The pictures of an address, or else of today. */
  function open(query) {
    const address = addressReader(query);
    const first = hang(address.number('seed', { min: 0, max: MAX_SEED }) ?? today());
    if (address.complaint !== '') task.say(address.complaint);
    return first;
  }

  /** Draws all pictures of a seed, kind by kind. Resolves once there are some. */
  function hang(now) {
    seed = now;
    caption.textContent = seed === today() ? `The seed is the date, ${seed}.` : `The seed is ${seed}.`;
    caption.textContent += ' Choose a picture to go on with it.';
    if (seed !== today()) setAddress(addressOf(ID, { seed }));
    return new Promise((resolve) => task.restart((signal) => drawAll(signal, resolve)).then(resolve));
  }

  async function drawAll(signal, onFirst) {
    for (const tile of tiles) tile.clear();
    const random = randomOf(seed);
    for (const { model, count, temperature = 1, hasClass } of KINDS) {
      const classes = hasClass ? Array.from({ length: count + SPARE }, () => syllableOf(random)) : undefined;
      const job = {
        kind: 'sample',
        model,
        numImages: count + SPARE,
        seed,
        temperature,
        ...(classes && { classes }),
      };
      const { levels } = await client.run(job, { signal });
      const size = levels.length / (count + SPARE);
      const pictures = Array.from({ length: count + SPARE }, (_, i) => ({
        levels: Uint8Array.from(levels.slice(i * size, (i + 1) * size)),
        syllable: classes?.[i],
      }));
      const isBlank = ({ levels }) => levels.every((level) => level === 0);
      pictures.sort((a, b) => isBlank(a) - isBlank(b)); // blank ones are left over
      for (const [i, tile] of tiles.filter((tile) => tile.model === model).entries()) {
        const wait = isMotionReduced() ? null : (BEGINS * i) / count;
        tile.draw(pictures[i].levels, wait, pictures[i].syllable);
      }
      onFirst();
      await new Promise(requestAnimationFrame); // these are seen before others are asked for
    }
  }

  /** Goes on with a glyph as far as it is drawn, or from its middle; a map is whole. */
  function onChoose({ model, values, condition }) {
    const text = textOfLevels(values);
    if (model === 'tiles') goTo(addressOf('maps', { tiles: text }));
    else if (condition === undefined) goTo(addressOf('drawing', { model: 'characters', values: text }));
    else goTo(addressOf('drawing', { model, class: condition, values: text }));
  }

  /** Arrow keys go from picture to picture: the Tab key finds one of them. */
  function move(event) {
    const at = buttons.indexOf(document.activeElement);
    const to = { ArrowLeft: at - 1, ArrowUp: at - 1, ArrowRight: at + 1, ArrowDown: at + 1 }[event.key];
    if (buttons[to] === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    buttons[at].tabIndex = -1;
    buttons[to].tabIndex = 0;
    buttons[to].focus();
  }
}

/** Also where the page is at that address already. */
function goTo(address) {
  if (location.href === address) dispatchEvent(new Event('hashchange'));
  else location.href = address;
}

/** The number of a syllable of parts that have room at 16 by 16 pixels. */
function syllableOf(random) {
  const one = (all) => all[Math.floor(all.length * random())];
  return (21 * Math.floor(19 * random()) + one(VOWELS)) * 28 + one(FINALS);
}

/** 20261129: the date where the visitor is. */
function today() {
  const now = new Date();
  return 10_000 * now.getFullYear() + 100 * (now.getMonth() + 1) + now.getDate();
}
