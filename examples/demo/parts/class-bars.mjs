import { h } from './dom.mjs';

/** How likely an image is given each class, in bits, and how likely each class is given the image. */
export function classBars() {
  const headline = h('p.headline', { role: 'status' });
  const list = h('ol.class-bars');
  const element = h(
    'div.classes',
    h(
      'p.class-key',
      h('span', 'class'),
      h('span', 'bits as that class: fewer is likelier'),
      h('span', 'chance'),
    ),
    list,
    h(
      'p.hint',
      'Bits are −log₂ p(image | class). The chance is p(class | image), where before looking all classes are equally likely.',
    ),
  );

  /**
   * @param {number[]} nats log p of the image given each class
   * @param {import('./classes.mjs').Class[]} classes
   * @param {import('../catalogue.mjs').Entry} entry
   * @param {number} size values of the image
   */
  function show(nats, classes, { usualBits }, size) {
    const best = Math.max(...nats);
    const weights = nats.map((value) => Math.exp(value - best));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const chances = weights.map((weight) => weight / total);
    const bits = nats.map((value) => -value * Math.LOG2E);
    const likeliest = nats.indexOf(best);
    const most = Math.max(...bits);
    list.replaceChildren(
      ...classes.map(({ name }, k) => {
        const fill = h('span');
        fill.style.width = `${(100 * bits[k]) / most}%`;
        return h(
          k === likeliest ? 'li.present' : 'li',
          h('span.class-name', name),
          h('span.bar-track', { 'aria-hidden': 'true' }, fill),
          h('span.class-bits', `${Math.round(bits[k])}`, h('span.hidden-text', ' bits,')),
          h('span.class-chance', percent(chances[k])),
        );
      }),
    );
    const perDim = bits[likeliest] / size;
    headline.replaceChildren(
      'Likeliest: ',
      h('strong', classes[likeliest].one),
      h('small', ` ${percent(chances[likeliest])} sure. ${usualness(perDim, usualBits)}`),
    );
  }

  return { headline, element, show };
}

const percent = (chance) =>
  chance > 0.9995 ? '> 99.9%' : chance < 0.001 ? '< 0.1%' : `${(100 * chance).toFixed(1)}%`;

function usualness(perDim, [low, high]) {
  const own = `It takes ${perDim.toFixed(2)} bits per dimension`;
  const most = `95% of the test images take ${low.toFixed(2)} to ${high.toFixed(2)}`;
  return perDim < low || perDim > high
    ? `${own}, and ${most}: this one is unusual, so do not trust the answer much.`
    : `${own}; ${most}.`;
}
