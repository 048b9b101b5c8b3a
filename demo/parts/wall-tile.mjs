import { h } from './dom.mjs';
import { imageData } from './pictures.mjs';

/** Milliseconds in which a picture is drawn before the visitor's eyes. */
const DRAWS = 2200;
const FIRST_SYLLABLE = '가'.charCodeAt(0);

/**
 * A picture of the wall, as far as it is drawn: a button to go on with it.
 *
 * @param {object} options
 * @param {string} options.model
 * @param {string} options.noun what it shows
 * @param {number} options.number among those of its kind, from 1
 * @param {(chosen: { model: string, values: number[], condition?: number }) => void} options.onChoose
 */
export function wallTile({ model, noun, number, onChoose }) {
  const canvas = h('canvas', { width: 1, height: 1, 'aria-hidden': 'true' });
  const context = canvas.getContext('2d');
  const element = h(
    `button.wall-tile.wall-${noun}`,
    { type: 'button', tabIndex: -1, disabled: true, 'aria-label': `${noun} ${number}`, onclick: choose },
    canvas,
  );
  let levels = new Uint8Array();
  /** The whole picture, at its size on the canvas. */
  let whole = canvas;
  let shown = 0;
  /** The number of a syllable in Unicode. @type {number | undefined} */
  let syllable;
  /** Counts the pictures that were drawn here: an earlier one stops. */
  let turn = 0;

  function choose() {
    const isWhole = shown >= levels.length;
    const count = isWhole && noun !== 'map' ? levels.length / 2 : shown;
    onChoose({ model, values: [...levels.slice(0, count)], condition: syllable });
  }

  /** Shows the first pixels, and marks the one that comes next. */
  function show(count) {
    shown = count;
    const side = Math.sqrt(levels.length);
    const cell = whole.width / side;
    const [row, column] = [Math.floor(count / side), count % side];
    context.clearRect(0, 0, canvas.width, canvas.height);
    const copy = (...area) => area[2] > 0 && area[3] > 0 && context.drawImage(whole, ...area, ...area);
    copy(0, 0, whole.width, row * cell);
    copy(0, row * cell, column * cell, cell);
    if (count === levels.length) return;
    context.fillStyle = '#3a4bd6';
    context.fillRect(column * cell, row * cell, cell, cell);
  }

  return {
    element,
    model,
    clear() {
      turn += 1;
      element.disabled = true;
      context.clearRect(0, 0, canvas.width, canvas.height);
    },
    /**
     * Draws a picture.
     *
     * @param {Uint8Array} now its levels
     * @param {number | null} wait milliseconds before it begins; null to be there at once
     * @param {number} [condition] which syllable it was asked for
     */
    async draw(now, wait, condition) {
      const own = ++turn;
      levels = now;
      syllable = condition;
      if (condition !== undefined) {
        element.title = String.fromCharCode(FIRST_SYLLABLE + condition);
        element.setAttribute('aria-label', `${noun} ${element.title}`);
      }
      whole = await (model === 'tiles' ? mapOf(levels) : glyphOf(levels));
      if (own !== turn) return;
      [canvas.width, canvas.height] = [whole.width, whole.height];
      element.disabled = false;
      if (wait === null) return show(levels.length);
      show(0);
      const start = performance.now() + wait;
      requestAnimationFrame(function next(time) {
        if (own !== turn) return;
        const share = Math.min(1, Math.max(0, (time - start) / DRAWS));
        show(Math.floor(share * levels.length));
        if (share < 1) requestAnimationFrame(next);
      });
    },
  };
}

function glyphOf(levels) {
  const width = Math.sqrt(levels.length);
  const canvas = h('canvas', { width, height: width });
  canvas.getContext('2d').putImageData(imageData(levels, { shape: [width, width, 1], levels: 2 }), 0, 0);
  return canvas;
}

async function mapOf(tiles) {
  const { shapesOf, TILE_PIXELS } = await import('../../examples/tiles/art.mjs');
  const side = Math.sqrt(tiles.length) * TILE_PIXELS;
  const canvas = h('canvas', { width: side, height: side });
  const context = canvas.getContext('2d');
  for (const { x, y, width, height, fill } of shapesOf(tiles)) {
    context.fillStyle = fill;
    context.fillRect(x, y, width, height);
  }
  return canvas;
}
