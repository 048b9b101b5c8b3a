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

/** Bits of the signature and the heads of any PNG, about. */
const PNG_FRAME = 480;

/** How many bits an image takes: of the model, of one that knows nothing, of a PNG, and of the mean test image. */
export function bitBars() {
  const headline = h('p.headline', { role: 'status' });
  const bars = sizeBars();

  /**
   * @param {number} bits of the whole image
   * @param {import('../catalogue.mjs').Entry} entry
   * @param {number} size values of the image
   * @param {number | null} pngBits null where it is not known
   */
  function show(bits, { levels, testBits }, size, pngBits) {
    const uniform = size * Math.log2(levels);
    headline.replaceChildren(
      'This image: ',
      h('strong', `${whole(bits)} bits`),
      h(
        'small',
        ` A model that knows nothing needs ${whole(uniform)}.`,
        pngBits === null ? '' : ` A PNG takes ${whole(pngBits)}, some ${PNG_FRAME} of them its frame.`,
      ),
      h('small', ` ${(bits / size).toFixed(2)} bits per dimension: ${whole(bits)} bits for ${size} values.`),
    );
    const bar = (name, size, isPresent = false) => ({ name, size, words: whole(size), isPresent });
    bars.show([
      bar('this image', bits, true),
      ...(testBits === null ? [] : [bar('mean of the test images', size * testBits)]),
      bar('uniform guess', uniform),
      ...(pngBits === null ? [] : [bar('as a PNG', pngBits)]),
    ]);
  }

  return { headline, element: bars.element, show };
}

const whole = (bits) => Math.round(bits).toLocaleString('en');
