// Times PixelCNN++: a step of a small one beside PyTorch's, and drawing from it beside a pass; drawing from one of the published size, out of a
// portable file, beside a pass of PyTorch, which a sampler without caches takes for every pixel.
//
//   npm run bench:plus-plus -- [--seconds 20] [--write]

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pixelCNNPlusPlus, sample, toPortable } from 'pixelcnn-layers';
import { sample as samplePortable, writePortable } from 'pixelcnn-layers/runtime';
import { useBackend } from '../../kit/runs/backend.mjs';
import { benchmark, inTemporaryFolder } from './lib/benchmark.mjs';
import { drawInPage } from './lib/draw-in-page.mjs';
import { machine } from './lib/machine.mjs';
import { compiled, forwardPass, randomBatch } from './lib/networks.mjs';
import { outputOf } from './lib/process.mjs';
import { markdownTable, mebibytes, ms, toFirstRow } from './lib/report.mjs';
import { timeInTurn } from './lib/timing.mjs';
import { timeTorch } from './lib/torch.mjs';

const { flags, publish } = benchmark('benchmarks', 'bench:plus-plus', { seconds: 20 });
const { seconds } = flags;
const batch = 16;
const small = { imageShape: [16, 16, 3], levels: 256, filters: 32, numResnets: 2, output: { components: 5 } };
const published = { imageShape: [32, 32, 3], levels: 256, filters: 160, numResnets: 5, output: { components: 10 } };
const seconds1 = (time) => `${(time / 1000).toFixed(2)} s`;
const timeTwin = (network, images, most) => timeTorch({ model: 'pixelCNNPlusPlus', ...network }, images, most);

await useBackend('wasm');

async function smallFigures() {
  const torch = timeTwin(small, batch, seconds);
  const model = compiled(pixelCNNPlusPlus({ ...small, seed: 1 }));
  const { xs, labels } = randomBatch(small, batch);
  const portable = await toPortable(model);
  const times = await timeInTurn(
    {
      pass: forwardPass(model, xs),
      step: () => model.trainOnBatch(xs, labels),
      draw: async () => (await sample(model, { numImages: batch, seed: 1 })).dispose(),
      drawPortable: () => samplePortable(portable, { numImages: batch, seed: 1 }),
    },
    { seconds },
  );
  const again = timeTwin(small, batch, seconds); // before and after, since the two do not run in turn
  const ofTorch = (what) => torch && Math.min(torch[what].median, again[what].median);
  const { pass, step, draw, drawPortable } = times;
  const inPasses = (time) => `${ms(time.median)} (${(time.median / pass.median).toFixed(2)} passes)`;
  const beside = (time, what) => (torch ? `${ms(ofTorch(what))} (${(time.median / ofTorch(what)).toFixed(1)})` : 'not installed');
  const rows = [
    ['forward pass', ms(pass.median), beside(pass, 'forward')],
    ['training step', ms(step.median), beside(step, 'step')],
    ['sampling', inPasses(draw), ''],
    ['sampling without tfjs, from a portable model', inPasses(drawPortable), ''],
  ];
  const table = markdownTable([`${batch} images, 16x16x3`, 'ms', 'PyTorch, one thread, ms (ratio)'], rows);
  return `${model.countParams().toLocaleString('en')} weights (\`filters: 32, numResnets: 2, output: { components: 5 }\`):\n\n${table}`;
}

async function publishedFigures(directory) {
  const file = join(directory, 'model');
  const model = pixelCNNPlusPlus({ ...published, seed: 1 });
  const weights = model.countParams();
  const bytes = writePortable(await toPortable(model), { weights: 'float16' });
  await writeFile(file, bytes);
  model.dispose();
  const drawn = (numImages) => ({ numImages, ...outputOf('draw-portable.mjs', file, numImages) });
  const torch = timeTwin(published, 1, 0);
  const rows = [drawn(16), drawn(1)].map((run) => [
    run.numImages,
    seconds1(run.ms / run.numImages),
    mebibytes(run.peakBytes),
    toFirstRow(run.readMs, run.rowMs),
    torch ? Math.round((1024 * torch.forward.median) / (run.ms / run.numImages)) : 'not installed',
  ]);
  const header = ['32x32x3 images', 'each', 'process memory', 'file to first row, s', 'speedup over full passes in PyTorch'];
  const pass = torch
    ? ` PyTorch takes ${seconds1(torch.forward.median)} for a forward pass of one image, and a sampler without caches needs ${32 * 32} passes.`
    : '';
  const size = `${weights.toLocaleString('en')} weights, the published size, from a portable file of ${mebibytes(bytes.length)} (float16), on one core:`;
  const page = await drawInPage(file);
  const there = page
    ? `A page in Chromium on this machine loads the file in ${seconds1(page.loadMs)} and samples an image in ${seconds1(page.drawMs)}; its process takes at most ${mebibytes(page.peakBytes)}.`
    : '';
  return `${size}\n\n${markdownTable(header, rows)}\n\n${[pass.trim(), there].filter(Boolean).join(' ')}`;
}

await inTemporaryFolder(async (directory) => {
  await publish(`${await smallFigures()}\n\n${await publishedFigures(directory)}\n\nMedians of one run on ${machine()}.`);
});
