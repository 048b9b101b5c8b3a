// Times Image GPT: drawing beside passes of its own, and beside PyTorch's whole passes and its sampling with a cache of keys and
// values; memory; and the smallest network that was published, of random weights, from a float16 file in the runtime.
//
//   npm run bench:gpt -- [--seconds 20] [--rows 32] [--write]
//
// --rows shortens the images of the large network, and takes its figures for a part of them. --write puts the tables into
// docs/results/benchmarks.md.

import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { imageGPT, sample, toPortable } from 'pixelcnn-layers';
import * as runtime from 'pixelcnn-layers/runtime';
import { useBackend } from '../../examples/lib/backend.mjs';
import { machine } from './lib/machine.mjs';
import { markdownTable, ms, writeFigures } from './lib/report.mjs';
import { timeInTurn } from './lib/timing.mjs';
import { timeTorchGPT } from './lib/torch.mjs';

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    rows: { type: 'string', default: '32' },
    write: { type: 'boolean', default: false },
  },
});
const SMALL = { imageShape: [28, 28, 1], levels: 16, width: 16, heads: 2, layers: 8 };
const PUBLISHED = { imageShape: [32, 32, 1], levels: 512, width: 512, heads: 8, layers: 24 };
const KIND = { norm: 'rms', activation: 'quickGelu', seed: 1 }; // as OpenAI's

await useBackend('wasm');

/** Drawing 16 small images, in passes of its own, in turn. */
async function ofSmall() {
  const numImages = 16;
  const model = imageGPT({ ...SMALL, ...KIND });
  const x = tf.randomUniform([numImages, ...SMALL.imageShape]);
  const tasks = {
    pass: async () => {
      const logits = model.predict(x, { batchSize: numImages });
      await logits.data();
      logits.dispose();
    },
    draw: async () => (await sample(model, { numImages, seed: 1 })).dispose(),
  };
  const torch = timeTorchGPT(SMALL, numImages, 28 * 28);
  const { pass, draw } = await timeInTurn(tasks, { seconds: Number(flags.seconds) });
  const again = timeTorchGPT(SMALL, numImages, 28 * 28); // before and after, since the two do not run in turn
  x.dispose();
  model.dispose();
  return [
    `28x28, 16 levels: width ${SMALL.width}, ${SMALL.heads} heads, ${SMALL.layers} layers`,
    numImages,
    `${ms(draw.median)} (${(draw.median / pass.median).toFixed(2)})`,
    ...besideTorch(draw.median, torch, again, 28 * 28),
  ];
}

/** PyTorch's sampling with a cache and by whole passes, in ms, and how many times as long as ours. */
function besideTorch(draw, torch, again, places) {
  if (torch === null) return ['not installed', 'not installed'];
  const [cached, pass] = ['sample', 'forward'].map((what) => Math.min(torch[what], again[what]));
  const beside = (time) => `${ms(time)} (${(time / draw).toFixed(1)})`;
  return [beside(cached), beside(places * pass)];
}

/** Drawing images of the published size, from a float16 file. */
async function ofPublished(file, numImages) {
  const rows = Number(flags.rows);
  const portable = runtime.readPortable(file);
  const start = performance.now();
  let [end, most] = [start, 0];
  const stop = new AbortController();
  const isDone = ({ done, total }) => done >= (total * rows) / 32;
  await runtime
    .sample(portable, {
      numImages,
      seed: 1,
      signal: stop.signal,
      onProgress(progress) {
        most = Math.max(most, process.memoryUsage().rss);
        if (!isDone(progress)) return;
        end = performance.now();
        stop.abort();
      },
    })
    .catch((error) => {
      if (!stop.signal.aborted) throw error;
    });
  const shape = { ...PUBLISHED, imageShape: [rows, 32, 1] };
  const torch = timeTorchGPT(shape, numImages, rows * 32);
  return [
    `${rows}x32, 512 levels: width 512, 8 heads, 24 layers`,
    numImages,
    `${ms(end - start)} (${((end - start) / 1000 / numImages).toFixed(1)} s an image, ${(most / 2 ** 30).toFixed(1)} GiB)`,
    ...besideTorch(end - start, torch, torch, rows * 32),
  ];
}

const rows = [await ofSmall()];
const large = imageGPT({ ...PUBLISHED, ...KIND });
const file = runtime.writePortable(await toPortable(large), { float16: true });
const weights = large.countParams();
large.dispose();
for (const numImages of [1, 16]) rows.push(await ofPublished(file, numImages));
const table = markdownTable(
  ['', 'images', 'sampling, ms (own passes)', 'PyTorch with a cache, ms (times ours)', 'PyTorch, a pass per pixel, ms (times ours)'],
  rows,
); // biome-ignore format: a table
const text = `${table}\n\nOne core of ${machine()}, PyTorch on one thread. The larger network is the smallest that was published, ${(weights / 1e6).toFixed(1)} million weights, here random; its float16 file takes ${Math.round(file.length / 1e6)} MB.`;
console.log(text);
if (flags.write) await writeFigures('benchmarks', 'bench:gpt', text);
