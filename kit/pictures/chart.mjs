import * as vega from 'vega';
import { compile } from 'vega-lite';

const COLOURS = ['#9db4d6', '#143e8c', '#c0563b', '#4c8c5a', '#8a6fb0'];
const LEGEND = { orient: 'top' };

/**
 * A line chart as SVG. Rules are horizontal lines at a value, labelled at their right end.
 *
 * @param {object} args
 * @param {string} args.title
 * @param {string} args.xTitle
 * @param {string} args.yTitle
 * @param {'linear' | 'log'} [args.xScale]
 * @param {{ name: string, points: { x: number, y: number }[], hasMarks?: boolean }[]} args.lines
 * @param {{ name: string, y: number }[]} [args.rules]
 * @returns {Promise<string>}
 */
export async function lineChart({ title, xTitle, yTitle, xScale = 'linear', lines, rules = [] }) {
  const x = { field: 'x', type: 'quantitative', title: xTitle, axis: { grid: false }, scale: { type: xScale } }; // biome-ignore format: one line
  const y = { field: 'y', type: 'quantitative', title: yTitle, scale: { zero: false } };
  const color = {
    field: 'name',
    type: 'nominal',
    title: null,
    scale: { domain: lines.map(({ name }) => name), range: COLOURS },
    legend: LEGEND,
  };
  return svgOf({
    title: { text: title, anchor: 'start' },
    width: 560,
    height: 320,
    padding: 12,
    background: 'white',
    layer: [
      ...lines.map(({ name, points, hasMarks = false }) => ({
        data: { values: points.map((point) => ({ ...point, name })) },
        mark: { type: 'line', point: hasMarks },
        encoding: { x, y, color },
      })),
      {
        data: { values: rules },
        mark: { type: 'rule', strokeDash: [4, 4], color: '#777' },
        encoding: { y },
      },
      {
        data: { values: rules },
        mark: { type: 'text', align: 'right', dy: -7, color: '#555' },
        encoding: { x: { value: 'width' }, y, text: { field: 'name' } },
      },
    ],
  });
}

/**
 * Histograms as SVG, one above the other: in each, how often values of several groups occur.
 *
 * @param {{ title: string, xTitle: string, groups: { name: string, values: number[] }[] }[]} histograms of the same groups
 * @returns {Promise<string>}
 */
export async function histogramChart(histograms) {
  const names = histograms[0].groups.map(({ name }) => name);
  const color = { field: 'name', type: 'nominal', title: null, legend: LEGEND, scale: { domain: names, range: COLOURS.slice(1) } }; // biome-ignore format: one line
  return svgOf({
    padding: 12,
    background: 'white',
    vconcat: histograms.map(({ title, xTitle, groups }) => ({
      title: { text: title, anchor: 'start' },
      width: 560,
      height: 130,
      data: { values: groups.flatMap(({ name, values }) => values.map((x) => ({ name, x }))) },
      mark: { type: 'bar', opacity: 0.6, binSpacing: 0 },
      encoding: {
        x: { field: 'x', type: 'quantitative', title: xTitle, bin: { maxbins: 60 } },
        y: { aggregate: 'count', title: 'images', stack: null, axis: { grid: false } },
        color,
      },
    })),
  });
}

async function svgOf(chart) {
  const view = new vega.View(vega.parse(compile(chart).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}
