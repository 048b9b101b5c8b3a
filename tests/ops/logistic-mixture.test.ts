import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import { beforeAll, describe, expect, it } from 'vitest';
import { type LogisticMixtureSizes, logisticMixtureNats } from '../../src/ops/logistic-mixture';
import { numParameters } from '../../src/runtime/distributions/mixture-parameters';
import gray from '../golden/pixelcnn-plus-plus/pp_gray.json';
import rgb from '../golden/pixelcnn-plus-plus/pp_rgb.json';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { slowMixture } from '../support/slow/mixture';
import { slopesOf } from '../support/slow/plus-plus';
import { expectClose, noise, take } from '../support/tensors';

/** Nats and gradients of the operation. */
async function run(labels: readonly number[][], parameters: readonly number[][], sizes: LogisticMixtureSizes, dy: readonly number[][]) {
  const [labelTensor, x, slope] = [tf.tensor2d([...labels], undefined, 'int32'), tf.tensor2d([...parameters]), tf.tensor2d([...dy])];
  const { value, grad } = tf.valueAndGrad((z: tf.Tensor) => logisticMixtureNats(labelTensor, z as tf.Tensor2D, sizes))(x, slope);
  expect(value.shape).toEqual([labels.length, sizes.imageChannels]);
  tf.dispose([labelTensor, x, slope]);
  return { nats: await take(value), gradients: await take(grad) };
}

function chunks(values: ArrayLike<number>, size: number): number[][] {
  const all = Array.from(values);
  return Array.from({ length: all.length / size }, (_, i) => all.slice(i * size, (i + 1) * size));
}

const withAt = (values: readonly number[], index: number, value: number) => values.map((old, i) => (i === index ? value : old));

/** Pixels that differ in the level of one channel, all of them in turn. */
const everyLevel = (pixel: readonly number[], channel: number, levels: number) =>
  Array.from({ length: levels }, (_, level) => withAt(pixel, channel, level));

/** The nats and gradients are those of loops in float64, relative to 1 or themselves. */
async function expectRight(labels: number[][], parameters: number[][], sizes: LogisticMixtureSizes, tolerance: number) {
  const dy = labels.map((of) => of.map(() => 1));
  const { nats, gradients } = await run(labels, parameters, sizes, dy);
  const slow = (moved: readonly number[]) => slowMixture(labels.flat(), moved, sizes);
  for (const [i, right] of slow(parameters.flat()).entries())
    expect(Math.abs((nats[i] as number) - right)).toBeLessThanOrEqual(tolerance * (1 + right));
  const slopes = slopesOf((moved) => slow(moved).reduce((a, b) => a + b), parameters.flat());
  for (const [i, slope] of slopes.entries())
    expect(Math.abs((gradients[i] as number) - slope)).toBeLessThanOrEqual(3 * tolerance * Math.max(1, Math.abs(slope)));
}

onEachBackend('logisticMixtureNats', (backend) => {
  const tolerance = isGpu(backend) ? 1e-5 : 2e-6;

  it.each([
    ['one channel', gray],
    ['three channels', rgb],
  ])('computes the likelihoods of a PixelCNN++ of %s, and all levels at some places', async (_, reference) => {
    const { config, images, parameters, places } = reference;
    const [height, width, imageChannels] = config.imageShape as [number, number, number];
    const sizes = { imageChannels, levels: config.levels, components: config.components };
    const labels = chunks(images.data, imageChannels);
    const rows = chunks(parameters.data, numParameters(sizes));
    const { nats } = await run(labels, rows, sizes, labels);
    const perImage = chunks(nats, nats.length / 2).map((image) => image.reduce((a, b) => a + b));
    for (const [i, expected] of reference.nll_exact_nats_per_image.entries()) {
      expect(Math.abs((perImage[i] as number) / expected - 1)).toBeLessThan(tolerance);
    }
    for (const { image, row, column, channel, log_prob_of_levels } of places.slice(0, 3)) {
      const pixel = (image * height + row) * width + column;
      const levels = everyLevel(labels[pixel] as number[], channel, config.levels);
      const copies = levels.map(() => rows[pixel] as number[]);
      const got = chunks((await run(levels, copies, sizes, levels)).nats, imageChannels);
      for (const [level, expected] of log_prob_of_levels.entries()) {
        const difference = -(got[level]?.[channel] as number) - expected;
        expect(Math.abs(difference)).toBeLessThan(tolerance * (1 - expected));
      }
    }
  });

  it.each([
    // narrow and far away: z = (1 - 1e4) e^6.9, about -1e7
    { mean: 1e4, logScale: -6.9 },
    { mean: -1e4, logScale: -6.9 },
    // so wide that every level but the two at the ends has about 1 / (levels e^60)
    { mean: 0.25, logScale: 60 },
    { mean: -3, logScale: 60 },
    // all of the mass within a level of 256, or next to its edge
    { mean: 1 / 255, logScale: -6.9 },
    { mean: 2 / 255, logScale: -6.9 },
    // tails of little width
    { mean: -2, logScale: -3 },
    { mean: 2.5, logScale: -1 },
  ])('is exact far out: %j', async ({ mean, logScale }) => {
    for (const levels of [2, 256, 65536]) {
      const sizes = { imageChannels: 1, levels, components: 1 };
      const labels = [0, 1, levels >> 1, levels - 1].map((level) => [level]);
      const parameters = labels.map(() => [0.5, Math.fround(mean), Math.fround(logScale)]);
      // x is rounded to float32, and the mean taken from it divided by the scale
      const rounding = 2 ** -25 * Math.exp(-logScale);
      await expectRight(labels, parameters, sizes, tolerance + rounding);
    }
  });

  it('clamps log scales at -7: there the gradient flows, below it does not, and the value stays', async () => {
    const sizes = { imageChannels: 1, levels: 256, components: 1 };
    const logScales = [-6.5, -7, Math.fround(-7.000001), -9, -1e6, -3e38];
    const parameters = logScales.map((logScale) => [0, 0.01, logScale]);
    const labels = logScales.map(() => [128]); // x = 1 / 255
    const dy = labels.map(() => [1]);
    const { nats, gradients } = await run(labels, parameters, sizes, dy);
    const ofScale = chunks(gradients, 3).map((row) => row[2] as number);
    for (const value of nats.slice(2)) expect(value).toBe(nats[1]);
    const h = Math.exp(7) / 255;
    const z = (Math.fround(1 / 255) - Math.fround(0.01)) * Math.exp(7);
    // of -log(sigmoid(z + h) - sigmoid(z - h)), by z and h, which both have the derivative of minus themselves
    const slope = (x: number) => 1 / (2 + 2 * Math.cosh(x));
    const mass = 1 / (1 + Math.exp(-z - h)) - 1 / (1 + Math.exp(h - z));
    const expected = (slope(z + h) * (z + h) - slope(z - h) * (z - h)) / mass;
    expect(Math.abs(expected)).toBeGreaterThan(0.5);
    expect(Math.abs((ofScale[1] as number) - expected)).toBeLessThan(1e-3 * Math.abs(expected));
    expect(ofScale.slice(2).map(Math.abs)).toEqual([0, 0, 0, 0]);
  });

  it('is finite, and so are its gradients, for parameters of any size', async () => {
    const values = [0, 1, -1, 60, -60, 87.5, 88.5, 110, 1e4, -1e4, 1e20, -1e20, 3e38, -3e38];
    for (const levels of [2, 256, 65536]) {
      const sizes = { imageChannels: 3, levels, components: 2 };
      const pixels = 300;
      const random = noise(pixels * (numParameters(sizes) + 3), levels);
      const parameters = chunks(random.slice(0, pixels * numParameters(sizes)), numParameters(sizes)).map((row) =>
        row.map((x) => values[Math.floor(((x + 1) / 2) * values.length)] as number),
      );
      const labels = chunks(random.slice(-3 * pixels), 3).map(
        (row) => row.map((x) => Math.max(0, Math.min(levels - 1, Math.round((2 * x + 0.5) * levels)))), // often at an end
      );
      const dy = labels.map(() => [1, 1, 1]);
      const { nats, gradients } = await run(labels, parameters, sizes, dy);
      expect(nats.filter((value) => !(value > -1e-5 && value < 3e18))).toEqual([]);
      expect(gradients.filter((value) => !Number.isFinite(value))).toEqual([]);
    }
  });

  it('depends only on differences of logits, however far from 0', async () => {
    const sizes = { imageChannels: 2, levels: 16, components: 2 };
    const labels = chunks([0, 15, 7, 8, 15, 3, 1, 12], 2);
    const others = chunks(noise(4 * (numParameters(sizes) - 2), 5), numParameters(sizes) - 2);
    const withLogits = (logit: number) => others.map((row) => [logit, logit, ...row]);
    const dy = labels.map(() => [1, 1]);
    const near = await run(labels, withLogits(0), sizes, dy);
    for (const logit of [1e4, -1e4, 1e25, -1e25, -3e38]) {
      const { nats } = await run(labels, withLogits(logit), sizes, dy);
      expectClose(nats, near.nats, 1e-5);
    }
  });
});

describe.runIf(backends.includes('wasm'))('logisticMixtureNats by own kernels on wasm', () => {
  beforeAll(() => useBackend('wasm'));

  it('takes logarithms of any size to the last digits', async () => {
    // At x = mean of one component, the mass is sigmoid(h) - sigmoid(-h) = tanh(h / 2), here with h = 1 / (2 scale).
    const sizes = { imageChannels: 1, levels: 3, components: 1 };
    const logScales = Array.from({ length: 1000 }, (_, i) => Math.fround(-7 + i / 15)); // to 60
    const labels = logScales.map(() => [1]);
    const parameters = logScales.map((logScale) => [0, 0, logScale]);
    const { nats } = await run(labels, parameters, sizes, labels);
    for (const [i, logScale] of logScales.entries()) {
      const expected = -Math.log(Math.tanh(Math.exp(-logScale) / 4));
      expect(Math.abs((nats[i] as number) - expected)).toBeLessThan(3e-7 + 1.2e-7 * expected);
    }
  });

  it('keeps NaN within its pixel', async () => {
    for (let p = 0; p < 6; p++) {
      const parameters = [[0, 0, 0, 0, 0, 0], withAt([0, 0, 0, 0, 0, 0], p, Number.NaN), [0, 0, 0, 0, 0, 0]];
      const sizes = { imageChannels: 1, levels: 4, components: 2 };
      const { nats } = await run([[1], [1], [1]], parameters, sizes, [[1], [1], [1]]);
      expect(nats.map(Number.isNaN)).toEqual([false, true, false]);
    }
  });
});
