import { h } from './dom.mjs';
import { pageLook } from './pictures.mjs';

/** A strip on which each shade has as much room as it is likely, and a needle that shows where on it the die fell. */
export function dieStrip() {
  const needle = h('span.die-needle', { hidden: true });
  const shades = h('span.die-shades');
  const strip = h('div.die', { 'aria-hidden': 'true' }, shades, needle);
  const element = h('div', strip, h('p.hint', 'The roll lands somewhere on this strip.'));

  return {
    element,
    /**
     * @param {ArrayLike<number>} chances of each level
     * @param {import('./pictures.mjs').Kind} kind
     */
    show(chances, kind) {
      const look = pageLook(kind);
      const colours = Array.from(chances, (_, level) => `rgb(${look([level], 0)})`);
      let sum = 0;
      const stops = colours.map((colour, level) => {
        const from = sum;
        sum += chances[level];
        return `${colour} ${(100 * from).toFixed(2)}% ${(100 * sum).toFixed(2)}%`;
      });
      shades.style.background = `linear-gradient(90deg, ${stops.join(', ')})`;
      needle.hidden = true;
    },
    /** @param {number} share in [0, 1): where the die fell */
    point(share) {
      needle.hidden = false;
      needle.style.left = `${100 * share}%`;
    },
  };
}

/**
 * The level on which a die falls, each with the room that its chance gives it.
 *
 * @param {ArrayLike<number>} chances
 * @param {number} share in [0, 1)
 */
export function levelAt(chances, share) {
  let sum = 0;
  for (let level = 0; level < chances.length; level++) {
    sum += chances[level];
    if (share < sum) return level;
  }
  return chances.indexOf(Math.max(...chances)); // what rounding left over
}
