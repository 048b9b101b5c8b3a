import { radios } from '../parts/controls.mjs';
import { h } from '../parts/dom.mjs';
import { pixelGrid } from '../parts/pixel-grid.mjs';
import { maskOf } from './mask.mjs';
import { maskWords, weightWords } from './mask-words.mjs';
import { paintSquares } from './squares.mjs';

/** A mask to choose, and the weights of a kernel that it lets through. */
export function kernelPart() {
  const offer = (legend, ...values) =>
    radios(
      legend,
      values.map((value) => ({ value, label: value })),
      { onchange: show },
    );
  const maskType = offer('Mask type', 'A', 'B');
  const stack = offer('Stack', 'plain', 'horizontal', 'vertical');
  const size = offer('Kernel', '1×1', '3×3', '5×5', '7×7');
  size.value = '3×3';
  const words = h('p', { 'aria-live': 'polite' });
  let mask;
  const grid = pixelGrid({
    label: '',
    hint: 'Point at a square, or use arrow keys, to see why it is used or hidden.',
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
    words.textContent = `${used} of ${values.length} weights are used. ${maskWords(stack.value, maskType.value)}`;
    const lines = Array.from({ length: rows }, (_, row) => values.slice(row * columns, (row + 1) * columns).join(' ')); // biome-ignore format: one line
    grid.canvas.setAttribute('aria-label', `Mask, row by row: ${lines.join(', ')}`);
    grid.setSize(rows, columns);
  }
  show();
  return h('div.kernel', h('div.kernel-choice', maskType.element, stack.element, size.element, words), grid.element); // biome-ignore format: one line
}
