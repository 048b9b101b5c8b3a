import { sizeOf } from '../catalogue.mjs';
import { radios } from './controls.mjs';
import { colour, h } from './dom.mjs';
import { shadeName } from './odds.mjs';
import { paintsOf } from './paints.mjs';
import { pageLook } from './pictures.mjs';
import { pixelGrid } from './pixel-grid.mjs';

/** Rows from which on a stroke is wider than a pixel. */
const LARGE = 16;
/** How much ink the edges of a stroke have. */
const SOFT = 0.45;

/**
 * An image to change pixel by pixel: to paint, and where asked for to rub out.
 *
 * @param {object} options
 * @param {string} options.label
 * @param {import('./pictures.mjs').Kind} options.kind of the blank image that it begins with
 * @param {boolean} options.canRubOut
 * @param {boolean} [options.hasPen] to draw on larger images, in strokes as wide as those of handwriting there
 * @param {() => void} options.onChange
 * @param {() => void} [options.onPaint] after each change that the visitor has made
 * @param {(row: number, column: number) => void} [options.onPoint]
 */
export function pixelEditor({ label, kind, canRubOut, hasPen = false, onChange, onPaint, onPoint }) {
  let original = new Uint8Array(sizeOf(kind.shape));
  let values = original.slice();
  let known = new Uint8Array(values.length).fill(1); // 0 where a pixel is rubbed out
  let isDisabled = false;
  /** @type {ReturnType<typeof radios>} */
  let tools;
  const toolPlace = h('div');
  const grid = pixelGrid({
    label,
    hint: canRubOut ? 'Rub out or paint here.' : 'Paint here.',
    paint,
    describe,
    onPoint,
    act,
  });

  function pixelOf(row, column) {
    return row * kind.shape[1] + column;
  }

  function paint(context, cell) {
    const [height, width] = kind.shape;
    const look = pageLook(kind);
    const hatch = hatching(context);
    for (let pixel = 0; pixel < height * width; pixel++) {
      context.fillStyle = known[pixel] ? `rgb(${look(values, pixel)})` : hatch;
      context.fillRect((pixel % width) * cell, Math.floor(pixel / width) * cell, cell, cell);
    }
  }

  function describe(row, column) {
    const pixel = pixelOf(row, column);
    return known[pixel] ? shadeName(values[pixel], kind) : 'rubbed out';
  }

  function act(row, column) {
    if (isDisabled) return;
    const pixel = pixelOf(row, column);
    if (tools.value === 'rub') rub(row, column);
    else if (tools.value === 'pen') draw(row, column);
    else {
      values[pixel] = Number(tools.value);
      known[pixel] = 1;
    }
    changed();
  }

  /** Rubs out a pixel, on larger images also those around it. */
  function rub(row, column) {
    const [height, width] = kind.shape;
    const reach = height < LARGE ? 0 : 1;
    for (const pixel of known.keys()) {
      const away = Math.max(Math.abs(Math.floor(pixel / width) - row), Math.abs((pixel % width) - column));
      if (away <= reach) known[pixel] = 0;
    }
  }

  /** A spot of the pen: two pixels of ink both ways, and softer ones around them, where there is less ink so far. */
  function draw(row, column) {
    const [height, width] = kind.shape;
    for (let y = Math.max(0, row - 1); y < Math.min(height, row + 3); y++) {
      for (let x = Math.max(0, column - 1); x < Math.min(width, column + 3); x++) {
        const away = (y - row - 0.5) ** 2 + (x - column - 0.5) ** 2;
        const share = away < 1 ? 1 : away < 3 ? SOFT : 0;
        values[y * width + x] = Math.max(values[y * width + x], Math.round(share * (kind.levels - 1)));
      }
    }
  }

  function changed(isOfVisitor = true) {
    grid.refresh();
    onChange();
    if (isOfVisitor) onPaint?.();
  }

  function offerTools() {
    const look = pageLook(kind);
    const labelOf = (name, is = '') =>
      h('span', h(`i.swatch${is}`, { 'aria-hidden': 'true' }), h(`span.tool-name${is}`, name));
    const choices = paintsOf(kind).map(({ name, level }) => {
      const label = labelOf(name);
      label.firstChild.style.background = `rgb(${look([level], 0)})`;
      return { value: String(level), label };
    });
    const draws = hasPen && kind.shape[0] >= LARGE;
    if (draws) choices.push({ value: 'pen', label: labelOf('pen', '.pen') });
    if (canRubOut) choices.unshift({ value: 'rub', label: labelOf('rub out', '.rubber') });
    tools = radios('Tool', choices, { className: 'tools' });
    if (!canRubOut) tools.value = draws ? 'pen' : String(kind.levels - 1); // ink
    toolPlace.replaceChildren(tools.element);
  }

  offerTools();
  grid.setSize(kind.shape[0], kind.shape[1]);
  return {
    element: h('div.editor', grid.element, toolPlace),
    /** Of all values of the present image. */
    get values() {
      return values;
    },
    get isWhole() {
      return !known.includes(0);
    },
    /** 1 for each pixel that is not rubbed out. */
    get known() {
      return known.slice();
    },
    set known(pixels) {
      known.set(pixels);
      changed();
    },
    get isPainted() {
      return values.some((value, i) => value !== original[i]);
    },
    get isChanged() {
      return known.includes(0) || this.isPainted;
    },
    /**
     * Shows another image; its tools change with its kind. What is rubbed out stays so, if the image has the size of the one before; gives
     * whether it has.
     */
    setImage(image, imageKind) {
      const isOfThatSize = String(imageKind.shape) === String(kind.shape);
      const isOfOtherKind = !isOfThatSize || imageKind.levels !== kind.levels;
      kind = imageKind;
      original = Uint8Array.from(image);
      values = original.slice();
      if (!isOfThatSize) known = new Uint8Array(kind.shape[0] * kind.shape[1]).fill(1);
      if (isOfOtherKind) offerTools();
      if (!isOfThatSize) grid.setSize(kind.shape[0], kind.shape[1]);
      changed(false);
      return isOfThatSize;
    },
    /** Light for dark, also of what is painted over the image. */
    invert() {
      [original, values] = [original, values].map((levels) => levels.map((level) => kind.levels - 1 - level));
      changed();
    },
    reset() {
      values = original.slice();
      known.fill(1);
      changed();
    },
    /** Rubs out pixels, by their rows and columns, and nothing else: the picture is the same for other panels. */
    rubOut(isOut) {
      const [, width] = kind.shape;
      for (const i of known.keys()) known[i] = isOut(Math.floor(i / width), i % width) ? 0 : 1;
      changed(false);
    },
    /** Leaves blank paper. */
    clear() {
      values = new Uint8Array(values.length);
      known.fill(1);
      changed();
    },
    disable(isNow) {
      isDisabled = isNow;
      tools.element.disabled = isNow;
    },
  };
}

/** Diagonal lines, for pixels that are not there. */
function hatching(context) {
  const tile = h('canvas', { width: 8, height: 8 });
  const painter = tile.getContext('2d');
  painter.fillStyle = colour('--accent-soft');
  painter.fillRect(0, 0, 8, 8);
  painter.strokeStyle = colour('--accent');
  painter.lineWidth = 1.25;
  painter.beginPath();
  for (const x of [-8, 0, 8]) {
    painter.moveTo(x - 1, 9);
    painter.lineTo(x + 9, -1);
  }
  painter.stroke();
  return context.createPattern(tile, 'repeat');
}
