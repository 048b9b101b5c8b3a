import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { autoregressiveModel, maskedConv2d, pixelLogits, pixelNormalization } from 'pixelcnn-layers';
import { compiled, randomBatch } from './networks.mjs';
import { timeInTurn } from './timing.mjs';

/** A training step of five masked convolutions, four of them of 32 features, on images 28x28x1, and with `pixelNormalization` between them. */
export async function normalizationTimes(batch, seconds) {
  const shape = { imageShape: [28, 28, 1], levels: 16 };
  const { xs, labels } = randomBatch(shape, batch);
  const step = (between) => {
    const image = tfl.input({ shape: shape.imageShape });
    const conv = (x, args) => maskedConv2d({ filters: 32, kernelSize: 3, imageChannels: 1, activation: 'relu', ...args }).apply(x);
    let x = conv(image, { kernelSize: 7, maskType: 'A' });
    for (let i = 0; i < 3; i++) x = conv(between(x), {});
    x = conv(between(x), { filters: shape.levels, kernelSize: 1, activation: 'linear' });
    const outputs = pixelLogits({ imageChannels: 1, levels: shape.levels }).apply(x);
    const model = compiled(autoregressiveModel({ inputs: image, outputs }));
    return () => model.trainOnBatch(xs, labels);
  };
  const times = await timeInTurn(
    { without: step((x) => x), normalized: step((x) => pixelNormalization({ imageChannels: 1 }).apply(x)) },
    { seconds, minRounds: 3 },
  );
  tf.dispose([xs, labels]);
  return times;
}
