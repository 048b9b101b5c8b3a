// Trains a small network on patches of photographs, and writes it as a portable model.
//
//   npm run build && node research/photographs/train.mjs --data data/photographs [--steps 8000] [--out runs/photographs]
//
// Neighbouring pixels are almost the same, so the network is given differences between those of a window. From them it makes
// the mixture's parameters: by a linear function, which begins as a prediction of lossless codecs, plus a correction by a few
// convolutions. Ctrl-C ends training after a step; the same command goes on.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { input, layers } from '@tensorflow/tfjs-layers';
import { autoregressiveModel, bitsPerDim, logisticMixture, maskedConv2d, toPortable } from 'pixelcnn-layers';
import { imageBatches } from 'pixelcnn-layers/data';
import { writePortable } from 'pixelcnn-layers/runtime';
import { readDataset } from '../../kit/data/datasets.mjs';
import { useBackend } from '../../kit/runs/backend.mjs';
import { startTrainer } from '../../kit/runs/trainer.mjs';
import { readFlags } from '../../tests/bench/lib/benchmark.mjs';
import { adam } from '../vq/adam.mjs';
import { RATE, train } from '../vq/training.mjs';

const COMPONENTS = 5;
const PARAMETERS = 10 * COMPONENTS; // their order is in the documentation of `LogisticMixture`
const LEVELS = 256;
const BATCH = 16;
const SIDE = 7; // of the window
const MIDDLE = (SIDE - 1) / 2;

const flags = readFlags({ data: '', out: 'runs/photographs', steps: 8000, filters: 48 });

/** Photographs of any size [N,H,W,3] -> parameters [N,H,W,P]. */
function network() {
  const conv = (args) => maskedConv2d({ imageChannels: 1, kernelSize: 1, ...args }); // all channels of a pixel at once
  const image = input({ shape: [null, null, 3] });
  const differences = conv({
    kernelSize: SIDE,
    filters: 3 * DIFFERENCES.length,
    maskType: 'A',
    useBias: false,
    trainable: false,
  });
  const linear = conv({ filters: PARAMETERS, kernelInitializer: 'zeros' });
  const seen = differences.apply(image); // [N,H,W,72]
  let x = seen;
  for (const kernelSize of [1, 3, 1])
    x = conv({ filters: flags.filters, kernelSize, activation: 'relu' }).apply(x); // [N,H,W,F]
  const correction = conv({ filters: PARAMETERS, kernelInitializer: 'zeros' }).apply(x); // [N,H,W,P]
  const parameters = layers.add().apply([linear.apply(seen), correction]);
  const outputs = logisticMixture({ imageChannels: 3, levels: LEVELS, components: COMPONENTS }).apply(
    parameters,
  );
  const model = autoregressiveModel({ inputs: image, outputs });
  differences.setWeights([differenceKernel()]);
  linear.setWeights(firstGuess());
  return model;
}

/**
 * Pairs of a place in the window and its neighbour, one step closer to the left of the pixel. The place to the left itself has none.
 * Together, they are the window.
 */
const DIFFERENCES = Array.from({ length: MIDDLE * SIDE + MIDDLE }, (_, i) => {
  const [row, column] = [Math.floor(i / SIDE), i % SIDE];
  if (row === MIDDLE) return [row, column, row, column + 1, column === MIDDLE - 1];
  if (column !== MIDDLE) return [row, column, row, column + Math.sign(MIDDLE - column)];
  return [row, column, row + 1, row === MIDDLE - 1 ? column - 1 : column];
}).map(([row, column, nextRow, nextColumn, isLeft]) => ({
  place: [row, column],
  next: isLeft ? null : [nextRow, nextColumn],
}));

/** By which differences are multiplied, so that most are near 1. */
const SCALE = 16;

/** [7,7,3,72] */
function differenceKernel() {
  const kernel = tf.buffer([SIDE, SIDE, 3, 3 * DIFFERENCES.length]);
  for (const [i, { place, next }] of DIFFERENCES.entries()) {
    for (let channel = 0; channel < 3; channel++) {
      const feature = 3 * i + channel;
      kernel.set(next ? SCALE : 1, ...place, channel, feature);
      if (next) kernel.set(-SCALE, ...next, channel, feature);
    }
  }
  return kernel.toTensor();
}

/** The share of an earlier channel's error that a later one has too, at first: of red in green, and of green in blue. */
const SHARED = 0.8;

/**
 * Means that are left + (above - left) / 2 + (right above - left above) / 4, corrected by the error of the channel
 * before, and scales of e^-3 to e^-5.
 */
function firstGuess() {
  const [kernel, bias] = [tf.buffer([1, 1, 3 * DIFFERENCES.length, PARAMETERS]), tf.buffer([PARAMETERS])];
  const featureAt = (row, column) =>
    3 * DIFFERENCES.findIndex(({ place }) => String(place) === String([row, column]));
  const guess = [
    [featureAt(MIDDLE, MIDDLE - 1), 1],
    [featureAt(MIDDLE - 1, MIDDLE), 1 / 2 / SCALE],
    [featureAt(MIDDLE - 1, MIDDLE - 1), -1 / 4 / SCALE],
    [featureAt(MIDDLE - 1, MIDDLE + 1), 1 / 4 / SCALE],
  ];
  for (let k = 0; k < COMPONENTS; k++) {
    for (let channel = 0; channel < 3; channel++) {
      const mean = COMPONENTS * (1 + 3 * channel) + k;
      for (const [feature, share] of guess) {
        kernel.set(2 * share, 0, 0, feature + channel, mean); // since a mean is 2 input - 1
        if (channel > 0) kernel.set(-2 * SHARED * share, 0, 0, feature + channel - 1, mean);
      }
      bias.set(channel > 0 ? SHARED - 1 : -1, mean);
      bias.set(-3 - k / 2, mean + COMPONENTS); // a log scale
      if (channel > 0) bias.set(Math.atanh(SHARED), COMPONENTS * (channel === 1 ? 3 : 9) + k); // a coefficient
    }
  }
  return [kernel.toTensor(), bias.toTensor()];
}

await useBackend('wasm');
const dataset = await readDataset('npy', { path: flags.data, levels: LEVELS });
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort());
await mkdir(flags.out, { recursive: true });

let trainer;
const { model, isDone } = await train({
  directory: flags.out,
  steps: flags.steps,
  every: 500,
  unit: 'bits/dim',
  signal: interrupt.signal,
  create() {
    const model = network();
    model.compile({ optimizer: adam(RATE), loss: bitsPerDim });
    return model;
  },
  async begin(model, firstStep) {
    trainer = await startTrainer(model, 1, BATCH);
    const batches = imageBatches(dataset.train, { batchSize: BATCH, seed: 1, firstStep })[Symbol.iterator]();
    return async () => {
      const { xs, ys } = batches.next().value; // [B,S,S,3], both
      const bits = await trainer.trainOnBatch(xs, ys);
      tf.dispose([xs, ys]);
      return bits;
    };
  },
}).finally(() => trainer?.dispose());
if (isDone) {
  const file = join(flags.out, 'photographs.pixelcnn');
  await writeFile(file, writePortable(await toPortable(model)));
  console.log(`${file}: ${model.countParams()} weights`);
}
