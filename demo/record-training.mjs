/**
 * Records the run that the page opens "Train here" with: both networks learn digits, as in the page, and what they draw is kept on the way.
 *
 *     node demo/record-training.mjs [STEPS] [FILE]
 *
 * Networks begin with random weights, so another run differs a little. The page's is one of 4,000 steps, up to where test images stopped getting
 * likelier.
 *
 * The file, as gzip: a line of JSON, and then the samples at each of its `steps`, of one network after the other, with a pixel a byte.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs-core';
import { imageBatches, imageSet, sliceImages } from 'pixelcnn-layers/data';
import { useBackend } from '../kit/runs/backend.mjs';
import { sizeOf } from './catalogue.mjs';
import { disposeNetwork, learn, measure, newNetwork, samplesOf } from './worker/network.mjs';
import { SETS, TEST_IMAGES } from './worker/training-sets.mjs';

const FRAMES = 30;
const POINTS = 150; // of a curve
const set = 'digits';
const { shape, levels } = SETS[set];
const settings = { set, shape, levels, networks: ['plain', 'gated'], width: 24, depth: 3 };

const [given = '3000', file = fileURLToPath(new URL('recorded-training.bits', import.meta.url))] =
  process.argv.slice(2);
const last = Number(given);
/** Close to each other at first, when samples change most. */
const steps = [
  ...new Set(Array.from({ length: FRAMES }, (_, i) => Math.round(last * (i / (FRAMES - 1)) ** 2.5))),
];

await useBackend('wasm');
const [train, test] = await Promise.all(['train', 'test'].map(images));
const testImages = sliceImages(test, 0, TEST_IMAGES);
const networks = settings.networks.map((name) => newNetwork(name, settings));
const samples = [];
let step = 0;
await show();
for (const batch of imageBatches(train, { batchSize: 16, seed: 1 })) {
  for (const network of networks) await learn(network, network.model, batch, step);
  tf.dispose(batch);
  step += 1;
  if (steps.includes(step)) await show();
  if (step === last) break;
}
networks.forEach(disposeNetwork);

const curves = networks.map(({ training, test }) => ({
  training: training.filter((_, i) => (i + 1) % Math.ceil(training.length / POINTS) === 0).map(rounded),
  test: test.map(rounded),
}));
const header = JSON.stringify({ ...settings, curves, steps });
await writeFile(file, gzipSync(Buffer.concat([Buffer.from(`${header}\n`), ...samples]), { level: 9 }));

async function show() {
  for (const network of networks) {
    await measure(network, testImages, step);
    samples.push(await samplesOf(network, 1));
  }
  const bits = networks.map(({ test }) => test.at(-1)[1].toFixed(3));
  console.log(`step ${step} of ${last}: ${bits.join(' and ')} bits/dim on test images`);
}

async function images(part) {
  const bytes = await readFile(new URL(`../kit/data/sets/digits-${part}-images.u8`, import.meta.url));
  const data = new Uint8Array(bytes);
  return imageSet({ data, shape: [data.length / sizeOf(shape), ...shape], levels });
}

function rounded([step, bits]) {
  return [step, Number(bits.toFixed(3))];
}
