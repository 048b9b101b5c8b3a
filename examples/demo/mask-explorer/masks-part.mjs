import { h } from '../parts/dom.mjs';
import { choice } from './choice.mjs';
import { kernelPlots } from './kernel-plots.mjs';
import { kernelSquares } from './kernel-squares.mjs';
import { maskWords, squareWords } from './mask-words.mjs';

/**
 * Masks of any kind, square by square.
 *
 * @returns {HTMLElement}
 */
export function masksPart() {
  const chosen = { kernelSize: 3, maskType: 'A', vertical: false, imageChannels: 1, features: 1 };
  const count = h('p.mask-count');
  const words = h('p.mask-explanation', { 'aria-live': 'polite' });
  const meaning = h('p.mask-meaning', { 'aria-live': 'polite' });
  const plots = kernelPlots((square) => {
    meaning.textContent = squareWords(square, chosen);
    meaning.classList.toggle('mask-is-used', square.isUsed);
  });

  const offer = (legend, key, options) =>
    choice({
      legend,
      options,
      value: chosen[key],
      onChange: (value) => {
        chosen[key] = value;
        show();
      },
    });
  const sizes = (...values) => values.map((value) => [`${value}`, value]);
  const controls = h(
    'div.mask-controls',
    offer('Mask type', 'maskType', [['A', 'A'], ['B', 'B']]), // biome-ignore format: one line
    offer('Kernel', 'kernelSize', [1, 3, 5, 7].map((size) => [`${size}×${size}`, size])), // biome-ignore format: one line
    offer('Stack', 'vertical', [['plain', false], ['vertical', true]]), // biome-ignore format: one line
    offer('Image channels', 'imageChannels', sizes(1, 2, 3, 4)),
    offer('Features per channel', 'features', sizes(1, 2, 3)),
  );

  function show() {
    const kernels = kernelSquares(chosen);
    const squares = kernels.flat(3);
    const used = squares.filter(({ isUsed }) => isUsed).length;
    count.textContent = `${used} of ${squares.length} weights are used.`;
    words.textContent = maskWords(chosen).join(' ');
    plots.show(kernels, chosen);
  }
  show();

  return h(
    'div',
    controls,
    h(
      'div.mask-columns',
      h('div.mask-scroll', plots.root),
      h(
        'div',
        words,
        h(
          'ul.mask-legend',
          h('li', h('i.mask-square.mask-used'), 'weight used'),
          h('li', h('i.mask-square'), 'set to zero'),
          h('li', h('i.mask-square.mask-centre'), 'the current pixel'),
        ),
        count,
        h('h4', 'The square pointed at'),
        meaning,
      ),
    ),
  );
}
