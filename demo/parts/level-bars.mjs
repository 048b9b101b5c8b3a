import { h } from './dom.mjs';
import { percent, shadeName } from './odds.mjs';
import { pageLook } from './pictures.mjs';

/**
 * How likely the model found each level of one pixel, given all that comes before it, and which it has: a bar each. Of the pixel
 * pointed at last; before that, of the one that surprises most. `onPlace` is told which it is.
 *
 * @typedef {object} Measured
 * @property {Uint8Array} levels of the image
 * @property {Float32Array} bits of each pixel
 * @property {Float32Array} probabilities of each level of each pixel
 */
export function levelBars({ onPlace }) {
  const title = h('h3', 'What it expected');
  const note = h('p.hint', 'How likely the network found each shade of a pixel.');
  const bars = h('div.level-rows');
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
    const [, width] = kind.shape;
    const { row, column } = chosen ?? mostSurprising(bits, width);
    title.textContent = `What it expected at row ${row + 1}, column ${column + 1}`;
    note.textContent = `${chosen === null ? 'This pixel surprises it most, and' : 'It'} is marked on the map of bits.`;
    onPlace(row, column);
    const pixel = row * width + column;
    const chances = probabilities.subarray(pixel * kind.levels, (pixel + 1) * kind.levels);
    bars.replaceChildren(barsOf(kind, chances, levels[pixel], bits[pixel]));
  }

  return { element: h('div.levels', title, note, bars), show, point };
}

function mostSurprising(bits, width) {
  const pixel = bits.indexOf(Math.max(...bits));
  return { row: Math.floor(pixel / width), column: pixel % width };
}

function barsOf(kind, chances, actual, bits) {
  const most = Math.max(...chances);
  const bars = Array.from(chances, (chance, level) => {
    const bar = h(level === actual ? 'i.actual' : 'i');
    bar.style.setProperty('--height', chance / most);
    return bar;
  });
  const likeliest = chances.indexOf(most);
  const other = `The likeliest was ${shadeName(likeliest, kind)}: ${percent(most)}.`;
  const words = `▼ What came: ${shadeName(actual, kind)}. The network gave it ${percent(chances[actual])}, so it takes ${bits.toFixed(2)} bits. ${likeliest === actual ? 'Nothing was likelier.' : other}`;
  return h(
    'figure',
    h(
      'div.level-row',
      { role: 'img', 'aria-label': `${words} Bars of all ${chances.length} levels.` },
      ...bars,
    ),
    shadesOf(kind),
    h('figcaption', { 'aria-hidden': 'true' }, words),
  );
}

/** Under each bar the colour of its level. */
function shadesOf(kind) {
  const { levels: count } = kind;
  const look = pageLook(kind);
  const element = h('div.level-shades', { 'aria-hidden': 'true' });
  const stops = Array.from(
    { length: count },
    (_, level) => `rgb(${look([level], 0)}) ${(100 * level) / count}% ${(100 * (level + 1)) / count}%`,
  );
  element.style.background = `linear-gradient(90deg, ${stops})`;
  return element;
}
