// Times PixelSNAIL as a prior over codes: drawing beside a pass of its own and beside PyTorch, whose sampler without caches takes a pass for
// every code; and a step of training of a small prior beside PyTorch's.
//
//   npm run bench:snail -- [--seconds 20] [--write]
//
// --write puts the tables into docs/results/benchmarks.md.

import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { bitsPerDim, pixelSNAIL, sample } from 'pixelcnn-layers';
import { useBackend } from '../../kit/runs/backend.mjs';
import { machine } from './lib/machine.mjs';
import { randomBatch } from './lib/networks.mjs';
import { markdownTable, ms, writeFigures } from './lib/report.mjs';
import { timeInTurn } from './lib/timing.mjs';
import { timeTwin } from './lib/torch.mjs';

const { values: flags } = parseArgs({
  options: { seconds: { type: 'string', default: '20' }, write: { type: 'boolean', default: false } },
});
const seconds = Number(flags.seconds);
const batch = 16;
const NETWORKS = {
  '7x7, 64 codes': { imageShape: [7, 7, 1], levels: 64, filters: 64, numBlocks: 2, numResBlocks: 2, resFilters: 64, heads: 8 },
  '32x32, 512 codes': { imageShape: [32, 32, 1], levels: 512, filters: 256, numBlocks: 4, numResBlocks: 4, resFilters: 256, heads: 8 },
}; // biome-ignore format: a network a line
/** The larger takes half a minute a pass. */
const MAX_CODES_TO_TRAIN = 256;

await useBackend('wasm');

/** A network's row: what a pass, drawing and a step take, here and in PyTorch. */
async function figures(name, network) {
  const [height, width] = network.imageShape;
  const codes = height * width;
  const isTrained = codes <= MAX_CODES_TO_TRAIN;
  const torch = timeTwin('pixelSNAIL', network, batch, isTrained ? seconds / 2 : 0);
  const model = pixelSNAIL({ ...network, seed: 1 });
  const weights = model.countParams();
  model.compile({ optimizer: tf.train.adam(1e-3, 0.9, 0.999, 1e-7), loss: bitsPerDim });
  const { xs, labels } = randomBatch(network, batch);
  const tasks = {
    pass: async () => {
      const logits = model.predict(xs, { batchSize: batch });
      await logits.data();
      logits.dispose();
    },
    draw: async () => (await sample(model, { numImages: batch, seed: 1 })).dispose(),
    ...(isTrained && { step: () => model.trainOnBatch(xs, labels) }),
  };
  const { pass, draw, step } = await timeInTurn(tasks, { seconds, minRounds: 3 });
  tf.dispose([xs, labels]);
  model.dispose();
  const again = timeTwin('pixelSNAIL', network, batch, isTrained ? seconds / 2 : 0); // before and after, since the two do not run in turn
  const ofTorch = (what) => Math.min(torch[what].median, again[what].median);
  const beside = (time, what) => (torch && time ? `${(time.median / ofTorch(what)).toFixed(1)}` : '');
  const naive = torch ? codes * ofTorch('forward') : Number.NaN;
  return [
    name,
    weights.toLocaleString('en'),
    `${ms(pass.median)}${torch ? ` (${beside(pass, 'forward')})` : ''}`,
    `${ms(draw.median)} (${(draw.median / pass.median).toFixed(2)} passes)`,
    torch ? `${Math.round(naive / 1000)} s (${Math.round(naive / draw.median)} times as long)` : 'not installed',
    step ? `${ms(step.median)}${torch ? ` (${beside(step, 'step')})` : ''}` : '',
  ];
}

const rows = [];
for (const [name, network] of Object.entries(NETWORKS)) rows.push(await figures(name, network));
const table = markdownTable(
  [`${batch} maps`, 'weights', 'forward pass, ms (ratio to PyTorch)', 'sampling, ms', 'PyTorch, one pass per code', 'training step, ms (ratio to PyTorch)'],
  rows,
); // biome-ignore format: a table
const text = `${table}\n\nMedians of one run on one core of ${machine()}. PyTorch ran on one thread; the time of its sampler, which has no cache, is one pass times the number of codes.`;
console.log(text);
if (flags.write) await writeFigures('benchmarks', 'bench:snail', text);
