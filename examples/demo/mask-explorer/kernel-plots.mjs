import { h } from '../parts/dom.mjs';
import { channelNames } from './channels.mjs';
import { whereWords } from './mask-words.mjs';

/** @typedef {import('./kernel-squares.mjs').Square} Square */

/**
 * Kernels as plots of squares: a row for each channel looked at, a column for each channel computed. The arrow keys move from square to square, also from
 * one plot into the next; one square is in the tab order.
 *
 * @param {(square: Square) => void} onPoint called with the square under the pointer or in focus
 */
export function kernelPlots(onPoint) {
  const root = h('div.mask-plots', { onkeydown, onpointerover: point, onfocusin: point });
  /** All squares as one table, for the arrow keys. @type {HTMLElement[][]} */
  let table = [];
  /** @type {Map<Element, { square: Square, y: number, x: number }>} */
  let known = new Map();
  let active = null;

  function point({ target }) {
    const found = known.get(target);
    if (found === undefined) return;
    activate(target);
    onPoint(found.square);
  }

  function activate(target) {
    active?.setAttribute('tabindex', '-1');
    active?.classList.remove('mask-active');
    active = target;
    active.setAttribute('tabindex', '0');
    active.classList.add('mask-active');
  }

  function onkeydown(event) {
    const { y, x } = known.get(event.target) ?? {};
    const moves = {
      ArrowUp: [y - 1, x],
      ArrowDown: [y + 1, x],
      ArrowLeft: [y, x - 1],
      ArrowRight: [y, x + 1],
      Home: [y, 0],
      End: [y, table.length - 1],
    };
    const [toY, toX] = moves[event.key] ?? [];
    if (toY === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    table[toY]?.[toX]?.focus();
  }

  /**
   * @param {Square[][][][]} kernels [from][to][row][column]
   * @param {import('./kernel-squares.mjs').MaskChoice} choice
   */
  function show(kernels, { imageChannels, features, kernelSize }) {
    const names = channelNames(imageChannels);
    const side = kernels.length * kernelSize;
    table = Array.from({ length: side }, () => []);
    known = new Map();

    const squareOf = (square, y, x) => {
      const state = square.isUsed ? 'used' : 'hidden';
      const isCentre = square.row === 0 && square.column === 0;
      const made = h('div', {
        className: `mask-square${square.isUsed ? ' mask-used' : ''}${isCentre ? ' mask-centre' : ''}`,
        role: 'gridcell',
        tabIndex: -1,
        'aria-label': `${whereWords(square)}: ${state}`,
      });
      table[y][x] = made;
      known.set(made, { square, y, x });
      return made;
    };
    const plotOf = (squares, from, to) => {
      const rows = squares.map((row, i) => {
        const made = row.map((square, j) => squareOf(square, from * kernelSize + i, to * kernelSize + j));
        return h('div', { role: 'row' }, ...made);
      });
      const part = (index) =>
        features === 1 ? names[index] : `${names[Math.floor(index / features)]} ${(index % features) + 1}`;
      const label = `${part(from)} looked at, ${part(to)} computed`;
      return h('div.mask-kernel', { role: 'grid', 'aria-label': label }, ...rows);
    };
    const pairOf = (seen, computed) => {
      const plots = [];
      for (let i = seen * features; i < (seen + 1) * features; i++) {
        for (let j = computed * features; j < (computed + 1) * features; j++) {
          plots.push(plotOf(kernels[i][j], i, j));
        }
      }
      return h('div.mask-pair', ...plots);
    };
    const heading = (name, kind) => h(`div.mask-name.mask-${kind}`, h(`i.mask-dot.mask-${name}`), name);

    root.style.setProperty('--mask-channels', imageChannels);
    root.style.setProperty('--mask-features', features);
    root.style.setProperty('--mask-kernel', kernelSize);
    root.replaceChildren(
      h('div.mask-corner', h('span', 'computed →'), h('span', 'looked at ↓')), // biome-ignore format: one line
      ...names.map((name) => heading(name, 'column')),
      ...names.flatMap((name, seen) => [
        heading(name, 'row'),
        ...names.map((_, computed) => pairOf(seen, computed)),
      ]),
    );
    const first = table[kernelSize >> 1][kernelSize >> 1]; // a centre: what the first channel may see of itself
    activate(first);
    onPoint(known.get(first).square);
  }

  return { root, show };
}
