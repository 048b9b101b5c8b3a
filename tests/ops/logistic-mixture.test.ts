import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { numParameters, parameterOffsets } from '../../src/distributions/mixture-parameters';
import { type LogisticMixtureSizes, logisticMixtureNats } from '../../src/ops/logistic-mixture';
import gray from '../golden/pixelcnn-plus-plus/pp_gray.json';
import rgb from '../golden/pixelcnn-plus-plus/pp_rgb.json';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { expectClose, expectCloseRelative, expectNoLeaks, noise, take } from '../support/tensors';

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

function chunks(values: ArrayLike<number>, size: number): number[][] {
  const all = Array.from(values);
  return Array.from({ length: all.length / size }, (_, i) => all.slice(i * size, (i + 1) * size));
}

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

/** Of these, GPUs compile programs. */
const fewSizes: LogisticMixtureSizes[] = [
  { imageChannels: 1, levels: 256, components: 3 },
  { imageChannels: 3, levels: 65536, components: 2 },
  { imageChannels: 4, levels: 2, components: 1 },
];

/** Pixels that differ in the level of one channel, all of them in turn. */
const everyLevel = (pixel: readonly number[], channel: number, levels: number) =>
  Array.from({ length: levels }, (_, level) => withAt(pixel, channel, level));

/** The nats and gradients are those of loops in float64, relative to 1 or themselves. */
async function expectRight(
  labels: number[][],
  parameters: number[][],
  sizes: LogisticMixtureSizes,
  dy: number[][],
  tolerance: number,
) {
  // biome-ignore format: one line
  const expected = slow(labels, parameters, sizes, dy);
  const { nats, gradients } = await run(labels, parameters, sizes, dy);
  for (const [i, right] of expected.nats.flat().entries()) {
    expect(Math.abs((nats[i] as number) - right)).toBeLessThanOrEqual(tolerance * (1 + right));
  }
  for (const [m, row] of chunks(gradients, numParameters(sizes)).entries()) {
    const right = expected.gradients[m] as number[];
    expectClose(row, right, 3 * tolerance * Math.max(1, ...right.map(Math.abs)));
  }
}

onEachBackend('logisticMixtureNats', (backend) => {
  const tolerance = isGpu(backend) ? 1e-5 : 2e-6;

  it.each([
    ['one channel', gray],
    ['three channels', rgb],
  ])('gives the likelihoods of a PixelCNN++ of %s, and all levels at some places', async (_, reference) => {
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
    for (const { image, row, column, channel, log_prob_of_levels } of places) {
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

  it.each(isGpu(backend) ? fewSizes : allSizes)(
    'equals loops in float64, and its gradient their differences: %j',
    async (sizes) => {
      // biome-ignore format: one line
      const { labels, parameters, dy } = randomPixels(sizes, 9, 17);
      await expectRight(labels, parameters, sizes, dy, tolerance);
    },
  );

  it.each(isGpu(backend) ? fewSizes : allSizes)(
    'gives all levels of a channel a probability of 1: %j',
    async (sizes) => {
      // biome-ignore format: one line
      const { imageChannels } = sizes;
      const levels = Math.min(sizes.levels, 256);
      const { labels, parameters } = randomPixels({ ...sizes, levels }, 1, 5);
      for (let channel = 0; channel < imageChannels; channel++) {
        const pixels = everyLevel(labels[0] as number[], channel, levels);
        const copies = pixels.map(() => parameters[0] as number[]);
        const { nats } = await run(pixels, copies, { ...sizes, levels }, pixels);
        const total = chunks(nats, imageChannels).reduce(
          (sum, of) => sum + Math.exp(-(of[channel] as number)),
          0,
        );
        expect(Math.abs(total - 1)).toBeLessThan(tolerance);
      }
    },
  );

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
      await expectRight(labels, parameters, sizes, labels.map(() => [1]), tolerance + rounding); // biome-ignore format: one line
    }
  });

  it('clamps log scales at -7: there the gradient flows, below it does not, and the value stays', async () => {
    const sizes = { imageChannels: 1, levels: 256, components: 1 };
    const logScales = [-6.5, -7, Math.fround(-7.000001), -9, -1e6, -3e38];
    const parameters = logScales.map((logScale) => [0, 0.01, logScale]);
    const labels = logScales.map(() => [128]); // x = 1 / 255
    const { nats, gradients } = await run(labels, parameters, sizes, labels.map(() => [1])); // biome-ignore format: one line
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
      const pixels = isGpu(backend) ? 300 : 1000;
      const random = noise(pixels * (numParameters(sizes) + 3), levels);
      const parameters = chunks(random.slice(0, pixels * numParameters(sizes)), numParameters(sizes)).map(
        (row) => row.map((x) => values[Math.floor(((x + 1) / 2) * values.length)] as number),
      );
      const labels = chunks(random.slice(-3 * pixels), 3).map(
        (row) => row.map((x) => Math.max(0, Math.min(levels - 1, Math.round((2 * x + 0.5) * levels)))), // often at an end
      );
      const { nats, gradients } = await run(labels, parameters, sizes, labels.map(() => [1, 1, 1])); // biome-ignore format: one line
      expect(nats.filter((value) => !(value > -1e-5 && value < 3e18))).toEqual([]);
      expect(gradients.filter((value) => !Number.isFinite(value))).toEqual([]);
    }
  });

  it('takes logits by their differences, however far from 0 they are', async () => {
    const sizes = { imageChannels: 2, levels: 16, components: 2 };
    const { labels, parameters } = randomPixels(sizes, 4, 5);
    const withLogits = (logit: number) => parameters.map((row) => [logit, logit, ...row.slice(2)]);
    const near = await run(labels, withLogits(0), sizes, labels.map(() => [1, 1])); // biome-ignore format: one line
    for (const logit of [1e4, -1e4, 1e25, -1e25, -3e38]) {
      const { nats } = await run(labels, withLogits(logit), sizes, labels.map(() => [1, 1])); // biome-ignore format: one line
      expectClose(nats, near.nats, 1e-5);
    }
  });

  it('has second derivatives', async () => {
    const sizes = { imageChannels: 3, levels: 16, components: 2 };
    const { labels, parameters } = randomPixels(sizes, 2, 11);
    const v = chunks(noise(2 * numParameters(sizes), 3), numParameters(sizes));
    const loss = (moved: readonly number[], m: number) =>
      slowPixel(labels[m] as number[], moved, sizes).reduce((sum, nats) => sum + nats ** 2, 0);
    // d/dp of the derivative along v
    const expected = parameters.map((pixel, m) =>
      pixel.map((_, p) => {
        const at = (i: number, j: number) =>
          loss(pixel.map((x, q) => x + 1e-4 * (i * (v[m]?.[q] as number) + (q === p ? j : 0))), m); // biome-ignore format: one line
        return (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / 4e-8;
      }),
    );
    const labelTensor = tf.tensor2d(labels, undefined, 'int32');
    const [x, along] = [tf.tensor2d(parameters), tf.tensor2d(v)];
    const nats = (z: tf.Tensor) => logisticMixtureNats(labelTensor, z as tf.Tensor2D, sizes);
    const first = tf.grad((z) => tf.sum(tf.square(nats(z))));
    const second = await take(tf.grad((z) => tf.sum(tf.mul(first(z), along)))(x));
    tf.dispose([labelTensor, x, along]);
    expectCloseRelative(second, expected.flat(), isGpu(backend) ? 1e-4 : 2e-5);
  });

  it('keeps nothing for its gradient but posteriors and slopes', () => {
    const sizes = { imageChannels: 3, levels: 16, components: 2 };
    const labels = tf.zeros<tf.Rank.R2>([5, 3], 'int32');
    const x = tf.zeros<tf.Rank.R2>([5, numParameters(sizes)]);
    let kept = 0;
    const gradient = tf.grad((z) => {
      const before = tf.memory().numBytes;
      const value = logisticMixtureNats(labels, z as tf.Tensor2D, sizes); // [5,3]
      kept = tf.memory().numBytes - before - 4 * 5 * 3;
      return value;
    })(x);
    expect(kept).toBe(4 * 5 * (4 * 2 + numParameters(sizes))); // float32
    tf.dispose([labels, x, gradient]);
  });

  it('leaves no tensor behind, with and without a tape', async () => {
    for (const imageChannels of [1, 3]) {
      const sizes = { imageChannels, levels: 4, components: 2 };
      const labels = tf.ones<tf.Rank.R2>([2, imageChannels], 'int32');
      const x = tf.zeros<tf.Rank.R2>([2, numParameters(sizes)]);
      const nats = (z: tf.Tensor) => logisticMixtureNats(labels, z as tf.Tensor2D, sizes);
      await expectNoLeaks(() => nats(x));
      await expectNoLeaks(() => tf.grad(nats)(x));
      await expectNoLeaks(() => tf.grad((z) => tf.sum(tf.grad(nats)(z)))(x));
      tf.dispose([labels, x]);
    }
  });
});

describe.runIf(backends.includes('wasm'))('logisticMixtureNats by own kernels on wasm', () => {
  beforeAll(() => useBackend('wasm'));

  it('equals loops in float64 for any number of pixels, components and levels', async () => {
    const cases = fc.record({
      imageChannels: fc.integer({ min: 1, max: 5 }),
      components: fc.integer({ min: 1, max: 6 }),
      levels: fc.constantFrom(2, 3, 7, 256, 4096, 65536),
      pixels: fc.integer({ min: 1, max: 9 }),
      spread: fc.constantFrom(0.3, 1, 2),
      seed: fc.integer({ min: 1, max: 1000 }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ pixels, spread, seed, ...sizes }) => {
        const { labels, parameters, dy } = randomPixels(sizes, pixels, seed, spread);
        await expectRight(labels, parameters, sizes, dy, 4e-6 * spread);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it('takes logarithms of any size to the last digits', async () => {
    // At x = mean of one component, the mass is sigmoid(h) - sigmoid(-h) = tanh(h / 2), here with h = 1 / (2 scale).
    const sizes = { imageChannels: 1, levels: 3, components: 1 };
    const logScales = Array.from({ length: 4000 }, (_, i) => Math.fround(-7 + i / 60)); // to 60
    const labels = logScales.map(() => [1]);
    const { nats } = await run(labels, logScales.map((logScale) => [0, 0, logScale]), sizes, labels); // biome-ignore format: one line
    for (const [i, logScale] of logScales.entries()) {
      const expected = -Math.log(Math.tanh(Math.exp(-logScale) / 4));
      expect(Math.abs((nats[i] as number) - expected)).toBeLessThan(3e-7 + 1.2e-7 * expected);
    }
  });

  it('serves it and its gradient, and gives way where it is switched off, or for other types', async () => {
    const sizes = { imageChannels: 1, levels: 4, components: 1 };
    const kernels = async (type: 'int32' | 'float32') => {
      const labels = tf.ones<tf.Rank.R2>([2, 1], type);
      const x = tf.zeros<tf.Rank.R2>([2, 3]);
      const { kernelNames, result } = await tf.profile(() =>
        tf.grad((z) => logisticMixtureNats(labels, z as tf.Tensor2D, sizes))(x),
      );
      tf.dispose([labels, x, result as tf.Tensor]);
      return kernelNames.filter((name) => name.startsWith('PixelCNN'));
    };
    expect(await kernels('int32')).toEqual(['PixelCNNLogisticMixture', 'PixelCNNLogisticMixtureGradient']);
    expect(await kernels('float32')).toEqual([]);
    await useBackend('wasm, composed');
    expect(await kernels('int32')).toEqual([]);
    await useBackend('wasm');
  });

  it('keeps NaN within its pixel', async () => {
    for (let p = 0; p < 6; p++) {
      const parameters = [[0, 0, 0, 0, 0, 0], withAt([0, 0, 0, 0, 0, 0], p, Number.NaN), [0, 0, 0, 0, 0, 0]];
      const sizes = { imageChannels: 1, levels: 4, components: 2 };
      const { nats } = await run([[1], [1], [1]], parameters, sizes, [[1], [1], [1]]); // biome-ignore format: one line
      expect(nats.map(Number.isNaN)).toEqual([false, true, false]);
    }
  });

  it('leaves nothing in memory where it throws', () => {
    const [labels, x] = [tf.ones<tf.Rank.R2>([2, 1], 'int32'), tf.zeros<tf.Rank.R2>([2, 3])];
    x.dispose();
    const before = tf.backend().numDataIds();
    expect(() => logisticMixtureNats(labels, x, { imageChannels: 1, levels: 4, components: 1 })).toThrow();
    expect(tf.backend().numDataIds()).toBe(before);
    labels.dispose();
  });
});
