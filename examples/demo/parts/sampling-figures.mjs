import { h } from './dom.mjs';
import { seconds, times } from './figures.mjs';

/** What a draw took, and what whole passes would have taken. */
export function samplingFigures() {
  const element = h('dl.figures');

  /**
   * @param {object} [figures]
   * @param {number} figures.time in seconds
   * @param {number | null} [figures.passSeconds] null where no pass was timed
   * @param {number} figures.size values of an image
   */
  function show({ time, passSeconds, size } = {}) {
    const whole = passSeconds ? passSeconds * size : null;
    const estimate = whole
      ? `an estimate: one warm pass, ${seconds(passSeconds)} here, times ${size} values`
      : 'an estimate: one warm pass, times the values of an image';
    const rows = [
      ['Time taken', time ? seconds(time) : '–', 'features computed once, and kept'],
      ['By whole passes', whole ? `≈ ${seconds(whole)}` : '–', passSeconds === null ? 'not timed' : estimate],
      ['Ratio', whole ? times(whole / time) : '–', 'quicker than whole passes'],
    ];
    element.replaceChildren(
      ...rows.map(([name, value, note]) =>
        h('div', {}, h('dt', {}, name), h('dd', {}, value, h('small', {}, note))),
      ),
    );
  }

  show();
  return { element, show };
}
