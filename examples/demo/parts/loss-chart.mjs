import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { colour, h, onThemeChange } from './dom.mjs';

const HEIGHT = 260;
/** Of training and test images, as custom properties, which follow the theme by themselves. */
const COLOURS = [null, '--accent', '--ink'];

/**
 * Bits per dimension by step: a smoothed line of training images, dots joined by dashes of test images, and levels to compare with.
 *
 * @param {HTMLElement} root
 * @param {{ name: string, bits: number }[]} rules
 */
export function lossChart(root, rules) {
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
  /** The last one known: up to the pointer, or of all. */
  const lastKnown = (say) => (plot, _, series, at) => {
    const known = plot.data[series]
      .slice(0, at == null ? undefined : at + 1)
      .findLast((value) => value != null);
    return known === undefined ? '–' : say(known);
  };
  const figure = lastKnown((bits) => bits.toFixed(3));
  const stroke = (_, series) => colour(COLOURS[series]);
  const plot = new UPlot(
    {
      width: Math.max(200, place.clientWidth),
      height: HEIGHT,
      scales: {
        x: { time: false },
        y: { range: (_, low, high) => [Math.min(1.5, low ?? 1.5), Math.max(4.2, high ?? 4.2)] },
      },
      axes: [axis('step', 34), axis('bits per dimension', 44)],
      series: [
        { label: 'step', value: lastKnown(String) },
        {
          label: 'training images, smoothed',
          stroke,
          width: 2,
          value: figure,
          points: { show: false },
          spanGaps: true,
        },
        {
          label: 'test images',
          stroke,
          width: 1.5,
          dash: [5, 4],
          value: figure,
          spanGaps: true,
          points: { show: true, size: 5, fill: () => colour('--ink') },
        },
      ],
      legend: { live: true, markers: { stroke: (_, series) => `var(${COLOURS[series]})` } },
      hooks: { drawAxes: rules.map((rule) => (plot) => drawRule(plot, rule)) },
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
      plot.setLegend({ idx: plot.cursor.idx }, false);
      const [step, last] = test.at(-1) ?? [0, null];
      const words =
        last === null ? 'empty' : `${last.toFixed(2)} bits per dimension on test images at step ${step}`;
      place.setAttribute('aria-label', `Loss curve: ${words}`);
    },
  };
}

/** A dotted line over the whole width, its name below its end, where curves come last. */
function drawRule({ ctx: context, bbox: { left, width }, valToPos }, { name, bits }) {
  const y = Math.round(valToPos(bits, 'y', true));
  context.save();
  context.strokeStyle = context.fillStyle = colour('--muted');
  context.lineWidth = devicePixelRatio;
  context.setLineDash([devicePixelRatio, 3 * devicePixelRatio]);
  context.beginPath();
  context.moveTo(left, y);
  context.lineTo(left + width, y);
  context.stroke();
  context.font = `${13 * devicePixelRatio}px system-ui, sans-serif`;
  context.textAlign = 'right';
  context.fillText(`${name} ${bits.toFixed(2)}`, left + width, y + 15 * devicePixelRatio);
  context.restore();
}
