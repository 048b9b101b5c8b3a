import { h } from '../parts/dom.mjs';

/** What the squares mean, and which keys there are. */
export function stepsLegend() {
  const item = (kind, sign, words) =>
    h('li', h(`i.mask-pixel.mask-${kind}`, { style: '--mask-layer: 2' }, sign), words);
  return h(
    'div',
    h(
      'ul.mask-legend',
      item('here', '?', 'computed now'),
      item('seen', '2', 'seen through so many layers'),
      item('seen.mask-new', '4', 'new in this layer'),
      item('blind', '×', 'blind spot: in the window, never seen'),
      item('outside', '', 'drawn before, outside the window'),
      item('later', '', 'drawn later'),
    ),
    h(
      'p.mask-hint',
      'Point at a square, or choose to ask about one, for a way to it, layer by layer: circles are stops in the plain or the horizontal stack, small squares in the vertical one. In a picture, the arrow keys move by pixels, ',
      ...keys('N'),
      ' and ',
      ...keys('P'),
      ' to the next and previous value, ',
      ...keys('Home'),
      ' and ',
      ...keys('End'),
      ' to the first and last. Rows and columns count from 0, as in the library.',
    ),
  );
}

function keys(...names) {
  return names.map((name) => h('kbd', name));
}
