// Trains the same network on Fashion-MNIST with 256 levels, ending in a softmax over levels and in a mixture of ten logistics, a step of each in turn:
// bits per dimension, weights, and the time of a step and of drawing.
//
//   npm run bench:outputs -- [--steps 1500] [--seeds 1,2] [--write]

import { pixelCNN } from 'pixelcnn-layers';
import { readDataset } from '../../kit/data/datasets.mjs';
import { useBackend } from '../../kit/runs/backend.mjs';
import { benchmark } from './lib/benchmark.mjs';
import { machine } from './lib/machine.mjs';
import { markdownTable, rowsOfModels } from './lib/report.mjs';
import { mapValues, trainAndDraw } from './lib/train-in-turn.mjs';

const { flags, publish } = benchmark('index', 'bench:outputs', { steps: 1500, seeds: '1,2' });
const { steps } = flags;
const OUTPUTS = { softmax: 'softmax', mixture: { components: 10 } };
const TITLES = { softmax: "'softmax'", mixture: '{ components: 10 }' };
const network = { imageShape: [28, 28, 1], levels: 256, hiddenDim: 16, outDim: 32, numBlocks: 3 };
const recipe = { steps, batchSize: 16, learningRate: 1e-3, evalImages: 1000 };
const numImages = 16;

await useBackend('wasm');
const sets = await readDataset('fashion-mnist');
const make = (seed) => mapValues(OUTPUTS, (output) => pixelCNN({ ...network, output, seed }));
const runs = await trainAndDraw(flags.seeds, make, sets, recipe, { numImages }, 10);
const rows = rowsOfModels(TITLES, runs);
const header = [
  '`output`',
  'weights',
  'test bits/dim, each seed',
  "training step, ms (ratio to `'softmax'`)",
  `sampling ${numImages} images, ms (ratio)`,
];
const text = `${markdownTable(header, rows)}

${steps} steps of ${recipe.batchSize} images; figures for the first ${recipe.evalImages} test images; medians of one run on ${machine()}.`;
await publish(text);
