import { h } from './dom.mjs';
import { imageData } from './pictures.mjs';

/** Milliseconds in which a picture is drawn before the visitor's eyes. */
const DRAWS = 2200;
const FIRST_SYLLABLE = '가'.charCodeAt(0);

/**
 * A glyph of the wall, as far as it is drawn: a button to go on with it.
 *
 * @param {object} options
 * @param {{ model: string, noun: string }} options.kind
 * @param {number} options.number among those of its kind, from 1
 * @param {(chosen: { model: string, values: number[], from: number, condition?: number }) => void} options.onChoose
 */
export function wallTile({ kind, number, onChoose }) {
  const { model, noun } = kind;
  const canvas = h('canvas', { width: 1, height: 1, 'aria-hidden': 'true' });
  const context = canvas.getContext('2d');
  const element = h(
    `button.wall-tile.wall-${noun}`,
    {
      type: 'button',
      tabIndex: -1,
      disabled: true,
      'aria-label': `invented ${noun} ${number}`,
      onclick: choose,
    },
    canvas,
  );
  let levels = new Uint8Array();
  let shown = 0;
  /** The number of a syllable in Unicode. @type {number | undefined} */
  let syllable;
  /** Counts the pictures that were drawn here: an earlier one stops. */
  let turn = 0;

  function choose() {
    const from = shown < levels.length ? shown : levels.length / 2;
    onChoose({ model, values: [...levels], from, condition: syllable });
  }

  /** Shows the first pixels, and marks the one that comes next. */
  function show(count) {
    shown = count;
    const side = Math.sqrt(levels.length);
    context.putImageData(
      imageData(levels, { shape: [side, side, 1], levels: 2 }, (i) => i < count),
      0,
      0,
    );
    context.fillStyle = '#3a4bd6';
    if (count < levels.length) context.fillRect(count % side, Math.floor(count / side), 1, 1);
  }

  return {
    element,
    kind,
    clear() {
      turn += 1;
      element.disabled = true;
      context.clearRect(0, 0, canvas.width, canvas.height);
    },
    /**
     * Draws a picture.
     *
     * @param {{ levels: Uint8Array, syllable?: number }} picture with the syllable that it was asked for
     * @param {number | null} wait milliseconds before it begins; null to be there at once
     */
    draw(picture, wait) {
      const own = ++turn;
      ({ levels, syllable } = picture);
      if (syllable !== undefined) {
        element.title = String.fromCharCode(FIRST_SYLLABLE + syllable);
        element.setAttribute('aria-label', `${noun} ${element.title}`);
      }
      canvas.width = canvas.height = Math.sqrt(levels.length);
      element.disabled = false;
      if (wait === null) return show(levels.length);
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
