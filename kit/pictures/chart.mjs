import * as echarts from 'echarts';

const COLOURS = ['#9db4d6', '#143e8c', '#c0563b', '#4c8c5a', '#8a6fb0'];
const [WIDTH, LEFT, RIGHT] = [660, 64, 24];
const ABOUT_BINS = 50;

/** What the axes of all charts have in common. */
const axis = (name, nameGap, rest) => ({
  name,
  nameGap,
  nameLocation: 'middle',
  type: 'value',
  scale: true,
  ...rest,
});
const heading = (text, top) => ({ text, left: LEFT, top, textStyle: { fontSize: 14 } });

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
 * @returns {string}
 */
export function lineChart({ title, xTitle, yTitle, xScale = 'linear', lines, rules = [] }) {
  const xs = lines.flatMap(({ points }) => points.map(({ x }) => x));
  const isLog = xScale === 'log';
  const ends = isLog
    ? [10 ** Math.floor(Math.log10(Math.min(...xs))), 10 ** Math.ceil(Math.log10(Math.max(...xs)))]
    : [Math.min(...xs), Math.max(...xs)];
  return svgOf(420, {
    title: heading(title, 8),
    legend: { left: LEFT, top: 34, itemGap: 12, data: lines.map(({ name }) => name) },
    grid: { left: LEFT, right: RIGHT, top: 72, bottom: 52 },
    xAxis: axis(xTitle, 28, { type: isLog ? 'log' : 'value', splitLine: { show: false } }),
    yAxis: axis(yTitle, 42),
    series: [
      ...lines.map(({ name, points, hasMarks = false }, i) => ({
        type: 'line',
        name,
        color: COLOURS[i],
        symbol: hasMarks ? 'circle' : 'none',
        data: points.map(({ x, y }) => [x, y]),
      })),
      ...rules.map(({ name, y }) => ({
        type: 'line',
        name,
        color: '#666',
        symbol: 'none',
        lineStyle: { type: 'dashed', width: 1 },
        endLabel: { show: true, formatter: '{a}', color: '#555', align: 'right', offset: [-10, -10] },
        data: ends.map((x) => [x, y]),
      })),
    ],
  });
}

/**
 * Histograms as SVG, one above the other: in each, how often values of several groups occur.
 *
 * @param {{ title: string, xTitle: string, groups: { name: string, values: number[] }[] }[]} histograms of the same groups
 * @returns {string}
 */
export function histogramChart(histograms) {
  const [top, height, pitch] = [80, 130, 220];
  const topOf = (i) => top + i * pitch;
  return svgOf(histograms.length * pitch + 40, {
    title: histograms.map(({ title }, i) => heading(title, topOf(i) - 28)),
    legend: { left: LEFT, top: 8, itemGap: 12, data: histograms[0].groups.map(({ name }) => name) },
    grid: histograms.map((_, i) => ({ left: LEFT, right: RIGHT, top: topOf(i), height })),
    xAxis: histograms.map(({ xTitle }, i) => axis(xTitle, 28, { gridIndex: i, splitLine: { show: false } })),
    yAxis: histograms.map((_, i) => axis('images', 42, { gridIndex: i })),
    series: histograms.flatMap(({ groups }, i) =>
      binned(groups).map(({ name, points }, k) => ({
        type: 'line',
        name,
        color: COLOURS[k + 1],
        xAxisIndex: i,
        yAxisIndex: i,
        step: 'end',
        symbol: 'none',
        lineStyle: { width: 1 },
        areaStyle: { opacity: 0.5 },
        data: points,
      })),
    ),
  });
}

/** The left edges of bins, the same for all groups, and how many values of a group are in each: none in the first and the last. */
function binned(groups) {
  const all = groups.flatMap(({ values }) => values);
  const [least, most] = all.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]); // biome-ignore format: one line
  const width = (most - least) / ABOUT_BINS || 1;
  return groups.map(({ name, values }) => {
    const counts = Array(ABOUT_BINS + 3).fill(0);
    for (const value of values) counts[Math.floor((value - least) / width) + 1]++;
    return { name, points: counts.map((count, bin) => [least + (bin - 1) * width, count]) };
  });
}

function svgOf(height, options) {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption({ animation: false, backgroundColor: 'white', ...options });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
