// Measures what bringing weights here costs: time and memory for PixelCNN++ of the published size, from a file of safetensors to a portable file;
// what float16 takes from the likelihood of a trained model; and a step of training here and of the same network in examples/pytorch.
//
//   npm run bench:weights -- [--seconds 20] [--write]
//
// --write puts the figures into docs/results/benchmarks.md.

import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { bitsPerDim, gatedPixelCNN, pixelCNN, pixelCNNPlusPlus, toPortable } from 'pixelcnn-layers';
import { quantize } from 'pixelcnn-layers/data';
import { logProb, readPortable, writePortable } from 'pixelcnn-layers/runtime';
import { saveWeights, writeSafetensors } from 'pixelcnn-layers/weights';
import { useBackend } from '../../examples/lib/backend.mjs';
import { readDataset } from '../../examples/lib/datasets.mjs';
import { loadImageModel } from '../../examples/lib/saved-model.mjs';
import { machine } from './lib/machine.mjs';
import { randomBatch } from './lib/networks.mjs';
import { markdownTable, ms, writeFigures } from './lib/report.mjs';
import { timeInTurn } from './lib/timing.mjs';
import { timeTwin } from './lib/torch.mjs';

const { values: flags } = parseArgs({
  options: { seconds: { type: 'string', default: '20' }, write: { type: 'boolean', default: false } },
});
const seconds = Number(flags.seconds);
const mebibytes = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;

await useBackend('wasm');

/** From a file of float32 to a portable one of float16, in a process of its own. */
async function publishedFigures(directory) {
  const file = join(directory, 'weights.safetensors');
  const model = pixelCNNPlusPlus({ imageShape: [32, 32, 3], filters: 160, seed: 1 });
  const weights = model.countParams();
  const bytes = writeSafetensors(saveWeights(model, { to: 'pytorch' }));
  await writeFile(file, bytes);
  model.dispose();
  const program = fileURLToPath(new URL('lib/load-weights.mjs', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, file], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const { steps, portableBytes } = JSON.parse(stdout);
  const rows = steps.map(({ name, ms, peakBytes }) => [name, (ms / 1000).toFixed(2), mebibytes(peakBytes)]);
  const sizes = `${weights.toLocaleString('en')} weights, PixelCNN++ of the published size: ${mebibytes(bytes.length)} of float32, ${mebibytes(portableBytes)} as a portable file of float16.`;
  return `${sizes}\n\n${markdownTable(['on wasm, in Node', 's', 'peak memory so far'], rows)}`;
}

/** Bits per dimension of the emoji that the shipped model has not seen, as it is and as float16. */
async function rounded() {
  const { test } = await readDataset('emoji', {});
  const directory = fileURLToPath(new URL('../../examples/models/emoji', import.meta.url));
  const { model, levels } = await loadImageModel(directory);
  const images = quantize(test, levels);
  const whole = await toPortable(model);
  const bitsOf = async (portable) => {
    const nats = await logProb(portable, images);
    const values = images.data.length;
    return -nats.reduce((sum, one) => sum + one, 0) / values / Math.LN2;
  };
  const bits = await bitsOf(whole);
  const file = writePortable(whole, { float16: true });
  const less = (await bitsOf(readPortable(file))) - bits;
  return `Rounding weights to float16 changes the bits/dim of the repository's [emoji model](../../examples/models/README.md), ${bits.toFixed(4)} on the test images, by ${less < 0 ? '' : '+'}${less.toFixed(5)}.`;
}

const fashion = { imageShape: [28, 28, 1], levels: 16, outDim: 32, firstKernelSize: 7 };
const NETWORKS = [
  ['pixelCNN', { ...fashion, hiddenDim: 16, numBlocks: 5 }],
  ['gatedPixelCNN', { ...fashion, hiddenDim: 14, numBlocks: 3 }],
  [
    'pixelCNNPlusPlus',
    { imageShape: [16, 16, 3], levels: 256, filters: 32, numResnets: 2, output: { components: 5 } },
  ],
];
const factories = { pixelCNN, gatedPixelCNN, pixelCNNPlusPlus };
const batch = 16;

/** A step of each network here, between two runs of the same in PyTorch, since the two do not run in turn. */
async function twins() {
  const rows = [];
  for (const [factory, args] of NETWORKS) {
    const torch = () => timeTwin(factory, args, batch, seconds / 4);
    const before = torch();
    if (before === null) return 'PyTorch is not installed.';
    const model = factories[factory]({ ...args, seed: 1 });
    model.compile({ optimizer: tf.train.adam(1e-3, 0.9, 0.999, 1e-7), loss: bitsPerDim });
    const { xs, labels } = randomBatch(args, batch);
    const { step } = await timeInTurn(
      { step: () => model.trainOnBatch(xs, labels) },
      { seconds: seconds / 2 },
    );
    const there = Math.min(before.step.median, torch().step.median);
    rows.push([
      `\`${factory}\`, ${args.imageShape.join('x')}`,
      ms(step.median),
      ms(there),
      (step.median / there).toFixed(1),
    ]);
    model.dispose();
    tf.dispose([xs, labels]);
  }
  return `Training steps, batch ${batch}, one thread each:\n\n${markdownTable(['network', 'ours, on wasm, ms', 'PyTorch, ms', 'ratio'], rows)}`;
}

const directory = await mkdtemp(join(tmpdir(), 'weights-'));
try {
  const text = `${await publishedFigures(directory)}\n\n${await rounded()}\n\n${await twins()}\n\nOne run on ${machine()}.`;
  console.log(text);
  if (flags.write) {
    await writeFigures('benchmarks', 'bench:weights', text);
  }
} finally {
  await rm(directory, { recursive: true });
}
