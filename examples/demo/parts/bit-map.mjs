import { radios } from './controls.mjs';
import { colour, h } from './dom.mjs';
import { drawRing, pixelGrid } from './pixel-grid.mjs';

const CHANNELS = ['Red', 'Green', 'Blue'];

/** Where the bits go: each pixel by how many bits the model spends on it, in numbers under the cursor. `onPoint` is told where that is. */
export function bitMap({ onPoint }) {
  let bits = null;
  let shape = [1, 1, 1];
  let most = 8; // bits at which the scale ends
  let marked = null;
  const grid = pixelGrid({
    label: 'Bits of each pixel',
    hint: 'Arrow keys or the pointer: the bits of a pixel in numbers.',
    paint,
    describe,
    onPoint,
  });
  const parts = radios(
    'Bits of',
    [{ value: 'all', label: 'all channels' }, ...CHANNELS.map((label, i) => ({ value: String(i), label }))],
    { onchange: () => grid.refresh() },
  );
  parts.element.hidden = true;
  const marks = h('div.scale-marks');
  const element = h(
    'div.map',
    grid.element,
    parts.element,
    h(
      'figure.scale',
      h('div.scale-bar', { 'aria-hidden': 'true' }),
      marks,
      h('figcaption', 'bits: expected (few) to surprising (many)'),
    ),
  );

  /** Of one pixel: the mean of its channels, or one of them. */
  function bitsAt(pixel) {
    const channels = shape[2];
    const own = bits.subarray(pixel * channels, (pixel + 1) * channels);
    return parts.value === 'all'
      ? own.reduce((sum, value) => sum + value, 0) / channels
      : own[Number(parts.value)];
  }

  function paint(context, cell) {
    if (bits === null) return;
    const [height, width] = shape;
    const [few, many] = [colour('--heat-few'), colour('--heat-many')].map((text) =>
      text.match(/\d+/g).map(Number),
    );
    for (let pixel = 0; pixel < height * width; pixel++) {
      const share = Math.min(1, bitsAt(pixel) / most);
      const [x, y] = [(pixel % width) * cell, Math.floor(pixel / width) * cell];
      context.fillStyle = `rgb(${few.map((from, i) => Math.round(from + share * (many[i] - from)))})`;
      context.fillRect(x, y, cell, cell);
    }
    if (marked !== null) drawRing(context, cell, marked);
  }

  function describe(row, column) {
    if (bits === null) return 'not measured yet';
    const [, width, channels] = shape;
    const pixel = row * width + column;
    const own = [...bits.subarray(pixel * channels, (pixel + 1) * channels)].map((value) => value.toFixed(2));
    if (channels === 1) return `${own[0]} bits`;
    return `${bitsAt(pixel).toFixed(2)} bits${parts.value === 'all' ? ' a channel' : ''} (${own.map((value, i) => `${CHANNELS[i].toLowerCase()} ${value}`).join(', ')})`;
  }

  /**
   * @param {Float32Array} values bits of each value
   * @param {import('../catalogue.mjs').Entry} entry
   */
  function show(values, entry) {
    const isOther = String(shape) !== String(entry.shape);
    bits = values;
    shape = entry.shape;
    const uniform = Math.log2(entry.levels);
    most = uniform > 6 ? 12 : 8;
    const mark = (at, text, className = '') => {
      const element = h(`span${className}`, text);
      element.style.left = `${(100 * at) / most}%`;
      return element;
    };
    marks.replaceChildren(
      mark(0, '0'),
      mark(uniform, `uniform ${uniform.toFixed(1)}`, '.uniform'),
      mark(most, `${most}+`),
    );
    parts.element.hidden = shape[2] === 1;
    if (shape[2] === 1) parts.value = 'all';
    if (isOther) {
      marked = null;
      grid.setSize(shape[0], shape[1]);
    }
    grid.refresh();
  }

  /** Marks the pixel of which more is told elsewhere. */
  function mark(row, column) {
    marked = { row, column };
    grid.refresh();
  }

  return { element, show, mark };
}
