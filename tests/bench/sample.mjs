// Times sampling: incremental, in WebAssembly and in plain JavaScript, beside whole passes, in one process. A whole-pass sampler takes one
// forward pass a value: its time is that of one warm pass (the faster of ours and of stock layers, on wasm) times H*W*C.
//
//   npm run bench:sample -- [--write]
//
// --write puts the table into docs/sampling.md.

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { sample } from 'pixelcnn-layers';
import { useBackend } from '../../examples/lib/backend.mjs';
import { machine } from './lib/machine.mjs';
import { ours, stock } from './lib/networks.mjs';
import { markdownTable, ms, writeBetweenMarks } from './lib/report.mjs';
import { timeInTurn } from './lib/timing.mjs';

const { values: flags } = parseArgs({ options: { write: { type: 'boolean', default: false } } });
const net = (imageShape, levels, hiddenDim, numBlocks, outDim = 32) => ({
  imageShape,
  levels,
  hiddenDim,
  outDim,
  numBlocks,
  firstKernelSize: 7,
});
const cases = [
  ['28x28x1, 16 levels, hidden 16, 5 blocks', net([28, 28, 1], 16, 16, 5), 16],
  ['28x28x1, 16 levels, hidden 16, 5 blocks', net([28, 28, 1], 16, 16, 5), 1],
  ['16x16x3, 256 levels, hidden 8, 4 blocks', net([16, 16, 3], 256, 8, 4), 16],
  ['32x32x3, 256 levels, hidden 16, 5 blocks', net([32, 32, 3], 256, 16, 5), 16],
];

await useBackend('wasm');
const rows = [];
for (const [name, shape, numImages] of cases) {
  const models = [ours(shape), stock(shape)];
  const x = tf.zeros([numImages, ...shape.imageShape]);
  const forward = (model) => () => model.predict(x, { batchSize: numImages }).dispose();
  const draw = (model) => async () =>
    (await sample(model, { numImages, seed: 1, strategy: 'incremental' })).dispose();
  const times = await timeInTurn(
    { pass: forward(models[0]), stockPass: forward(models[1]), incremental: draw(models[0]) },
    { seconds: 8, minRounds: 3 },
  );
  const pass = Math.min(times.pass.median, times.stockPass.median);
  const places = shape.imageShape.reduce((product, size) => product * size, 1);
  rows.push([
    name,
    numImages,
    ms(pass),
    ms(times.incremental.median),
    (times.incremental.median / pass).toFixed(2),
    Math.round((pass * places) / times.incremental.median),
  ]);
  console.error(rows.at(-1).join('  '));
  tf.dispose(x);
  for (const model of models) model.dispose();
}
const header = [
  'network',
  'images',
  'one pass, ms',
  'incremental, ms',
  'in passes',
  'times faster than whole passes',
];
const table = `${markdownTable(header, rows)}\n\nMedians in one run on ${machine()}.`;
console.log(table);
if (flags.write) {
  await writeBetweenMarks(
    fileURLToPath(new URL('../../docs/sampling.md', import.meta.url)),
    'bench:sample',
    table,
  );
}
