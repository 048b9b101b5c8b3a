import { h } from './dom.mjs';

/** How likely an image is given each class, in bits, and how likely each class is given the image. */
export function classBars() {
  const headline = h('p.headline', { role: 'status' });
  const list = h('ol.class-bars');
  const element = h(
    'div.classes',
    h('p.class-key', h('span', 'class'), h('span', 'bits'), h('span'), h('span', 'chance')),
    list,
  );

  /**
   * @param {number[]} nats log p of the image given each class
   * @param {number | null} background log p of the image by a background model, where there is one
   * @param {import('./classes.mjs').Class[]} classes
   * @param {import('../catalogue.mjs').Entry} entry
   * @param {number} size values of the image
   */
  function show(nats, background, classes, { usualRatio }, size) {
    const best = Math.max(...nats);
    const weights = nats.map((value) => Math.exp(value - best));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const chances = weights.map((weight) => weight / total);
    const likeliest = nats.indexOf(best);
    const { one } = classes[likeliest];
    const fewer = ((best - background) * Math.LOG2E) / size;
    const isUnusual = background !== null && (fewer < usualRatio[0] || fewer > usualRatio[1]);
    list.classList.toggle('unsure', isUnusual);
    list.replaceChildren(
      ...classes.map(({ name }, k) => {
        const fill = h('span');
        fill.style.width = `${100 * chances[k]}%`;
        return h(
          k === likeliest ? 'li.present' : 'li',
          h('span.class-name', name),
          h('span.class-bits', `${Math.round(-nats[k] * Math.LOG2E)}`, h('span.hidden-text', ' bits,')),
          h('span.bar-track', { 'aria-hidden': 'true' }, fill),
          h('span.class-chance', percent(chances[k])),
        );
      }),
    );
    headline.replaceChildren(
      isUnusual ? 'Unlike its examples, but likeliest: ' : 'Likeliest: ',
      h('strong', one),
      h('small', isUnusual ? ' It may be wrong.' : ` ${percent(chances[likeliest])} sure.`),
    );
  }

  return { headline, element, show };
}

const percent = (chance) =>
  chance > 0.9995 ? '> 99.9%' : chance < 0.001 ? '< 0.1%' : `${(100 * chance).toFixed(1)}%`;
