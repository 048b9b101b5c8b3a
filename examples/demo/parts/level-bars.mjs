import { h } from './dom.mjs';
import { percent } from './odds.mjs';
import { pageLook } from './pictures.mjs';

const CHANNELS = ['Red', 'Green', 'Blue'];

/**
 * How likely the model found each level of one pixel, given all that comes before it, and which it has: a row of bars for each channel. Of the pixel
 * pointed at last; before that, of the one that surprises most. `onPlace` is told which it is.
 *
 * @typedef {object} Measured
 * @property {Uint8Array} levels of the image
 * @property {Float32Array} bits of each value
 * @property {Float32Array} probabilities of each level of each value
 */
export function levelBars({ onPlace }) {
  const title = h('h3', 'What it expected');
  const note = h('p.hint');
  const rows = h('div.level-rows');
  /** @type {Measured | null} */
  let measured = null;
  /** @type {import('./pictures.mjs').Kind} */
  let kind = { shape: [1, 1, 1], levels: 2 };
  let chosen = null;

  /**
   * @param {Measured} now
   * @param {import('../catalogue.mjs').Entry} entry
   */
  function show(now, entry) {
    if (String(kind.shape) !== String(entry.shape)) chosen = null;
    measured = now;
    kind = entry;
    draw();
  }

  function point(row, column) {
    chosen = { row, column };
    if (measured !== null) draw();
  }

  function draw() {
    const { levels, bits, probabilities } = measured;
    const [, width, channels] = kind.shape;
    const perValue = probabilities.length / levels.length;
    const { row, column } = chosen ?? mostSurprising(bits, width, channels);
    title.textContent = `What it expected at row ${row}, column ${column}`;
    note.textContent = `${chosen === null ? 'This pixel surprises it most, and' : 'It'} is marked above. Rows and columns count from 0.`;
    onPlace(row, column);
    const first = (row * width + column) * channels;
    rows.replaceChildren(
      ...Array.from({ length: channels }, (_, channel) => {
        const value = first + channel;
        const chances = probabilities.subarray(value * perValue, (value + 1) * perValue);
        return rowOf(kind, channels === 1 ? null : channel, chances, levels[value]);
      }),
    );
  }

  return { element: h('div.levels', title, note, rows), show, point };
}

function mostSurprising(bits, width, channels) {
  const pixel = Math.floor(bits.indexOf(Math.max(...bits)) / channels);
  return { row: Math.floor(pixel / width), column: pixel % width };
}

/** `channel` is null where there is one. */
function rowOf(kind, channel, chances, actual) {
  const most = Math.max(...chances);
  const bars = Array.from(chances, (chance, level) => {
    const bar = h(level === actual ? 'i.actual' : 'i');
    bar.style.setProperty('--height', chance / most);
    return bar;
  });
  const of = (level) => `${level} (${percent(chances[level])})`;
  const words = `${channel === null ? 'Level' : CHANNELS[channel]} ${of(actual)}; likeliest ${of(chances.indexOf(most))}`;
  return h(
    'figure',
    h(
      chances.length > 40 ? 'div.level-row.fine' : 'div.level-row',
      { role: 'img', 'aria-label': `${words}. Bars of all ${chances.length} levels.` },
      ...bars,
    ),
    shadesOf(kind, channel),
    h('figcaption', { 'aria-hidden': 'true' }, words),
  );
}

/** Under each bar the colour of its level. */
function shadesOf(kind, channel) {
  const { levels: count } = kind;
  const look = pageLook(kind);
  const element = h('div.level-shades', { 'aria-hidden': 'true' });
  const colours = Array.from({ length: count }, (_, level) =>
    look(channel === null ? [level] : [0, 1, 2].map((one) => (one === channel ? level : 0)), 0),
  );
  const stops = colours.map((rgb, i) => `rgb(${rgb}) ${(100 * i) / count}% ${(100 * (i + 1)) / count}%`);
  element.style.background = `linear-gradient(90deg, ${stops})`;
  return element;
}
