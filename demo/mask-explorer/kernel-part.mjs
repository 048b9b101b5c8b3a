import { radios } from '../parts/controls.mjs';
import { h } from '../parts/dom.mjs';
import { pixelGrid } from '../parts/pixel-grid.mjs';
import { maskOf } from './mask.mjs';
import { weightWords } from './mask-words.mjs';
import { paintSquares } from './squares.mjs';

/**
 * A mask to choose, and the weights of a kernel that it lets through.
 *
 * @param {HTMLElement} words how many these are, and what each mask is for
 */
export function kernelPart(words) {
  const offer = (name, meaning, ...values) =>
    radios(
      h('span', name, h('span.hint', meaning)),
      values.map((value) => ({ value, label: value })),
      { onchange: show },
    );
  const maskType = offer('Mask type', ' A in the first layer, B in later ones', 'A', 'B');
  const stack = offer(
    'Stack',
    ' which pixels a layer reads: all before “?”, its row, or the rows above',
    'plain',
    'horizontal',
    'vertical',
  );
  const size = offer('Kernel', ' the window that a layer looks through', '1×1', '3×3', '5×5', '7×7');
  size.value = '3×3';
  words.hidden = false;
  const [count, ...purposes] = words.children;
  let mask;
  const grid = pixelGrid({
    label: '',
    hint: 'Choose a square to see why it is used or hidden.',
    paint(context, cell) {
      const { rows, columns, values } = mask;
      const looks = Array.from(values, (isUsed) => isUsed ? { fill: 'accent', ink: 'accent-ink' } : { fill: 'tray' }); // biome-ignore format: one line
      looks[columns * (rows >> 1) + (columns >> 1)].sign = '?';
      paintSquares(context, cell, columns, looks);
    },
    describe: (row, column) => weightWords(mask, stack.value, row, column),
  });

  function show() {
    mask = maskOf(stack.value, maskType.value, Number.parseInt(size.value, 10));
    const { rows, columns, values } = mask;
    const used = values.filter(Boolean).length;
    count.textContent = `${used} of ${values.length} weights are used.`;
    const which = `${stack.value} ${maskType.value}`;
    for (const one of purposes) one.hidden = !one.dataset.mask.includes(which);
    const lines = Array.from({ length: rows }, (_, row) => values.slice(row * columns, (row + 1) * columns).join(' ')); // biome-ignore format: one line
    grid.canvas.setAttribute('aria-label', `Mask, row by row: ${lines.join(', ')}`);
    grid.setSize(rows, columns);
  }
  show();
  return h('div.kernel', h('div.kernel-choice', maskType.element, stack.element, size.element), grid.element, words); // biome-ignore format: one line
}
