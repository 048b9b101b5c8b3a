// Trains the same network on Fashion-MNIST with 256 levels, ending in a softmax over levels and in a mixture of ten logistics, a step of each in turn:
// bits per dimension, weights, and the time of a step and of drawing.
//
//   npm run bench:outputs -- [--steps 1500] [--seeds 1,2] [--write]
//
// --write puts the table into docs/results/index.md.

import { parseArgs } from 'node:util';
import { pixelCNN, sample } from 'pixelcnn-layers';
import { readDataset } from '../../kit/data/datasets.mjs';
import { useBackend } from '../../kit/runs/backend.mjs';
import { machine } from './lib/machine.mjs';
import { markdownTable, rowsOfModels, writeFigures } from './lib/report.mjs';
import { timeInTurn } from './lib/timing.mjs';
import { mapValues, trainInTurn } from './lib/train-in-turn.mjs';

const { values: flags } = parseArgs({
  options: {
    steps: { type: 'string', default: '1500' },
    seeds: { type: 'string', default: '1,2' },
    write: { type: 'boolean', default: false },
  },
});
const steps = Number(flags.steps);
const OUTPUTS = { softmax: 'softmax', mixture: { components: 10 } };
const TITLES = { softmax: "'softmax'", mixture: '{ components: 10 }' };
const network = { imageShape: [28, 28, 1], levels: 256, hiddenDim: 16, outDim: 32, numBlocks: 3 };
const recipe = { steps, batchSize: 16, learningRate: 1e-3, evalImages: 1000 };
const numImages = 16;

await useBackend('wasm');
const sets = await readDataset('fashion-mnist');
const runs = [];
for (const seed of flags.seeds.split(',').map(Number)) {
  const models = mapValues(OUTPUTS, (output) => pixelCNN({ ...network, output, seed }));
  const trained = await trainInTurn(models, sets, { ...recipe, seed });
  const draw = (model) => sample(model, { numImages, seed: 1, strategy: 'incremental' });
  const draws = mapValues(models, (model) => async () => (await draw(model)).dispose());
  const drawn = await timeInTurn(draws, { seconds: 10 });
  runs.push({ trained, drawn, weights: mapValues(models, (model) => model.countParams()) });
  for (const model of Object.values(models)) model.dispose();
}

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
console.log(text);
if (flags.write) await writeFigures('index', 'bench:outputs', text);
