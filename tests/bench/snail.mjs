// Times PixelSNAIL as a prior over codes: drawing beside a pass of its own and beside PyTorch, whose sampler without caches takes a pass for
// every code; and a step of training of a small prior beside PyTorch's.
//
//   npm run bench:snail -- [--seconds 20] [--write]

import * as tf from '@tensorflow/tfjs-core';
import { pixelSNAIL, sample } from 'pixelcnn-layers';
import { useBackend } from '../../kit/runs/backend.mjs';
import { benchmark } from './lib/benchmark.mjs';
import { machine } from './lib/machine.mjs';
import { compiled, forwardPass, randomBatch } from './lib/networks.mjs';
import { ms, tableOf } from './lib/report.mjs';
import { timeInTurn } from './lib/timing.mjs';
import { timeTorch } from './lib/torch.mjs';

const { flags, publish } = benchmark('benchmarks', 'bench:snail', { seconds: 20 });
const { seconds } = flags;
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
  const timeTwin = () => timeTorch({ model: 'pixelSNAIL', ...network }, batch, isTrained ? seconds : 0);
  const torch = timeTwin();
  const model = compiled(pixelSNAIL({ ...network, seed: 1 }));
  const weights = model.countParams();
  const { xs, labels } = randomBatch(network, batch);
  const tasks = {
    pass: forwardPass(model, xs),
    draw: async () => (await sample(model, { numImages: batch, seed: 1 })).dispose(),
    ...(isTrained && { step: () => model.trainOnBatch(xs, labels) }),
  };
  const { pass, draw, step } = await timeInTurn(tasks, { seconds, minRounds: 3 });
  tf.dispose([xs, labels]);
  model.dispose();
  const again = timeTwin(); // before and after, since the two do not run in turn
  const ofTorch = (what) => Math.min(torch[what].median, again[what].median);
  const beside = (time, what) => (torch && time ? `${(time.median / ofTorch(what)).toFixed(1)}` : '');
  const naive = torch ? codes * ofTorch('forward') : Number.NaN;
  return {
    [`${batch} maps`]: name,
    weights: weights.toLocaleString('en'),
    'forward pass, ms (ratio to PyTorch)': `${ms(pass.median)}${torch ? ` (${beside(pass, 'forward')})` : ''}`,
    'sampling, ms': `${ms(draw.median)} (${(draw.median / pass.median).toFixed(2)} passes)`,
    'PyTorch, one pass per code': torch
      ? `${Math.round(naive / 1000)} s (${Math.round(naive / draw.median)} times as long)`
      : 'not installed',
    'training step, ms (ratio to PyTorch)': step ? `${ms(step.median)}${torch ? ` (${beside(step, 'step')})` : ''}` : '',
  };
}

const rows = [];
for (const [name, network] of Object.entries(NETWORKS)) rows.push(await figures(name, network));
const text = `${tableOf(rows)}\n\nMedians of one run on one core of ${machine()}. PyTorch ran on one thread; the time of its sampler, which has no cache, is one pass times the number of codes.`;
await publish(text);
