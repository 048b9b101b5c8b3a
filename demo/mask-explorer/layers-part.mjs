import { slider } from '../parts/controls.mjs';
import { h } from '../parts/dom.mjs';
import { fieldView } from './field-view.mjs';

/** What a pixel sees through a few layers, by one plain stack and by two stacks. */
export function layersPart() {
  let place = { row: 6, column: 6 };
  const layers = slider('Layers', {
    ...{ min: 1, max: 6, step: 1, value: 4 },
    say: (n) => `${n}: mask A${n > 1 ? `, then ${n - 1} of mask B` : ''}`,
  });
  layers.input.addEventListener('input', show);
  const moveTo = (row, column) => {
    place = { row, column };
    show();
  };
  const views = [fieldView('Plain stack', false, moveTo), fieldView('Two stacks', true, moveTo)];
  function show() {
    for (const view of views) view.show(place, layers.input.valueAsNumber);
  }
  show();
  return h('div.layers', layers.element, ...views.map(({ element }) => element));
}
