import { MODELS, sizeOf } from '../catalogue.mjs';
import { h } from './dom.mjs';
import { gallery } from './pictures.mjs';

const SHOWN = 8; // images a row

/** Rows of the same samples at more and more steps: each row has about twice as many as the one before. */
export function sampleHistory() {
  const list = h('ol.history');
  const element = h('div', { hidden: true }, h('h3', 'How it got there'), list);
  let next = 0;
  return {
    element,
    /** @param {{ step: number, levels: Int32Array }} samples are shown where enough steps have passed */
    add({ step, levels }) {
      if (step < next) return;
      next = Math.max(25, 2 * step);
      const row = gallery({ label: `Samples at step ${step}`, columns: () => SHOWN });
      row.show(levels.slice(0, SHOWN * sizeOf(MODELS.digits.shape)), MODELS.digits);
      list.append(h('li', h('span', `step ${step}`), row.element));
      element.hidden = false;
    },
    clear() {
      next = 0;
      list.replaceChildren();
      element.hidden = true;
    },
  };
}
