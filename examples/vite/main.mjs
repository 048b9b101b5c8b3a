// Trains a PixelCNN on 8x8 handwritten digits in the page, then draws 16 new ones: ?backend=wasm&steps=300&seed=1

import * as tf from '@tensorflow/tfjs-core';
import { bitsPerDim, picture, pixelCNN, sample } from 'pixelcnn-layers';
import { imageBatches, imageSet } from 'pixelcnn-layers/data';
import { seedWeights } from '../../kit/weights/weights.mjs';

/** Each backend registers itself when it is imported; only the one asked for is loaded. */
const BACKENDS = {
  wasm: () => import('./wasm.mjs'),
  cpu: () => import('@tensorflow/tfjs-backend-cpu'),
  webgl: () => import('@tensorflow/tfjs-backend-webgl'),
  webgpu: () => import('@tensorflow/tfjs-backend-webgpu'),
};
const IMAGE_SHAPE = [8, 8, 1];
const LEVELS = 17;
const element = (id) => document.getElementById(id);

run().catch((error) => {
  console.error(error);
  say(error.message);
  element('status').classList.add('error');
});

async function run() {
  const backend = ask('backend');
  const steps = Number(ask('steps'));
  const seed = Number(ask('seed'));
  say(`Starting ${backend}`);
  await useBackend(backend);
  const data = await readBytes(new URL('../../kit/data/sets/digits-train-images.u8', import.meta.url));
  const digits = imageSet({ data, shape: [data.length / 64, ...IMAGE_SHAPE], levels: LEVELS });

  const model = pixelCNN({
    imageShape: IMAGE_SHAPE,
    levels: LEVELS,
    firstKernelSize: 5,
    hiddenDim: 16,
    outDim: 32,
    numBlocks: 3,
  });
  seedWeights(model, seed);
  model.compile({ optimizer: tf.train.adam(3e-3, 0.9, 0.999, 1e-7), loss: bitsPerDim });

  say(`Training on ${backend}`);
  await train(model, digits, steps, seed);
  say('Drawing');
  const samples = await sample(model, { numImages: 16, seed }); // int32 levels [16,8,8,1]
  const { data: rgba, width, height } = await picture(samples, model, { columns: 4 });
  const canvas = Object.assign(element('samples'), { width, height });
  canvas.getContext('2d').putImageData(new ImageData(rgba, width), 0, 0);
  say(`Done on ${backend}`);
}

async function train(model, digits, steps, seed) {
  const smoothing = 0.95; // about the last 20 steps
  let sum = 0;
  let shown = performance.now();
  let step = 0;
  for (const { xs, ys } of imageBatches(digits, { batchSize: 16, seed })) {
    sum = smoothing * sum + (1 - smoothing) * (await model.trainOnBatch(xs, ys));
    tf.dispose([xs, ys]);
    step += 1;
    if (step < steps && performance.now() - shown < 50) continue;

    const bits = sum / (1 - smoothing ** step); // an average even after few steps
    element('progress').value = step / steps;
    element('figures').textContent = `step ${step} of ${steps}: ${bits.toFixed(3)} bits/dim`;
    await new Promise((resolve) => setTimeout(resolve)); // no animation frame: those stop in a background tab
    if (step === steps) break;
    shown = performance.now();
  }
}

/** What the address says of a field of the form, else the field's own value; the form shows it and knows what is allowed. */
function ask(name) {
  const field = element('form').elements[name];
  const text = new URLSearchParams(location.search).get(name) ?? field.value;
  field.value = text; // stays empty where it is not allowed
  if (field.value === text && field.checkValidity()) return text;
  throw new Error(`?${name}: wanted ${field.title}, got '${text}'`);
}

async function useBackend(name) {
  await BACKENDS[name]();
  const isReady = tf.findBackendFactory(name) != null && (await tf.setBackend(name));
  if (!isReady) throw new Error(`The backend '${name}' does not start in this browser`);
}

async function readBytes(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} cannot be read: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

function say(text) {
  element('status').textContent = text;
}
