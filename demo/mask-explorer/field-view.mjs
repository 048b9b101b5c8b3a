import { h } from '../parts/dom.mjs';
import { pixelGrid } from '../parts/pixel-grid.mjs';
import { kindsOf, layersToSee } from './field.mjs';
import { paintSquares } from './squares.mjs';

const SIZE = { height: 7, width: 13 };
const WORDS = {
  here: 'the pixel being guessed',
  later: 'drawn later',
  outside: 'outside the window of these layers',
  blind: 'never seen, through however many layers',
};
const LOOKS = {
  here: { fill: 'ink', ink: 'paper', sign: '?' },
  later: { ink: 'muted', sign: '·' },
  outside: { fill: 'tray' },
  blind: { fill: 'error', share: 0.2, line: 'error', sign: '×' },
};

/**
 * The pixels of an image, by what they are to the one computed.
 *
 * @param {string} title
 * @param {HTMLElement} words what it shows
 * @param {boolean} isGated
 * @param {(row: number, column: number) => void} moveTo another pixel is to be computed
 */
export function fieldView(title, words, isGated, moveTo) {
  let found = new Uint8Array();
  let kinds = [];
  let numLayers = 0;
  const why = words.textContent;
  const counts = h('span', { 'aria-live': 'polite' });
  const grid = pixelGrid({
    label: title,
    hint: 'Choose a pixel to move the “?” there.',
    paint: (context, cell) => paintSquares(context, cell, SIZE.width, kinds.map(look)),
    describe(row, column) {
      const pixel = row * SIZE.width + column;
      const layer = found[pixel];
      return WORDS[kinds[pixel]] ?? `seen through ${layer} layer${layer === 1 ? '' : 's'}`;
    },
    act: moveTo,
  });

  function look(kind, pixel) {
    const layer = found[pixel];
    const line = layer === numLayers ? 'accent' : undefined; // new in this layer
    return LOOKS[kind] ?? { fill: 'accent', share: 0.58 - 0.07 * layer, line, sign: layer };
  }

  function show(place, now) {
    numLayers = now;
    found = layersToSee(isGated, numLayers, place, SIZE);
    kinds = kindsOf(found, numLayers, place, SIZE);
    const count = (wanted) => kinds.filter((kind) => kind === wanted).length;
    counts.textContent = `: sees ${count('seen')} of ${count('seen') + count('blind')} pixels near it`;
    if (!isGated) words.textContent = count('blind') > 0 ? why : 'Here it misses nothing: add layers.';
    grid.refresh();
  }
  grid.setSize(SIZE.height, SIZE.width);
  return { element: h('figure', h('figcaption', h('strong', title), counts), words, grid.element), show };
}
