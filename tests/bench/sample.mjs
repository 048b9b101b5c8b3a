// Times sampling: incremental, in WebAssembly and in plain JavaScript, beside whole passes, in one process, and beside PyTorch's naive sampler
// where python3 has torch. A whole-pass sampler takes one forward pass a value: its time is that of one warm pass on wasm times H*W*C, where a
// pass is made of tfjs's operations (the faster of our model and of stock layers) or, twice as fast, of this library's own kernels.
//
//   npm run bench:sample -- [--write]

import { readFile } from 'node:fs/promises';
import { runInThisContext } from 'node:vm';
import * as tf from '@tensorflow/tfjs-core';
import * as tfLayers from '@tensorflow/tfjs-layers';
import { sample } from 'pixelcnn-layers';
import { useBackend } from '../../kit/runs/backend.mjs';
import { benchmark } from './lib/benchmark.mjs';
import { machine } from './lib/machine.mjs';
import { ours, stock } from './lib/networks.mjs';
import { ms, showRow, tableOf } from './lib/report.mjs';
import { timeInTurn } from './lib/timing.mjs';
import { timeTorchSampler } from './lib/torch.mjs';

const { publish } = benchmark('benchmarks', 'bench:sample');
const net = (imageShape, levels, hiddenDim, numBlocks) => ({ imageShape, levels, hiddenDim, outDim: 32, numBlocks, firstKernelSize: 7 });
const gated = (...sizes) => ({ ...net(...sizes), model: 'gatedPixelCNN' });
const cases = [
  { name: '28x28x1, 16 levels, hidden 16, 5 blocks', shape: net([28, 28, 1], 16, 16, 5), numImages: 16, torch: true },
  { name: '28x28x1, 16 levels, hidden 16, 5 blocks', shape: net([28, 28, 1], 16, 16, 5), numImages: 1 },
  { name: '28x28x1, 16 levels, gated, hidden 14, 3 blocks', shape: gated([28, 28, 1], 16, 14, 3), numImages: 16, torch: true },
  { name: '28x28x1, 16 levels, gated, hidden 14, 3 blocks', shape: gated([28, 28, 1], 16, 14, 3), numImages: 1 },
  { name: '16x16x3, 256 levels, hidden 8, 4 blocks', shape: net([16, 16, 3], 256, 8, 4), numImages: 16, torch: true },
  { name: '32x32x3, 256 levels, hidden 16, 5 blocks', shape: net([32, 32, 3], 256, 16, 5), numImages: 16 },
  { name: '32x32x3, 256 levels, hidden 64, 15 blocks', shape: net([32, 32, 3], 256, 64, 15), numImages: 16 },
];

await useBackend('wasm');
const plainly = await withoutWebAssembly();

/** The file for script tags as a second copy of the library, which found WebAssembly forbidden: its kernels are in JavaScript. */
async function withoutWebAssembly() {
  globalThis.tf = { ...tf, ...tfLayers };
  runInThisContext(await readFile(new URL('../../dist/pixelcnn-layers.min.js', import.meta.url), 'utf8'));
  const library = globalThis.pixelcnn;
  const model = library.pixelCNN(net([2, 2, 1], 2, 1, 0));
  const { Module } = WebAssembly;
  WebAssembly.Module = class {
    constructor() {
      throw new WebAssembly.CompileError('forbidden');
    }
  };
  try {
    (await library.sample(model, { strategy: 'incremental' })).dispose();
  } finally {
    WebAssembly.Module = Module;
  }
  return library;
}

/** Bytes of WebAssembly memory that drawing from a new model takes: nothing is left of a job before. */
async function memoryOf(shape, numImages) {
  const model = ours(shape);
  const { Memory } = WebAssembly;
  let bytes = 0;
  WebAssembly.Memory = class extends Memory {
    constructor(options) {
      super(options);
      bytes += this.buffer.byteLength;
    }
  };
  try {
    (await sample(model, { numImages, seed: 1, strategy: 'incremental' })).dispose();
  } finally {
    WebAssembly.Memory = Memory;
    model.dispose();
  }
  return bytes;
}

const rows = [];
for (const { name, shape, numImages, torch } of cases) {
  const models = [ours(shape), stock(shape)];
  const x = tf.zeros([numImages, ...shape.imageShape]);
  const forward = (model, isOwn) => () => {
    tf.env().set('PIXELCNN_WASM_KERNELS', isOwn);
    model.predict(x, { batchSize: numImages }).dispose();
  };
  const draw = (sample) => async () => (await sample(models[0], { numImages, seed: 1, strategy: 'incremental' })).dispose();
  const tasks = {
    ownPass: forward(models[0], true),
    pass: forward(models[0], false),
    stockPass: forward(models[1], false),
    incremental: draw(sample),
  };
  const isSmall = shape.hiddenDim < 64;
  if (isSmall) tasks.javascript = draw(plainly.sample);
  const times = await timeInTurn(tasks, { seconds: 8, minRounds: 3 });
  const pass = Math.min(times.pass.median, times.stockPass.median);
  const places = shape.imageShape.reduce((product, size) => product * size, 1);
  const faster = ({ median }, onePass = pass) => Math.round((onePass * places) / median);
  const torchTime = torch ? timeTorchSampler(shape, numImages) : null;
  const { incremental, ownPass } = times;
  rows.push({
    network: name,
    images: numImages,
    'one pass, ms: tfjs / own kernels': `${ms(pass)} / ${ms(ownPass.median)}`,
    'incremental, ms': ms(incremental.median),
    'in passes': `${(incremental.median / pass).toFixed(2)} / ${(incremental.median / ownPass.median).toFixed(2)}`,
    'speedup over full passes': `${faster(incremental)} / ${faster(incremental, ownPass.median)}`,
    'speedup in JavaScript': isSmall ? faster(times.javascript) : '',
    "speedup over PyTorch's full passes, one thread": torchTime === null ? '' : Math.round(torchTime / incremental.median),
    memory: `${((await memoryOf(shape, numImages)) / 2 ** 20).toFixed(1)} MiB`,
  });
  showRow(rows.at(-1));
  tf.dispose(x);
  for (const model of models) model.dispose();
}
await publish(`${tableOf(rows)}\n\nMedians of one run on ${machine()}.`);
