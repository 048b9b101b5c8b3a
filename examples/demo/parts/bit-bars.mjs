import { h } from './dom.mjs';

/** Bits per dimension as bars: of the image, of the mean test image, and of a model that knows nothing. */
export function bitBars() {
  const headline = h('p.headline', { role: 'status' });
  const element = h('div.bars');

  function bar(name, bits, most, className = '') {
    const fill = h('span');
    fill.style.width = `${Math.min(100, (100 * bits) / most)}%`;
    return h(
      `div.bar${className}`,
      {},
      h('span.bar-name', {}, name),
      h('span.bar-track', { 'aria-hidden': 'true' }, fill),
      h('span.bar-value', {}, bits.toFixed(2)),
    );
  }

  /**
   * @param {number} bits per dimension
   * @param {import('../catalogue.mjs').Entry} entry
   * @param {number} size values of the image
   */
  function show(bits, { levels, testBits }, size) {
    const uniform = Math.log2(levels);
    const most = Math.max(uniform, bits);
    const saved = Math.round(100 * Math.abs(1 - bits / uniform));
    headline.replaceChildren(
      h('strong', {}, bits.toFixed(2)),
      ' bits per dimension',
      h(
        'small',
        {},
        `${Math.round(bits * size)} bits for ${size} values. Knowing nothing takes ${Math.round(uniform * size)}: ${saved}% ${bits < uniform ? 'fewer' : 'more'}.`,
      ),
    );
    element.replaceChildren(
      bar('this image', bits, most, '.present'),
      bar('mean of the test images', testBits, most),
      bar(`uniform: log₂ ${levels}`, uniform, most),
    );
  }

  return { headline, element, show };
}
