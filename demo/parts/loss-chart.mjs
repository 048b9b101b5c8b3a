import UPlot from 'uplot';
import { colour, h, onThemeChange } from './dom.mjs';

const HEIGHT = 260;
const STEPS = [0, 10, 30, 100, 300, 1e3, 3e3, 1e4, 3e4]; // of the axis
const FONT = '13px system-ui, sans-serif';
/** Of each network, as custom properties, which follow the theme by themselves. */
const COLOURS = ['--accent', '--second'];
const colourOf = (series) => COLOURS[Math.floor((series - 1) / 2)];

/**
 * Bits per dimension by step, of each network: a smoothed line of training images, dots joined by dashes of test images; and levels to compare with.
 *
 * @param {HTMLElement} root
 * @param {Record<string, string>} names of networks
 */
export function lossChart(root, names) {
  const place = h('div.chart', { role: 'img', 'aria-label': 'Loss curve' });
  root.append(place);
  /** @type {UPlot} */
  let plot;
  let drawn = ''; // of which networks and images
  let at = 0; // the step that is looked at

  /** The last one known: up to the pointer, or else to the step that is looked at. */
  const lastKnown = (say) => (plot, _, series, pointed) => {
    const end = pointed ?? plot.data[0].findLastIndex((step) => step <= at);
    const known = plot.data[series].slice(0, end + 1).findLast((value) => value != null);
    return known === undefined ? '–' : say(known);
  };

  function linesOf(name) {
    const stroke = (_, series) => colour(colourOf(series));
    const value = lastKnown((bits) => bits.toFixed(3));
    const points = { show: true, size: 5, stroke, fill: stroke };
    return [
      { label: `${name}, training`, stroke, value, width: 2, points: { show: false }, spanGaps: true },
      { label: 'test', stroke, value, width: 1.5, dash: [5, 4], points, spanGaps: true },
    ];
  }

  function begin({ networks, levels }) {
    const uniform = { name: `blind guessing among ${levels} shades:`, bits: Math.log2(levels) };
    plot?.destroy();
    plot = new UPlot(
      {
        width: Math.max(200, place.clientWidth),
        height: HEIGHT,
        scales: {
          x: { time: false, distr: 4, asinh: 30, range: (_, low, high) => [low, high] }, // the first steps, where most is learnt, get room
          y: { range: (_, low, high) => rangeOf(uniform.bits, low, high) },
        },
        axes: [
          {
            ...axis('step', 34),
            splits: (_, __, ___, high) => STEPS.filter((step) => step <= high),
            filter: (_, steps) => steps,
          },
          axis('bits per pixel', 44),
        ],
        series: [
          { label: 'step', value: lastKnown(String) },
          ...networks.flatMap((network) => linesOf(names[network])),
        ],
        legend: { live: true, markers: { stroke: (_, series) => `var(${colourOf(series)})` } },
        hooks: { draw: [(plot) => veil(plot, at), (plot) => drawRule(plot, uniform)] },
      },
      [[], ...networks.flatMap(() => [[], []])],
      place,
    );
  }

  new ResizeObserver(() => {
    if (place.clientWidth > 0) plot?.setSize({ width: place.clientWidth, height: HEIGHT });
  }).observe(place);
  onThemeChange(() => plot?.redraw());

  return {
    /**
     * @param {import('./run-view.mjs').Run} run
     * @param {number} step the one that is looked at: what comes after it is pale
     */
    show(run, step) {
      const { networks, set, curves } = run;
      const kind = `${set} ${networks}`;
      if (kind !== drawn) begin(run);
      [drawn, at] = [kind, step];
      const lines = curves.flatMap(({ training, test }) => [new Map(training), new Map(test)]);
      const steps = [...new Set(lines.flatMap((line) => [...line.keys()]))].sort((a, b) => a - b);
      plot.setData([steps, ...lines.map((line) => steps.map((step) => line.get(step)))]);
      plot.setLegend({ idx: plot.cursor.idx }, false);
      const words = curves.map((curve, i) => `${names[networks[i]]}, ${inWords(curve, step)}`);
      place.setAttribute('aria-label', `Loss curve: ${words.join('; ')}`);
    },
  };
}

/** The last that is known of a curve at a step: of test images where there are some. */
function inWords({ training, test }, step) {
  const [known, images] = test.length > 0 ? [test, 'test'] : [training, 'training'];
  const [when, bits] = known.findLast(([other]) => other <= step) ?? [];
  return bits === undefined
    ? 'empty'
    : `${bits.toFixed(2)} bits per pixel on ${images} images at step ${when}`;
}

const axis = (label, size) => ({
  label,
  size,
  labelSize: 22,
  font: FONT,
  labelFont: FONT,
  stroke: () => colour('--muted'),
  grid: { stroke: () => colour('--line'), width: 1 },
  ticks: { stroke: () => colour('--line'), width: 1, size: 4 },
});

/** From somewhat below what digits end at, of 17 levels, or lower; black and white ends far lower. */
const rangeOf = (highest, low, high) => [
  Math.min((highest > 1 ? 0.36 : 0.1) * highest, low ?? highest),
  Math.max(1.03 * highest, high ?? 0),
];

/** Makes pale what comes after a step. */
function veil({ ctx: context, bbox: { left, top, width, height }, valToPos }, step) {
  const x = Math.max(left, valToPos(step, 'x', true));
  if (!(x < left + width)) return; // also where there is no scale yet
  context.save();
  context.fillStyle = colour('--paper');
  context.globalAlpha = 0.75;
  context.fillRect(x, top, left + width + 4 * devicePixelRatio - x, height); // dots reach over the edge
  context.globalAlpha = 1;
  context.fillStyle = colour('--ink');
  context.fillRect(x, top, devicePixelRatio, height);
  context.restore();
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
