// Times PixelRNN's blocks beside the residual block, in networks of as many weights: a step of training, beside PyTorch's loop over lines, a
// pass, and drawing.
//
//   npm run bench:pixel-rnn -- [--seconds 20] [--write]
//
// --write puts the table into docs/models.md.

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import {
  bitsPerDim,
  diagonalBiLSTMBlock,
  pixelCNN,
  pixelCNNResBlock,
  rowLSTMBlock,
  sample,
} from 'pixelcnn-layers';
import { useBackend } from '../../examples/lib/backend.mjs';
import { machine } from './lib/machine.mjs';
import { randomBatch } from './lib/networks.mjs';
import { markdownTable, ms, writeBetweenMarks } from './lib/report.mjs';
import { timeInTurn } from './lib/timing.mjs';
import { timeTorch } from './lib/torch.mjs';

const { values: flags } = parseArgs({
  options: { seconds: { type: 'string', default: '20' }, write: { type: 'boolean', default: false } },
});
const seconds = Number(flags.seconds);
const batch = 16;
const fashion = { imageShape: [28, 28, 1], levels: 16, outDim: 32, firstKernelSize: 7 };
const BLOCKS = { pixelCNNResBlock, rowLSTMBlock, diagonalBiLSTMBlock };
const NETWORKS = [
  { ...fashion, hiddenDim: 16, numBlocks: 5, block: 'pixelCNNResBlock' },
  { ...fashion, hiddenDim: 15, numBlocks: 2, block: 'rowLSTMBlock' },
  { ...fashion, hiddenDim: 16, numBlocks: 2, block: 'diagonalBiLSTMBlock' },
];

await useBackend('wasm');

const { xs, labels } = randomBatch(fashion, batch);
const models = NETWORKS.map(({ block, ...sizes }) => pixelCNN({ ...sizes, block: BLOCKS[block], seed: 1 }));
const tasks = {};
for (const [i, model] of models.entries()) {
  model.compile({ optimizer: tf.train.adam(1e-3, 0.9, 0.999, 1e-7), loss: bitsPerDim });
  tasks[`step${i}`] = () => model.trainOnBatch(xs, labels);
  tasks[`pass${i}`] = async () => {
    const logits = model.predict(xs, { batchSize: batch });
    await logits.data();
    logits.dispose();
  };
  tasks[`draw${i}`] = async () => (await sample(model, { numImages: batch, seed: 1 })).dispose();
}
const timeAllTorch = () => NETWORKS.map((network) => timeTorch(network, batch, seconds / 4));
const before = timeAllTorch();
const times = await timeInTurn(tasks, { seconds });
const after = timeAllTorch(); // before and after, since the two do not run in turn

const rows = NETWORKS.map(({ block, hiddenDim, numBlocks }, i) => {
  const [step, pass, draw] = ['step', 'pass', 'draw'].map((name) => times[`${name}${i}`].median);
  const torch = before[i] && Math.min(before[i].step.median, after[i].step.median);
  return [
    `\`${block}\`, hidden ${hiddenDim}, ${numBlocks} blocks`,
    models[i].countParams().toLocaleString('en'),
    `${ms(step)} (${(step / times.step0.median).toFixed(1)})`,
    torch ? `${ms(torch)} (${(torch / step).toFixed(1)} times ours)` : 'not installed',
    ms(pass),
    `${ms(draw)} (${(draw / pass).toFixed(2)} passes)`,
  ];
});
const table = markdownTable(
  [
    'network',
    'weights',
    'a step, ms (times the first)',
    'PyTorch, ms',
    'a pass, ms',
    `drawing ${batch} images, ms`,
  ],
  rows,
);
const text = `${table}\n\n${batch} images 28x28x1 of 16 levels, medians on one core, in one run on ${machine()}; PyTorch on one thread.`;
console.log(text);
if (flags.write)
  await writeBetweenMarks(
    fileURLToPath(new URL('../../docs/models.md', import.meta.url)),
    'bench:pixel-rnn',
    text,
  );
