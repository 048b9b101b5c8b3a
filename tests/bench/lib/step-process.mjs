// A process that trains a network by itself, a step whenever it is told to.
//
//   fork('step-process.mjs', [JSON.stringify(shape), images])

import * as tf from '@tensorflow/tfjs-core';
import { bitsPerDim } from 'pixelcnn-layers';
import { useBackend } from '../../../kit/runs/backend.mjs';
import { ours, randomBatch } from './networks.mjs';

await useBackend('wasm');
const [shape, images] = [JSON.parse(process.argv[2]), Number(process.argv[3])];
const { labels } = randomBatch(shape, images);
const model = ours(shape);
model.compile({ optimizer: tf.train.adam(1e-3, 0.9, 0.999, 1e-7), loss: bitsPerDim });
process.on('message', async () => {
  await model.trainOnBatch(labels);
  process.send('done');
});
process.send('ready');
