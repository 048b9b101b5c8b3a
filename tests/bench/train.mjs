// Times training: a step and a forward pass of this library's networks beside those of stock layers, of the blog's way written
// plainly, and of PyTorch, all in one run. Ratios are worth quoting, bare times are this machine's on this day.
//
//   npm run bench:train -- [--backends wasm,cpu] [--seconds 8] [--batch 16] [--write]
//
// --write puts the table into docs/backends.md.

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { bitsPerDim } from 'pixelcnn-layers';
import { useBackend } from '../../examples/lib/backend.mjs';
import { layerTimes } from './lib/layer.mjs';
import { machine } from './lib/machine.mjs';
import { ours, plain, randomBatch, shapes, stock } from './lib/networks.mjs';
import { normalizationTimes } from './lib/normalization.mjs';
import { profileStep } from './lib/profile.mjs';
import { markdownTable, ms, writeBetweenMarks } from './lib/report.mjs';
import { timeInTurn } from './lib/timing.mjs';
import { timeTorch } from './lib/torch.mjs';

const { values: flags } = parseArgs({
  options: {
    backends: { type: 'string', default: 'wasm,wasm-composed,cpu' },
    seconds: { type: 'string', default: '8' },
    batch: { type: 'string', default: '16' },
    write: { type: 'boolean', default: false },
  },
});
const seconds = Number(flags.seconds);
const batch = Number(flags.batch);

/** Backends that take minutes a step do the small networks only: at most so many multiplications a forward pass. */
const LARGEST = { cpu: 4e8, webgpu: 4e8 };

/** 'wasm-composed' is wasm without the library's own kernels. */
async function use(backend) {
  await useBackend(backend.split('-')[0]);
  tf.env().set('PIXELCNN_WASM_KERNELS', backend !== 'wasm-composed');
}

const multiplications = (model, { imageShape: [h, w] }) => model.countParams() * h * w * batch;

/** Medians of one network on the current backend. */
async function measure(shape, backend) {
  const { xs, labels } = randomBatch(shape, batch);
  const models = { ours: ours(shape), stock: stock(shape), plain: plain(shape) };
  const step = (model) => {
    model.compile({ optimizer: tf.train.adam(1e-3, 0.9, 0.999, 1e-7), loss: bitsPerDim });
    return () => model.trainOnBatch(xs, labels);
  };
  const forward = (model) => async () => {
    const logits = model.predict(xs, { batchSize: batch });
    await logits.data();
    logits.dispose();
  };
  const tasks = {
    forward: forward(models.ours),
    stockForward: forward(models.stock),
    plainForward: forward(models.plain),
    step: step(models.ours),
  };
  // wasm has no filter gradient: stock convolutions cannot train there
  if (!backend.startsWith('wasm')) tasks.plainStep = step(models.plain);
  const times = await timeInTurn(tasks, { seconds, minRounds: 3 });
  const { peakBytes } = await tf.profile(() => tasks.step());
  tf.dispose([xs, labels]);
  return { ...times, peakBytes };
}

const rows = [];
for (const [name, shape] of Object.entries(shapes)) {
  const torch = timeTorch(shape, batch, seconds / 2);
  for (const backend of flags.backends.split(',')) {
    await use(backend);
    const model = ours(shape);
    const isTooLarge = multiplications(model, shape) > (LARGEST[backend] ?? Infinity);
    model.dispose();
    if (isTooLarge) continue;
    const { forward, stockForward, plainForward, step, plainStep, peakBytes } = await measure(shape, backend);
    rows.push([
      name,
      backend === 'wasm-composed' ? 'wasm, own kernels off' : backend,
      ms(forward.median),
      ms(stockForward.median),
      `${ms(step.median)} (${ms(step.low)} to ${ms(step.high)})`,
      (step.median / stockForward.median).toFixed(2),
      (step.median / forward.median).toFixed(2),
      `${ms(plainForward.median)} / ${plainStep ? ms(plainStep.median) : 'cannot'}`,
      torch ? `${ms(torch.forward.median)} / ${ms(torch.step.median)}` : 'not installed',
      torch ? (step.median / torch.step.median).toFixed(1) : '',
      `${(peakBytes / 2 ** 20).toFixed(0)} MiB`,
    ]);
    console.error(rows.at(-1).join('  '));
  }
}
const header = [
  'network',
  'backend',
  'forward, ms',
  'stock layers',
  'step, ms (10th to 90th percentile)',
  'step in passes of stock layers',
  'in our own',
  'plainly: forward / step',
  'PyTorch, one thread: forward / step',
  'step / PyTorch',
  'peak of a step',
];
const networks = `${markdownTable(header, rows)}\n\nMedians, batch ${batch}, in one run on ${machine()}.`;

// One layer, forward and backward, on the cpu backend.
await useBackend('cpu');
const layerRows = [];
for (const kernelSize of [3, 7]) {
  const times = await layerTimes(kernelSize, seconds);
  const factor = times.plain.median / times.ours.median;
  layerRows.push([
    `${kernelSize}x${kernelSize}`,
    ms(times.ours.median),
    ms(times.plain.median),
    factor.toFixed(0),
  ]);
}
const layerHeader = [
  'cpu backend, 48 to 48 features, [4,16,16,48]',
  'ours, ms',
  'plainly, ms',
  'times faster',
];
const layers = `Forward and backward of one masked convolution:\n\n${markdownTable(layerHeader, layerRows)}`;

// Layer normalization between masked convolutions, beside none.
await use('wasm');
const { without, normalized } = await normalizationTimes(batch, seconds);
const normalization = `A step of five masked convolutions of 32 features, 28x28x1: ${ms(without.median)} ms; with \`pixelNormalization\` between them ${ms(normalized.median)} ms, ${(normalized.median / without.median).toFixed(2)} times as long.`;

// Where the time of a step goes.
const profileRows = [];
for (const [name, shape] of Object.entries(shapes)) {
  const { xs, labels } = randomBatch(shape, batch);
  const model = ours(shape);
  model.compile({ optimizer: tf.train.adam(1e-3, 0.9, 0.999, 1e-7), loss: bitsPerDim });
  const { convolutions, operations, optimizer, rest, slowest } = await profileStep(model, () =>
    model.trainOnBatch(xs, labels),
  );
  const total = convolutions + operations + optimizer + rest;
  const share = (time) => `${((100 * time) / total).toFixed(0)} %`;
  profileRows.push([name, ms(total), ...[convolutions, operations, optimizer, rest].map(share), slowest.join(', ')]); // biome-ignore format: one row
  tf.dispose([xs, labels]);
}
const profileHeader = [
  'a step on wasm',
  'ms',
  'our kernels',
  "tfjs's operations",
  'Adam',
  'tape and JavaScript',
  "the slowest of tfjs's operations, ms",
];
const profile = `Where the time of a step goes:\n\n${markdownTable(profileHeader, profileRows)}`;

const text = [networks, layers, normalization, profile].join('\n\n');
console.log(text);
if (flags.write) {
  await writeBetweenMarks(
    fileURLToPath(new URL('../../docs/backends.md', import.meta.url)),
    'bench:train',
    text,
  );
}
