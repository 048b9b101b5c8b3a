import { choice, element } from './dom.mjs';
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
  const count = element('p', { class: 'mask-count' });
  const words = element('p', { class: 'mask-explanation', 'aria-live': 'polite' });
  const meaning = element('p', { class: 'mask-meaning', 'aria-live': 'polite' });
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
  const controls = element(
    'div',
    { class: 'mask-controls' },
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

  return element(
    'div',
    {},
    controls,
    element(
      'div',
      { class: 'mask-columns' },
      element('div', { class: 'mask-scroll' }, plots.root),
      element(
        'div',
        {},
        words,
        element(
          'ul',
          { class: 'mask-legend' },
          element('li', {}, element('i', { class: 'mask-square mask-used' }), 'weight used'),
          element('li', {}, element('i', { class: 'mask-square' }), 'set to zero'),
          element('li', {}, element('i', { class: 'mask-square mask-centre' }), 'the current pixel'),
        ),
        count,
        element('h4', {}, 'The square pointed at'),
        meaning,
      ),
    ),
  );
}
