import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { colour, h, onThemeChange } from './dom.mjs';

const HEIGHT = 260;

/**
 * Bits per dimension by step: a line of training images, dots joined by dashes of test images.
 *
 * @param {HTMLElement} root
 */
export function lossChart(root) {
  const place = h('div.chart', { role: 'img', 'aria-label': 'Loss curve' });
  root.append(place);
  const axis = (label, size) => ({
    label,
    size,
    labelSize: 22,
    font: '13px system-ui, sans-serif',
    labelFont: '13px system-ui, sans-serif',
    stroke: () => colour('--muted'),
    grid: { stroke: () => colour('--line'), width: 1 },
    ticks: { stroke: () => colour('--line'), width: 1, size: 4 },
  });
  const figure = (_, value) => (value == null ? '–' : value.toFixed(3));
  const plot = new UPlot(
    {
      width: Math.max(200, place.clientWidth),
      height: HEIGHT,
      scales: {
        x: { time: false },
        y: { range: (_, low, high) => [Math.min(1.5, low), Math.max(4.2, high ?? 0)] },
      },
      axes: [axis('step', 34), axis('bits per dimension', 44)],
      series: [
        { label: 'step', value: (_, value) => (value == null ? '–' : String(value)) },
        {
          label: 'training images',
          stroke: () => colour('--accent'),
          width: 2,
          value: figure,
          points: { show: false },
          spanGaps: true,
        },
        {
          label: 'test images',
          stroke: () => colour('--ink'),
          width: 1.5,
          dash: [5, 4],
          value: figure,
          spanGaps: true,
          points: { show: true, size: 5, fill: () => colour('--ink') },
        },
      ],
      legend: { live: true },
    },
    [[], [], []],
    place,
  );
  new ResizeObserver(() => {
    if (place.clientWidth > 0) plot.setSize({ width: place.clientWidth, height: HEIGHT });
  }).observe(place);
  onThemeChange(() => plot.redraw());

  return {
    /**
     * @param {[number, number][]} training
     * @param {[number, number][]} test
     */
    show(training, test) {
      const bits = new Map(training);
      const testBits = new Map(test);
      const steps = [...new Set([...bits.keys(), ...testBits.keys()])].sort((a, b) => a - b);
      plot.setData([steps, steps.map((step) => bits.get(step)), steps.map((step) => testBits.get(step))]);
      const [step, last] = test.at(-1) ?? [0, null];
      const words =
        last === null ? 'empty' : `${last.toFixed(2)} bits per dimension on test images at step ${step}`;
      place.setAttribute('aria-label', `Loss curve: ${words}`);
    },
  };
}
