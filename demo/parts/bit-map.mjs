import { colour, h } from './dom.mjs';
import { drawRing, pixelGrid } from './pixel-grid.mjs';

/** Bits at which the scale ends. */
const MOST = 8;

/** Where the bits go: each pixel by how many bits the model spends on it, in numbers under the cursor. `onPoint` is told where that is. */
export function bitMap({ onPoint }) {
  let bits = null;
  let shape = [1, 1, 1];
  let marked = null;
  const grid = pixelGrid({
    label: 'Bits of each pixel',
    hint: 'Choose a pixel to see its bits.',
    paint,
    describe,
    onPoint,
  });
  const marks = h('div.scale-marks');
  const element = h(
    'div.map',
    grid.element,
    h(
      'figure.scale',
      h('div.scale-bar', { 'aria-hidden': 'true' }),
      marks,
      h('figcaption', 'bits: expected (few) to surprising (many)'),
    ),
  );

  function paint(context, cell) {
    if (bits === null) return;
    const [height, width] = shape;
    const [few, many] = [colour('--heat-few'), colour('--heat-many')].map((text) =>
      text.match(/\d+/g).map(Number),
    );
    for (let pixel = 0; pixel < height * width; pixel++) {
      const share = Math.min(1, bits[pixel] / MOST);
      const [x, y] = [(pixel % width) * cell, Math.floor(pixel / width) * cell];
      context.fillStyle = `rgb(${few.map((from, i) => Math.round(from + share * (many[i] - from)))})`;
      context.fillRect(x, y, cell, cell);
    }
    if (marked !== null) drawRing(context, cell, marked);
  }

  function describe(row, column) {
    return bits === null ? 'not measured yet' : `${bits[row * shape[1] + column].toFixed(2)} bits`;
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
    const mark = (at, text, className = '') => {
      const element = h(`span${className}`, text);
      element.style.left = `${(100 * at) / MOST}%`;
      return element;
    };
    marks.replaceChildren(
      mark(0, '0'),
      mark(uniform, `blind guessing ${uniform.toFixed(1)}`, uniform < 2 ? '.uniform.low' : '.uniform'),
      mark(MOST, `${MOST}+`),
    );
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
