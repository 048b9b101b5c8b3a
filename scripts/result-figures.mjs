// The charts of docs/results that are drawn from the runs beside them: `npm run figures`.

import { readFileSync } from 'node:fs';
import { lineChart } from '../kit/pictures/chart.mjs';
import { svgOf } from '../kit/pictures/drawing.mjs';
import { natsOf, PUBLISHED, readRuns } from './lib/recipes.mjs';

const NAMES = {
  'binarized-gpt': 'imageGPT',
  'binarized-gated': 'gatedPixelCNN',
  'binarized-pixelcnn': 'pixelCNN',
  'binarized-plus-plus': 'pixelCNNPlusPlus',
  'binarized-plus-plus-40': 'larger, longer',
};
const HIGHEST = 112; // nats; curves begin far above

/** What networks reach on the validation images of binarized MNIST by the CPU time they took, from docs/results/runs. */
export async function natsSvg() {
  const runs = new Map((await readRuns()).map(({ name, lines }) => [name, lines]));
  const lines = Object.entries(NAMES).map(([run, name]) => ({
    name,
    hasMarks: true,
    points: runs
      .get(run)
      .filter(({ validationBits }) => validationBits !== undefined)
      .map(({ validationBits, cpuSeconds }) => ({
        x: cpuSeconds / 3600,
        y: natsOf(validationBits),
      }))
      .filter(({ y }) => y < HIGHEST),
  }));
  const published = PUBLISHED.find(({ model }) => model === 'pixelcnn');
  return lineChart({
    title: 'Binarized MNIST, validation images',
    xTitle: 'CPU hours',
    yTitle: 'nats an image',
    xScale: 'log',
    lines,
    rules: [
      { name: `${published.network} as published, test images`, y: Number.parseFloat(published.figure) },
    ],
  });
}

const [BAR, BETWEEN, WIDTH, HEIGHT, LEFT, TOP, ROW] = [8, 2, 240, 120, 20, 90, 250];
const [INK, PALE] = ['#143e8c', '#d8dce3'];

/** What draws the images of a row, and the name of their counts in docs/results/runs/ising.json. */
const ROWS = [
  ['1,000 images by networks with all symmetries', 'histogram'],
  ['1,000 images by the same networks alone', 'histogramAlone'],
];

/** How many of 1,000 images of 8x8 spins have which magnetization, at each temperature of docs/results/runs/ising.json. */
export function magnetizationSvg() {
  const runs = JSON.parse(readFileSync(new URL('../docs/results/runs/ising.json', import.meta.url), 'utf8'));
  const shown = runs.filter(({ size }) => size === 8);
  const width = LEFT + shown.length * WIDTH;
  const shapes = ROWS.flatMap(([by, counts], row) => [
    { x: width / 2, y: row * ROW + 8, text: by, fill: INK },
    ...shown.flatMap((run, k) =>
      histogramShapes(run[counts], {
        left: LEFT + k * WIDTH,
        top: row * ROW + TOP,
        title: `beta ${run.beta.toFixed(3)}`,
      }),
    ),
  ]);
  const height = ROWS.length * ROW - 8;
  return svgOf({ width, height, title: 'Magnetizations of 8x8 spins', shapes });
}

/** Bars, and above them how many images are below 0, and how many are not. */
function histogramShapes(histogram, { left, top, title }) {
  const most = Math.max(...histogram);
  const bars = histogram.map((count, bin) => {
    const height = Math.round((HEIGHT * count) / most);
    return { x: left + bin * (BAR + BETWEEN), y: top + HEIGHT - height, width: BAR, height, fill: INK };
  });
  const width = histogram.length * (BAR + BETWEEN);
  const text = (share, y, words) => ({ x: left + share * width, y: top + y, text: words, fill: INK });
  const half = histogram.length / 2;
  const total = (counts) => counts.reduce((sum, count) => sum + count, 0);
  return [
    { x: left, y: top + HEIGHT, width, height: 2, fill: PALE },
    ...bars.filter(({ height }) => height > 0),
    text(1 / 2, -56, title),
    text(1 / 4, -32, total(histogram.slice(0, half))),
    text(3 / 4, -32, total(histogram.slice(half))),
    text(0.04, HEIGHT + 8, '-1'),
    text(1 / 2, HEIGHT + 8, '0'),
    text(0.96, HEIGHT + 8, '1'),
  ];
}
