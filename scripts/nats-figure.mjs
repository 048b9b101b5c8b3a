import { lineChart } from '../kit/pictures/chart.mjs';
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
