import { slider } from '../parts/controls.mjs';
import { h, whenNear } from '../parts/dom.mjs';
import { isMotionReduced } from '../parts/replay.mjs';
import { fieldView } from './field-view.mjs';

/** At first, one layer after another: so many, and milliseconds for each. */
const [LAYERS, EACH] = [4, 900];

/**
 * What a pixel sees through a few layers, by one plain stack and by two stacks.
 *
 * @param {...HTMLElement} words of the layers, and of each view
 */
export function layersPart(...words) {
  let place = { row: 6, column: 6 };
  let growing;
  const layers = slider('Layers', { min: 1, max: 6, step: 1, value: LAYERS });
  layers.input.addEventListener('input', () => {
    clearTimeout(growing);
    show();
  });
  const moveTo = (row, column) => {
    place = { row, column };
    show();
  };
  const views = [
    fieldView('One stack', words[1], false, moveTo),
    fieldView('Two stacks', words[2], true, moveTo),
  ];
  function show() {
    for (const view of views) view.show(place, layers.input.valueAsNumber);
  }
  function grow(count) {
    layers.set(count);
    show();
    if (count < LAYERS) growing = setTimeout(grow, EACH, count + 1);
  }
  show();
  const element = h('div.layers', h('div', words[0], layers.element), ...views.map(({ element }) => element));
  whenNear(element, () => isMotionReduced() || grow(1), '-200px');
  return element;
}
