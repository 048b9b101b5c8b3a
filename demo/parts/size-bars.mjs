import { h } from './dom.mjs';

/**
 * Bars of sizes to compare, all from zero.
 *
 * @typedef {{ name: string, size: number, words: string, isPresent?: boolean }} Bar `words`: what stands at its end
 */
export function sizeBars() {
  const element = h('div.bars');

  /** @param {Bar[]} bars */
  function show(bars) {
    const most = Math.max(...bars.map(({ size }) => size));
    element.replaceChildren(
      ...bars.map(({ name, size, words, isPresent }) => {
        const fill = h('span');
        fill.style.width = `${(100 * size) / most}%`;
        return h(
          isPresent ? 'div.bar.present' : 'div.bar',
          h('span.bar-name', name),
          h('span.bar-track', { 'aria-hidden': 'true' }, fill),
          h('span.bar-value', words),
        );
      }),
    );
  }

  return { element, show };
}
