// All families of networks side by side, on all data sets: what they reached, from docs/results/runs, and what a step of training and drawing cost,
// timed here in turn.
//
//   npm run bench:families -- [--seconds 60] [--data 'Fashion-MNIST 28x28, 16 levels'] [--write]
//
// --seconds is for each data set; --data prints the rows of one. Networks whose runs are not there are left out.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { receptiveField, sample } from 'pixelcnn-layers';
import { readDataset } from '../../kit/data/datasets.mjs';
import { networkOf } from '../../kit/models/network-of-run.mjs';
import { useBackend } from '../../kit/runs/backend.mjs';
import { benchmark } from './lib/benchmark.mjs';
import { FAMILIES } from './lib/families.mjs';
import { machine } from './lib/machine.mjs';
import { compiled, randomBatch } from './lib/networks.mjs';
import { msAndTimes, tableOf } from './lib/report.mjs';
import { timeInTurn } from './lib/timing.mjs';

const { flags, publish } = benchmark('index', 'bench:families', { seconds: 60, data: '' });
const batch = 16;
const docs = fileURLToPath(new URL('../../docs', import.meta.url));

/** What a network is called: its factory or its block, and the sizes by which it differs from others. */
const NAMES = {
  pixelcnn: (run) => `\`pixelCNN\`, hidden ${run.hiddenDim}, ${blocks(run)}`,
  gated: (run) => `\`gatedPixelCNN\`, hidden ${run.hiddenDim}, ${blocks(run)}`,
  'row-lstm': (run) => `\`rowLSTMBlock\`, hidden ${run.hiddenDim}, ${blocks(run)}`,
  'diagonal-bi-lstm': (run) => `\`diagonalBiLSTMBlock\`, hidden ${run.hiddenDim}, ${blocks(run)}`,
  'conv-next': (run) => `ConvNeXt's block, hidden ${run.hiddenDim}, ${blocks(run)}`,
  'plus-plus': (run) => `\`pixelCNNPlusPlus\`, filters ${run.filters}${run.fromData ? ', `initializeFromData` first' : ''}`,
  snail: (run) => `\`pixelSNAIL\`, filters ${run.filters}, ${blocks(run)}`,
  gpt: (run) => `\`imageGPT\`, width ${run.width}, ${blocks({ numBlocks: run.numLayers })}`,
};
const blocks = ({ numBlocks }) => `${numBlocks} ${numBlocks === 1 ? 'block' : 'blocks'}`;

/** The settings of a network's runs, and the bits per dimension of each seed; null where there is no run. */
async function runsOf(name) {
  const texts = await Promise.all(
    [1, 2].map((seed) => readFile(join(docs, 'results/runs', `${name}-${seed}.jsonl`), 'utf8').catch(() => null)),
  );
  const read = (line) => JSON.parse(line);
  const runs = texts.filter((text) => text !== null).map((text) => text.trim().split('\n').map(read));
  if (runs.length === 0) return null;
  return { settings: runs[0][0], bits: runs.map((lines) => lines.at(-1).testBits) };
}

/** The rows of a data set, whose networks are timed in turn. */
async function rowsOf(title, names) {
  const found = (await Promise.all(names.map(runsOf))).filter((runs) => runs !== null);
  if (found.length === 0) return [];
  const { data, levels: given, colours } = found[0].settings;
  const { train } = await readDataset(data);
  const [height, width, channels] = train.shape.slice(1);
  const [imageShape, levels] = [[height, width, colours ? 1 : channels], colours ?? given ?? train.levels];
  const { xs, labels } = randomBatch({ imageShape, levels }, batch);
  const models = found.map(({ settings }) => compiled(networkOf({ numResBlocks: 2, ...settings, seed: 1 }, { imageShape, levels })));
  const tasks = models.flatMap((model, i) => [
    [`step${i}`, () => model.trainOnBatch(xs, labels)],
    [`draw${i}`, async () => (await sample(model, { numImages: batch, seed: 1 })).dispose()],
  ]);
  const times = await timeInTurn(Object.fromEntries(tasks), { seconds: flags.seconds, minRounds: 5 });
  const [row, column] = [height / 2, width / 2];
  const rows = [];
  for (const [i, { settings, bits }] of found.entries()) {
    const { seen } = await receptiveField(models[i], { row, column });
    const pixels = new Set(seen.map(([y, x]) => y * width + x)).size;
    rows.push({
      data: i === 0 ? title : '',
      network: NAMES[settings.model](settings),
      weights: models[i].countParams().toLocaleString('en'),
      'earlier pixels seen from the centre': `${pixels}/${row * width + column}`,
      steps: settings.steps.toLocaleString('en'),
      'test bits/dim, each seed': bits.map((value) => value.toFixed(3)).join(' / '),
      'training step, ms (ratio to the first)': msAndTimes(times[`step${i}`], times.step0),
      [`sampling ${batch} images, ms (ratio)`]: msAndTimes(times[`draw${i}`], times.draw0),
    });
    models[i].dispose();
  }
  tf.dispose([xs, labels]);
  console.error(tableOf(rows));
  return rows;
}

await useBackend('wasm');
const rows = [];
for (const [title, names] of Object.entries(FAMILIES)) if (title.startsWith(flags.data)) rows.push(...(await rowsOf(title, names)));
await publish(`${tableOf(rows)}\n\n${batch} images per step; medians of one run on one core of ${machine()}.`);
