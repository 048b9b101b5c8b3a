import { SETS } from '../worker/training-sets.mjs';
import { button } from './controls.mjs';
import { h } from './dom.mjs';
import { gallery, pageLook } from './pictures.mjs';
import { pixelGrid } from './pixel-grid.mjs';
import { shifted } from './shifted.mjs';
import { store } from './store.mjs';
import { toggle } from './toggle.mjs';

const KEY = 'pixelcnn-layers-drawings';
const [SIDE] = SETS.drawings.shape;
const SIZE = SIDE * SIDE;

/**
 * The visitor's drawings in black and white, and a grid to draw more; kept in this browser.
 *
 * @param {{ onChange: () => void }} options
 */
export function ownDrawings({ onChange }) {
  let ink = 1; // of the present stroke, which begins by changing a pixel
  let pixels = new Uint8Array(SIZE);
  const pictures = gallery({ label: 'Your drawings', columns: () => 6 });
  const said = h('p.status', { role: 'status' });
  const mirror = toggle('Learn them mirrored, too', { isOn: false });
  const grid = pixelGrid({
    label: 'Your drawing',
    hint: 'Draw here.',
    paint(context, cell) {
      const look = pageLook(SETS.drawings);
      for (const pixel of pixels.keys()) {
        context.fillStyle = `rgb(${look(pixels, pixel)})`;
        context.fillRect((pixel % SIDE) * cell, Math.floor(pixel / SIDE) * cell, cell, cell);
      }
    },
    describe: (row, column) => (pixels[row * SIDE + column] ? 'ink' : 'paper'),
    act(row, column, isFirst) {
      if (isFirst) ink = 1 - pixels[row * SIDE + column];
      pixels[row * SIDE + column] = ink;
    },
  });

  /** Anew each time: another tab may have added some. */
  const read = () => (store[KEY] ?? '').split(' ').filter(({ length }) => length === SIZE);

  function write(drawings) {
    try {
      store[KEY] = drawings.join(' ');
    } catch {
      said.textContent = 'This browser has no room for more drawings.';
      return;
    }
    clear();
    onChange();
  }

  function clear() {
    const drawings = read();
    pixels = new Uint8Array(SIZE);
    grid.refresh();
    said.textContent = `Drawings: ${drawings.length}. Ten are enough to begin with.`;
    pictures.element.hidden = drawings.length === 0;
    if (drawings.length > 0) pictures.show(Uint8Array.from(drawings.join('')), SETS.drawings);
  }

  grid.setSize(SIDE, SIDE);
  clear();
  return {
    element: h(
      'div.editor',
      grid.element,
      h(
        'div.buttons',
        button('Add', () => pixels.includes(1) && write([...read(), pixels.join('')])),
        button('Clear', clear),
        button('Remove last', () => write(read().slice(0, -1))),
      ),
      pictures.element,
      said,
      mirror.element,
    ),
    get count() {
      return read().length;
    },
    /** To train on: also shifted a little. */
    get images() {
      return shifted(read(), SIDE, mirror.input.checked);
    },
  };
}
