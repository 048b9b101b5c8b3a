// Times Image GPT: a step of training beside PyTorch's; drawing beside passes of its own, and beside PyTorch's whole passes and its
// sampling with a cache of keys and values; and the smallest network that was published, of random weights, from a float16 file in the
// runtime, with its memory.
//
//   npm run bench:gpt -- [--seconds 20] [--write]

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { imageGPT, sample, toPortable } from 'pixelcnn-layers';
import * as runtime from 'pixelcnn-layers/runtime';
import { useBackend } from '../../kit/runs/backend.mjs';
import { benchmark, inTemporaryFolder } from './lib/benchmark.mjs';
import { drawInPage } from './lib/draw-in-page.mjs';
import { machine } from './lib/machine.mjs';
import { compiled, forwardPass, randomBatch } from './lib/networks.mjs';
import { outputOf } from './lib/process.mjs';
import { mebibytes, ms, tableOf, toFirstRow } from './lib/report.mjs';
import { timeInTurn } from './lib/timing.mjs';
import { timeTorch, timeTorchGPT } from './lib/torch.mjs';

const { flags, publish } = benchmark('benchmarks', 'bench:gpt', { seconds: 20 });
const SMALL = { imageShape: [28, 28, 1], levels: 16, width: 16, heads: 2, layers: 8 };
const PUBLISHED = { imageShape: [32, 32, 1], levels: 512, width: 512, heads: 8, layers: 24 };
const KIND = { norm: 'rms', activation: 'quickGelu' }; // as OpenAI's

await useBackend('wasm');

/** Drawing 16 small images, in passes of its own, in turn; and a step of training, in ms, with its ratio to PyTorch's. */
async function ofSmall() {
  const numImages = 16;
  const { seconds } = flags;
  const model = compiled(imageGPT({ ...SMALL, ...KIND, seed: 1 }));
  const { xs, labels } = randomBatch(SMALL, numImages);
  const tasks = {
    step: () => model.trainOnBatch(xs, labels),
    pass: forwardPass(model, xs),
    draw: async () => (await sample(model, { numImages, seed: 1 })).dispose(),
  };
  const timeTwin = () => ({
    ...timeTorchGPT(SMALL, numImages, 28 * 28),
    step: timeTorch({ model: 'imageGPT', ...SMALL, ...KIND }, numImages, seconds / 2)?.step,
  });
  const torch = timeTwin();
  const { step, pass, draw } = await timeInTurn(tasks, { seconds });
  const again = timeTwin(); // before and after, since the two do not run in turn
  tf.dispose([xs, labels]);
  model.dispose();
  const torchStep = torch.step && Math.min(torch.step.median, again.step.median);
  const training = `A step of training on ${numImages} of the smaller images takes ${ms(step.median)} ms${torchStep ? `, ${(step.median / torchStep).toFixed(2)} times PyTorch's` : ''}.`;
  const row = {
    '': `28x28, 16 levels: width ${SMALL.width}, ${SMALL.heads} heads, ${SMALL.layers} layers`,
    images: numImages,
    'sampling, ms': `${ms(draw.median)}, ${(draw.median / pass.median).toFixed(2)} own passes`,
    ...besideTorch(draw.median, torch, again, 28 * 28),
    'file to first row, s': '',
  };
  return { row, training };
}

/** PyTorch's sampling with a cache and by whole passes, in ms, and how many times as long as ours. */
function besideTorch(draw, torch, again, places) {
  if (torch?.sample === undefined) return ofTorch('not installed', 'not installed');
  const [cached, pass] = ['sample', 'forward'].map((what) => Math.min(torch[what], again[what]));
  const beside = (time) => `${ms(time)} (${(time / draw).toFixed(1)})`;
  return ofTorch(beside(cached), beside(places * pass));
}

const ofTorch = (cached, whole) => ({
  'PyTorch with a cache, ms (times ours)': cached,
  'PyTorch, a pass per pixel, ms (times ours)': whole,
});

/** Drawing images of the published size from a float16 file, in a process of its own. */
function ofPublished(path, numImages) {
  const { ms: draw, readMs, rowMs, peakBytes } = outputOf('draw-portable.mjs', path, numImages);
  const isAlone = numImages === 1;
  const torch = isAlone && timeTorchGPT(PUBLISHED, numImages, 32 * 32); // of 16 images, it takes a quarter of an hour
  return {
    '': '32x32, 512 levels: width 512, 8 heads, 24 layers',
    images: numImages,
    'sampling, ms': `${ms(draw)}, ${(draw / 1000 / numImages).toFixed(1)} s each, ${mebibytes(peakBytes)}`,
    ...(isAlone ? besideTorch(draw, torch, torch, 32 * 32) : ofTorch('not timed', 'not timed')),
    'file to first row, s': toFirstRow(readMs, rowMs),
  };
}

await inTemporaryFolder(async (directory) => {
  const { row, training } = await ofSmall();
  const rows = [row];
  const large = imageGPT({ ...PUBLISHED, ...KIND });
  const weights = large.countParams();
  const file = runtime.writePortable(await toPortable(large), { weights: 'float16' });
  large.dispose();
  const path = join(directory, 'model');
  await writeFile(path, file);
  for (const numImages of [1, 16]) rows.push(ofPublished(path, numImages));
  const page = await drawInPage(path);
  const there = page
    ? ` A page in Chromium loads it in ${(page.loadMs / 1000).toFixed(1)} s and samples an image in ${(page.drawMs / 1000).toFixed(0)} s; its process takes at most ${mebibytes(page.peakBytes)}.`
    : '';
  const text = `${tableOf(rows)}\n\nThe larger network is the smallest that was published, ${(weights / 1e6).toFixed(1)} million weights, here random, from a float16 file of ${Math.round(file.length / 1e6)} MB.${there} ${training} One core of ${machine()}.`;
  await publish(text);
});
