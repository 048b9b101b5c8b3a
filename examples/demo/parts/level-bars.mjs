import { h } from './dom.mjs';

const CHANNELS = ['Red', 'Green', 'Blue'];

/**
 * How likely the model found each level of one pixel, given all that comes before it, and which it has: a row of bars for each channel. Of the pixel
 * pointed at last; before that, of the one that surprises most.
 *
 * @typedef {object} Measured
 * @property {Uint8Array} levels of the image
 * @property {Float32Array} bits of each value
 * @property {Float32Array} probabilities of each level of each value
 */
export function levelBars() {
  const title = h('h3', {}, 'What it expected');
  const rows = h('div.level-rows');
  /** @type {Measured | null} */
  let measured = null;
  let shape = [1, 1, 1];
  let chosen = null;

  /**
   * @param {Measured} now
   * @param {import('../catalogue.mjs').Entry} entry
   */
  function show(now, entry) {
    if (String(shape) !== String(entry.shape)) chosen = null;
    measured = now;
    shape = entry.shape;
    draw();
  }

  function point(row, column) {
    chosen = { row, column };
    if (measured !== null) draw();
  }

  function draw() {
    const { levels, bits, probabilities } = measured;
    const [, width, channels] = shape;
    const perValue = probabilities.length / levels.length;
    const { row, column } = chosen ?? mostSurprising(bits, width, channels);
    title.textContent = `What it expected at row ${row}, column ${column}`;
    const first = (row * width + column) * channels;
    rows.replaceChildren(
      ...Array.from({ length: channels }, (_, channel) => {
        const value = first + channel;
        const chances = probabilities.subarray(value * perValue, (value + 1) * perValue);
        return rowOf(channels === 1 ? 'Level' : CHANNELS[channel], chances, levels[value]);
      }),
    );
  }

  return { element: h('div.levels', {}, title, rows), show, point };
}

function mostSurprising(bits, width, channels) {
  const pixel = Math.floor(bits.indexOf(Math.max(...bits)) / channels);
  return { row: Math.floor(pixel / width), column: pixel % width };
}

function rowOf(name, chances, actual) {
  const most = Math.max(...chances);
  const bars = Array.from(chances, (chance, level) => {
    const bar = h(level === actual ? 'i.actual' : 'i');
    bar.style.setProperty('--height', chance / most);
    return bar;
  });
  const of = (level) => `${level} (${percent(chances[level])})`;
  const words = `${name} ${of(actual)}; likeliest ${of(chances.indexOf(most))}`;
  return h(
    'figure',
    {},
    h(
      chances.length > 40 ? 'div.level-row.fine' : 'div.level-row',
      { role: 'img', 'aria-label': `${words}. Bars of all ${chances.length} levels.` },
      ...bars,
    ),
    h('figcaption', { 'aria-hidden': 'true' }, words),
  );
}

const percent = (chance) =>
  chance < 0.001 ? 'under 0.1%' : `${(100 * chance).toFixed(chance < 0.1 ? 1 : 0)}%`;
