import { radios, slider } from '../parts/controls.mjs';
import { h, whenNear } from '../parts/dom.mjs';
import { levelsOfText } from '../parts/levels-text.mjs';
import { pixelGrid } from '../parts/pixel-grid.mjs';
import { isMotionReduced } from '../parts/replay.mjs';
import { kindsOf, layersToSee } from './field.mjs';
import { paintSquares } from './squares.mjs';

/** A syllable, down to the row below the pixel that is guessed at first. */
const SIZE = { height: 12, width: 16 };
const PICTURE = levelsOfText(
  '0G10F1B0B110C10B10B10C10B10B10010010B10B1C010B10B10D1B0C10M10M10I1A0J10A10H10C10B',
  { levels: 2, size: SIZE.height * SIZE.width },
);
const FIRST = 166; // in row 10, column 6
/** As many as the networks have; and milliseconds for each, at first. */
const [LAYERS, EACH] = [6, 700];
const WORDS = {
  here: 'the pixel being guessed',
  later: 'drawn later',
  outside: 'too far away for these layers',
  blind: 'never seen, through however many layers',
};

const rowOf = (pixel) => Math.floor(pixel / SIZE.width);
const columnOf = (pixel) => pixel % SIZE.width;

/**
 * What a pixel sees through a few layers, by one plain stack or by two.
 *
 * @param {HTMLElement} words of layers
 * @param {HTMLElement} ofStacks what each sees, and what it makes of the first pixel
 */
export function layersPart(words, ofStacks) {
  let here = FIRST;
  let [found, kinds, growing] = [[], []];
  const stack = radios('Network', [{ value: 'one', label: 'One stack' }, { value: 'two', label: 'Two stacks' }], { onchange: show }); // biome-ignore format: one line
  const layers = slider('Layers', { min: 1, max: LAYERS, step: 1, value: LAYERS });
  layers.input.addEventListener('input', () => {
    clearTimeout(growing);
    show();
  });
  const grid = pixelGrid({
    label: 'What the network sees',
    hint: 'Choose a pixel to move the “?” there.',
    paint: (context, cell) => paintSquares(context, cell, SIZE.width, kinds.map(look)),
    describe(row, column) {
      const pixel = row * SIZE.width + column;
      const layer = found[pixel];
      return WORDS[kinds[pixel]] ?? `seen through ${layer} layer${layer === 1 ? '' : 's'}`;
    },
    act(row, column) {
      here = row * SIZE.width + column;
      show();
    },
  });

  function isTwo() {
    return stack.value === 'two';
  }

  function look(kind, pixel) {
    const isBlack = PICTURE[pixel] === 1;
    const isNew = found[pixel] === layers.input.valueAsNumber; // in the last of the layers
    const [up, right] = [rowOf(here) - rowOf(pixel), columnOf(pixel) - columnOf(here)];
    const isHop = right > 0 && up === (isTwo() ? 1 : right); // as far to the right as it can come
    const hop = up === right ? '↗\uFE0E' : '→'; // not as an emoji
    return {
      here: { fill: 'accent', ink: 'accent-ink', sign: '?' },
      later: { ink: 'muted', sign: '·' },
      outside: { fill: isBlack ? 'field-line' : 'tray' },
      blind: { fill: isBlack ? 'blind-line' : 'blind', ink: isBlack ? 'blind' : 'blind-line', sign: '×' },
      seen: { fill: isBlack ? 'black' : 'seen', line: isNew && 'accent', ink: isBlack ? 'seen' : 'accent', sign: isHop ? hop : '' }, // biome-ignore format: one line
    }[kind];
  }

  function show() {
    const count = layers.input.valueAsNumber;
    const place = { row: rowOf(here), column: columnOf(here) };
    found = layersToSee(isTwo(), count, place, SIZE);
    kinds = kindsOf(found, count, place, SIZE);
    for (const one of ofStacks.children)
      one.hidden = one.dataset.stack !== stack.value || ('first' in one.dataset && here !== FIRST);
    grid.refresh();
  }
  function grow(count) {
    layers.set(count);
    show();
    if (count < LAYERS) growing = setTimeout(grow, EACH, count + 1);
  }
  grid.setSize(SIZE.height, SIZE.width);
  show();
  const element = h('div.layers', words, grid.element, stack.element, ofStacks, layers.element);
  whenNear(element, () => isMotionReduced() || grow(1), '-200px');
  return element;
}
