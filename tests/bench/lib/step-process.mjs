// A process that trains a network by itself, a step whenever it is told to.
//
//   fork('step-process.mjs', [JSON.stringify(shape), images])

import { useBackend } from '../../../kit/runs/backend.mjs';
import { compiled, ours, randomBatch } from './networks.mjs';

await useBackend('wasm');
const [shape, images] = [JSON.parse(process.argv[2]), Number(process.argv[3])];
const { labels } = randomBatch(shape, images);
const model = compiled(ours(shape));
process.on('message', async () => {
  await model.trainOnBatch(labels);
  process.send('done');
});
process.send('ready');
