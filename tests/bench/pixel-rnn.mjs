// Times PixelRNN's blocks beside plain and gated networks of as many weights: a step of training, beside PyTorch's loop over lines, a pass, and
// drawing.
//
//   npm run bench:pixel-rnn -- [--seconds 30] [--write]
//
// --write puts the table into docs/results/index.md. The networks are those of its runs.

import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { bitsPerDim, diagonalBiLSTMBlock, rowLSTMBlock, sample } from 'pixelcnn-layers';
import { useBackend } from '../../examples/lib/backend.mjs';
import { machine } from './lib/machine.mjs';
import { ours, randomBatch } from './lib/networks.mjs';
import { markdownTable, ms, writeFigures } from './lib/report.mjs';
import { timeInTurn } from './lib/timing.mjs';
import { timeTorch } from './lib/torch.mjs';

const { values: flags } = parseArgs({
  options: { seconds: { type: 'string', default: '30' }, write: { type: 'boolean', default: false } },
});
const seconds = Number(flags.seconds);
const batch = 16;
const BLOCKS = { rowLSTMBlock, diagonalBiLSTMBlock };
const digits = { imageShape: [8, 8, 1], levels: 17, outDim: 32, firstKernelSize: 5 };
const fashion = { imageShape: [28, 28, 1], levels: 16, outDim: 32, firstKernelSize: 7 };

/** By data set: the first network of each is what the others are compared with. */
const NETWORKS = {
  'digits 8x8, 17 levels': [
    ['`pixelCNN`, hidden 16, 3 blocks', { ...digits, hiddenDim: 16, numBlocks: 3 }],
    ['`gatedPixelCNN`, hidden 13, 2 blocks', { ...digits, model: 'gated', hiddenDim: 13, numBlocks: 2 }],
    ['`rowLSTMBlock`, hidden 16, 1 block', { ...digits, block: 'rowLSTMBlock', hiddenDim: 16, numBlocks: 1 }],
    ['`diagonalBiLSTMBlock`, hidden 17, 1 block', { ...digits, block: 'diagonalBiLSTMBlock', hiddenDim: 17, numBlocks: 1 }],
  ],
  'Fashion-MNIST 28x28, 16 levels': [
    ['`pixelCNN`, hidden 16, 5 blocks', { ...fashion, hiddenDim: 16, numBlocks: 5 }],
    ['`gatedPixelCNN`, hidden 14, 3 blocks', { ...fashion, model: 'gated', hiddenDim: 14, numBlocks: 3 }],
    ['`rowLSTMBlock`, hidden 15, 2 blocks', { ...fashion, block: 'rowLSTMBlock', hiddenDim: 15, numBlocks: 2 }],
    ['`diagonalBiLSTMBlock`, hidden 16, 2 blocks', { ...fashion, block: 'diagonalBiLSTMBlock', hiddenDim: 16, numBlocks: 2 }],
  ],
}; // biome-ignore format: a network a line

await useBackend('wasm');

/** A step, a pass and drawing of a network, as tasks to be timed. */
function tasksOf({ block, ...shape }) {
  const model = ours({ ...shape, ...(block && { block: BLOCKS[block] }), seed: 1 });
  model.compile({ optimizer: tf.train.adam(1e-3, 0.9, 0.999, 1e-7), loss: bitsPerDim });
  const { xs, labels } = randomBatch(shape, batch);
  return {
    step: () => model.trainOnBatch(xs, labels),
    pass: async () => {
      const logits = model.predict(xs, { batchSize: batch });
      await logits.data();
      logits.dispose();
    },
    draw: async () => (await sample(model, { numImages: batch, seed: 1 })).dispose(),
  };
}

/** The rows of a data set: all its networks in turn, and PyTorch's before and after, since the two do not run in turn. */
async function rowsOf(title, networks) {
  const torch = () => networks.map(([, shape]) => timeTorch(shape, batch, seconds / 8));
  const before = torch();
  const named = networks.flatMap(([, shape], i) =>
    Object.entries(tasksOf(shape)).map(([task, act]) => [`${task}${i}`, act]),
  );
  const times = await timeInTurn(Object.fromEntries(named), { seconds });
  const after = torch();
  return networks.map(([name], i) => {
    const [step, pass, draw] = ['step', 'pass', 'draw'].map((task) => times[`${task}${i}`].median);
    const there = before[i] && Math.min(before[i].step.median, after[i].step.median);
    return [
      title,
      name,
      `${ms(step)} (${(step / times.step0.median).toFixed(1)})`,
      there ? `${ms(there)} (${(there / step).toFixed(2)})` : 'not installed',
      `${ms(pass)} (${(pass / times.pass0.median).toFixed(1)})`,
      `${ms(draw)} (${(draw / pass).toFixed(2)} passes)`,
    ];
  });
}

const rows = [];
for (const [title, networks] of Object.entries(NETWORKS)) rows.push(...(await rowsOf(title, networks)));
const header = ['data', 'network', 'training step, ms (ratio to the plain network)', 'the same in PyTorch, ms (ratio to ours)', 'forward pass, ms (ratio to the plain network)', `sampling ${batch} images, ms`]; // biome-ignore format: one line
const text = `${markdownTable(header, rows)}\n\n${batch} images per step and pass; medians of one run on one core of ${machine()}. PyTorch ran on one thread, before and after; the faster run counts.`;
console.log(text);
if (flags.write) await writeFigures('index', 'bench:pixel-rnn', text);
