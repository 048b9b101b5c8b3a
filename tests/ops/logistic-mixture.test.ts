import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import { expect, it } from 'vitest';
import { numParameters, parameterOffsets } from '../../src/distributions/mixture-parameters';
import { type LogisticMixtureSizes, logisticMixtureNats } from '../../src/ops/logistic-mixture';
import gray from '../golden/logistic-mixture-gray.json';
import rgb from '../golden/logistic-mixture-rgb.json';
import { isGpu, onEachBackend } from '../support/backends';
import { expectClose, noise, take } from '../support/tensors';

/** log(e^a + e^b + ...) */
function logSumExp(values: readonly number[]): number {
  const most = Math.max(...values);
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
}

const logCosh = (x: number) => Math.abs(x) + Math.log1p(Math.exp(-2 * Math.abs(x))) - Math.LN2;
const logSinh = (x: number) => x + Math.log(-Math.expm1(-2 * x)) - Math.LN2;
const logSigmoid = (x: number) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)));

/** Log p of a level under one logistic: sigmoid(z + h) - sigmoid(z - h) is sinh h / (cosh z + cosh h). */
function logMass(level: number, levels: number, mean: number, logScale: number): number {
  const scale = Math.exp(Math.max(logScale, -7));
  const z = ((2 * level) / (levels - 1) - 1 - mean) / scale;
  const h = 1 / (levels - 1) / scale;
  if (level === 0) return logSigmoid(z + h);
  if (level === levels - 1) return logSigmoid(h - z);
  return logSinh(h) - logSumExp([logCosh(z), logCosh(h)]);
}

/** Nats of a pixel's channels in float64. */
function slowPixel(
  labels: readonly number[],
  parameters: readonly number[],
  sizes: LogisticMixtureSizes,
): number[] {
  const { imageChannels, components, levels } = sizes;
  const offsets = parameterOffsets(sizes);
  const logProbs = [0]; // of the first channels together
  const sums = parameters.slice(0, components); // logit plus log-masses so far, of each component
  const norm = logSumExp(sums);
  for (let c = 0; c < imageChannels; c++) {
    for (let k = 0; k < components; k++) {
      const at = (offset: number | undefined) => parameters[(offset as number) + k] as number;
      let mean = at(offsets.means[c]);
      for (let e = 0; e < c; e++) {
        mean +=
          Math.tanh(at(offsets.coefficients[c]?.[e])) * ((2 * (labels[e] as number)) / (levels - 1) - 1);
      }
      sums[k] = (sums[k] as number) + logMass(labels[c] as number, levels, mean, at(offsets.logScales[c]));
    }
    logProbs.push(logSumExp(sums) - norm);
  }
  return labels.map((_, c) => (logProbs[c] as number) - (logProbs[c + 1] as number));
}

/** Nats [M][C], and the gradients for sum(nats * dy) by differences. */
function slow(
  labels: readonly number[][],
  parameters: readonly number[][],
  sizes: LogisticMixtureSizes,
  dy: readonly number[][],
) {
  // biome-ignore format: one line
  const nats = labels.map((pixel, m) => slowPixel(pixel, parameters[m] as number[], sizes));
  const gradients = parameters.map((pixel, m) => {
    const loss = (moved: number[]) =>
      slowPixel(labels[m] as number[], moved, sizes).reduce(
        (sum, n, c) => sum + n * (dy[m]?.[c] as number),
        0,
      );
    return pixel.map((value, p) => {
      const step = 1e-5;
      return (loss(withAt(pixel, p, value + step)) - loss(withAt(pixel, p, value - step))) / (2 * step);
    });
  });
  return { nats, gradients };
}

/** Nats and gradients of the operation. */
async function run(
  labels: readonly number[][],
  parameters: readonly number[][],
  sizes: LogisticMixtureSizes,
  dy: readonly number[][],
) {
  // biome-ignore format: one line
  const [labelTensor, x, slope] = [tf.tensor2d([...labels], undefined, 'int32'), tf.tensor2d([...parameters]), tf.tensor2d([...dy])]; // biome-ignore format: one line
  const { value, grad } = tf.valueAndGrad((z: tf.Tensor) =>
    logisticMixtureNats(labelTensor, z as tf.Tensor2D, sizes),
  )(x, slope);
  expect(value.shape).toEqual([labels.length, sizes.imageChannels]);
  tf.dispose([labelTensor, x, slope]);
  return { nats: await take(value), gradients: await take(grad) };
}

const chunks = (values: ArrayLike<number>, size: number): number[][] =>
  Array.from({ length: values.length / size }, (_, i) => Array.from(values).slice(i * size, (i + 1) * size));

const withAt = (values: readonly number[], index: number, value: number) =>
  values.map((old, i) => (i === index ? value : old));

/** Pixels of random labels and parameters, which are float32 numbers, and gradients of their nats. */
function randomPixels(sizes: LogisticMixtureSizes, pixels: number, seed: number, spread = 1) {
  const { imageChannels, components, levels } = sizes;
  const { logits, logScales } = parameterOffsets(sizes);
  const values = noise(pixels * numParameters(sizes), seed).map((value) => spread * value);
  const parameters = chunks(values, numParameters(sizes));
  for (const pixel of parameters) {
    for (let k = 0; k < components; k++) {
      pixel[logits + k] = Math.fround(2 * (pixel[logits + k] as number));
      for (const offset of logScales)
        pixel[offset + k] = Math.fround(2 * (pixel[offset + k] as number) - 1.5);
    }
  }
  const labels = chunks(
    noise(pixels * imageChannels, seed + 1).map((value) => Math.round(((value + 1) / 2) * (levels - 1))),
    imageChannels,
  );
  return { labels, parameters, dy: chunks(noise(pixels * imageChannels, seed + 2), imageChannels) };
}

const allSizes: LogisticMixtureSizes[] = [1, 2, 3, 4].flatMap((imageChannels) =>
  [2, 3, 16, 256, 65536].map((levels) => ({ imageChannels, levels, components: 3 })),
);

onEachBackend('logisticMixtureNats', (backend) => {
  /** Values are right to this, relative to 1 or themselves. */
  const tolerance = isGpu(backend) ? 1e-5 : 2e-6;

  it.each([
    ['one channel', gray],
    ['three channels', rgb],
  ])('gives the likelihoods of a PixelCNN++ of %s, and all levels at some places', async (_, reference) => {
    const { config, images, parameters, places } = reference;
    const imageChannels = config.imageShape[2] as number;
    const sizes = { imageChannels, levels: config.levels, components: config.components };
    const labels = chunks(images.data, imageChannels);
    const rows = chunks(parameters.data, numParameters(sizes));
    const labelTensor = tf.tensor2d(labels, undefined, 'int32');
    const parameterTensor = tf.tensor2d(rows);
    const nats = await take(logisticMixtureNats(labelTensor, parameterTensor, sizes));
    tf.dispose([labelTensor, parameterTensor]);
    const perImage = chunks(nats, nats.length / 2).map((image) => image.reduce((a, b) => a + b));
    for (const [i, expected] of reference.nll_exact_nats_per_image.entries()) {
      expect(Math.abs((perImage[i] as number) / expected - 1)).toBeLessThan(tolerance);
    }
    const [height, width] = config.imageShape as [number, number];
    for (const { image, row, column, channel, log_prob_of_levels } of places) {
      const pixel = (image * height + row) * width + column;
      const levels = log_prob_of_levels.map((_, level) => withAt(labels[pixel] as number[], channel, level));
      const copies = levels.map(() => rows[pixel] as number[]);
      const { nats } = await run(levels, copies, sizes, levels);
      const got = chunks(nats, imageChannels).map((pixelNats) => -(pixelNats[channel] as number));
      for (const [level, expected] of log_prob_of_levels.entries()) {
        expect(Math.abs((got[level] as number) - expected)).toBeLessThan(tolerance * (1 - expected));
      }
    }
  });

  it.each(allSizes)('equals loops in float64, and its gradient their differences: %j', async (sizes) => {
    const { labels, parameters, dy } = randomPixels(sizes, 9, 17);
    const expected = slow(labels, parameters, sizes, dy);
    const { nats, gradients } = await run(labels, parameters, sizes, dy);
    const flat = expected.nats.flat();
    for (const [i, value] of nats.entries()) {
      expect(Math.abs(value - (flat[i] as number))).toBeLessThan(2 * tolerance * (1 + (flat[i] as number)));
    }
    for (const [m, row] of chunks(gradients, numParameters(sizes)).entries()) {
      const right = expected.gradients[m] as number[];
      expectClose(row, right, 5 * tolerance * Math.max(1, ...right.map(Math.abs)));
    }
  });
});
