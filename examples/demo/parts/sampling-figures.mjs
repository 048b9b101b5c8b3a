import { h } from './dom.mjs';
import { seconds, times } from './figures.mjs';

/** What a draw took, and what full passes would take: there once it was asked for. */
export function samplingFigures() {
  const element = h('dl.figures', { hidden: true });

  /**
   * @param {object} figures
   * @param {number} figures.time of the draw, in seconds
   * @param {number} figures.passTime of one whole pass over as many images, in seconds
   * @param {number} figures.size values of an image: a pass each
   */
  function show({ time, passTime, size }) {
    const whole = passTime * size;
    const rows = [
      ['This draw', seconds(time), 'Keeps what it has computed'],
      [
        'With full passes',
        `≈ ${seconds(whole)}`,
        `One pass took ${seconds(passTime)}, and ${size} are needed`,
      ],
      ['Ratio', times(whole / time), 'Faster than full passes'],
    ];
    element.replaceChildren(
      ...rows.map(([name, value, note]) => h('div', h('dt', name), h('dd', value, h('small', note)))),
    );
    element.hidden = false;
  }

  return {
    element,
    show,
    clear() {
      element.hidden = true;
    },
  };
}
