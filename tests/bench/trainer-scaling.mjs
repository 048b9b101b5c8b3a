// How far createTrainer scales, from two measurements on one core: the time of a part, which workers compute side by side,
// and the time of a step in which they wait for the main thread to add up gradients, apply them and hand out weights.
//
//   npm run bench:trainer-scaling -- [--steps 6] [--write]

import { Worker } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs-core';
import { createTrainer, pixelCNNPlusPlus } from 'pixelcnn-layers';
import { useBackend } from '../../kit/runs/backend.mjs';
import { benchmark } from './lib/benchmark.mjs';
import { machine } from './lib/machine.mjs';
import { compiled, ours, shapes } from './lib/networks.mjs';
import { ms, showRow, tableOf } from './lib/report.mjs';
import { summary } from './lib/timing.mjs';

const { flags, publish } = benchmark('benchmarks', 'bench:trainer-scaling', { steps: 6 });
const PARTS = 16;
const CORES = [2, 4, 8, 16];

const small = '28x28x1, 16 levels, hidden 16, 5 blocks';
const wide = '28x28x1, 16 levels, hidden 64, 5 blocks';
const published = { imageShape: [32, 32, 3], levels: 256, filters: 160, numResnets: 5 };
const networks = [
  [small, () => ours(shapes[small]), 4],
  [wide, () => ours(shapes[wide]), 4],
  ['PixelCNN++ as published', () => pixelCNNPlusPlus(published), 1],
];

/** Median milliseconds of a part, and of the rest of a step of so many parts. */
async function measured(model, perPart, parts) {
  const [h, w, c] = model.imageShape;
  const levels = tf.randomUniform([parts * perPart, h, w, c], 0, model.levels, 'int32', 1);
  let times = []; // between a request and its reply
  const createWorker = () => {
    const worker = new Worker(new URL(import.meta.resolve('pixelcnn-layers/train-worker')));
    const post = worker.postMessage.bind(worker);
    let asked = 0;
    worker.postMessage = (...message) => {
      asked = performance.now();
      post(...message);
    };
    worker.on('message', () => times.push(performance.now() - asked));
    return worker;
  };
  const trainer = await createTrainer(model, { workers: 1, shards: parts, createWorker });
  const [ofPart, ofRest] = [[], []];
  for (let step = 0; step < flags.steps + 2; step++) {
    times = [];
    const start = performance.now();
    await trainer.trainOnBatch(levels);
    const whole = performance.now() - start;
    const inWorker = times.reduce((sum, time) => sum + time, 0);
    if (step < 2) continue; // the first ones compile
    ofPart.push(inWorker / parts);
    ofRest.push(whole - inWorker);
  }
  await trainer.dispose();
  levels.dispose();
  return { part: summary(ofPart).median, rest: summary(ofRest).median };
}

await useBackend('wasm');
const rows = [];
for (const [name, make, perPart] of networks) {
  const model = compiled(make());
  const parts = model.countParams() > 1e7 ? 2 : 8;
  const { part, rest } = await measured(model, perPart, parts);
  const ofStep = (cores) => Math.ceil(PARTS / cores) * part + rest;
  rows.push({
    ...{ network: name, weights: model.countParams().toLocaleString('en') },
    'a part, ms': `${ms(part)} (${perPart} ${perPart === 1 ? 'image' : 'images'})`,
    'the rest of a step, ms': ms(rest),
    ...Object.fromEntries(CORES.map((cores) => [`${cores} cores`, (ofStep(1) / ofStep(cores)).toFixed(1)])),
  });
  showRow(rows.at(-1));
  model.dispose();
}
await publish(`${tableOf(rows)}\n\n${machine()}`);
