import * as tf from '@tensorflow/tfjs-core';
import {
  AutoregressiveModel,
  bitsPerDim,
  type ConditionShape,
  checkCausality,
  diagonalBiLSTMBlock,
  gatedPixelCNN,
  imageGPT,
  levelLogProbs,
  pixelCNN,
  pixelCNNPlusPlus,
  pixelSNAIL,
  rowLSTMBlock,
  sample,
  toPortable,
} from 'pixelcnn-layers';
import { stepper } from 'pixelcnn-layers/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { saveAndLoad } from '../support/models/memory-file';
import { scoped } from '../support/scoped';
import { expectNoLeaks, noise, setNoise, take } from '../support/tensors';

// The laws of every network, whichever factory makes it: a new factory, or a new option of one, is a new row here.
// That whole passes, the engine, files and the codec agree is said of random networks in tests/runtime/engine/random-models.test.ts.

type ImageShape = readonly [height: number, width: number, channels: number];

/** What all factories take. */
interface Options {
  imageShape?: [number | null, number | null, number];
  seed?: number;
  dropout?: number;
}

/** A network of images of a shape. */
interface Row {
  readonly imageShape: ImageShape;
  readonly make: (options?: Options) => AutoregressiveModel;
}

/** A row of a factory, with what it needs beside the shape of images. */
function row<A>(factory: (args: A) => AutoregressiveModel, [h, w, c]: ImageShape, args: object): Row {
  return { imageShape: [h, w, c], make: (options) => factory({ imageShape: [h, w, c], ...args, ...options } as A) };
}

const small = { levels: 3, hiddenDim: 2, outDim: 3, numBlocks: 1, firstKernelSize: 3 };
const several = { numClasses: 2, conditionSize: 2, conditionMapSize: 2 };
const plusPlus = { levels: 4, filters: 2, numResnets: 1, output: { components: 2 } };
const snail = { levels: 4, filters: 4, heads: 2, numBlocks: 1, numResBlocks: 1, resFilters: 2 };
const gpt = { levels: 4, width: 4, heads: 2, layers: 1 };
const codeCondition = { levels: 3, shape: [2, 2], resBlocks: 1, resFilters: 2 };

// biome-ignore format: one row a line
const rows = {
  'pixelCNN': row(pixelCNN, [3, 3, 2], small),
  'pixelCNN of one-hot levels': row(pixelCNN, [3, 2, 2], { ...small, input: 'oneHot' }),
  'pixelCNN of embedded levels, to a mixture': row(pixelCNN, [2, 3, 3], { ...small, input: { embedding: 2 }, output: { components: 2 } }),
  'pixelCNN, its blocks LSTMs along rows': row(pixelCNN, [4, 5, 1], { ...small, numBlocks: 2, block: rowLSTMBlock }),
  'pixelCNN, its blocks LSTMs along diagonals': row(pixelCNN, [4, 5, 1], { ...small, numBlocks: 2, block: diagonalBiLSTMBlock }),
  'gatedPixelCNN': row(gatedPixelCNN, [3, 3, 2], small),
  'gatedPixelCNN of classes, one of them none': row(gatedPixelCNN, [2, 3, 3], { ...small, numClasses: 2, nullClass: true }),
  'gatedPixelCNN of a class, a vector and a map': row(gatedPixelCNN, [3, 2, 2], { ...small, ...several }),
  'pixelCNNPlusPlus': row(pixelCNNPlusPlus, [4, 4, 1], plusPlus),
  'pixelCNNPlusPlus of three channels': row(pixelCNNPlusPlus, [4, 8, 3], { ...plusPlus, output: { components: 1 } }),
  'pixelCNNPlusPlus to a softmax, of a class and a vector': row(pixelCNNPlusPlus, [4, 4, 2], { ...plusPlus, output: 'softmax', numClasses: 2, nullClass: true, conditionSize: 2 }),
  'pixelCNNPlusPlus to Gaussians': row(pixelCNNPlusPlus, [4, 4, 2], { ...plusPlus, output: 'gaussian' }),
  'pixelSNAIL': row(pixelSNAIL, [4, 4, 1], snail),
  'pixelSNAIL of two blocks and residual ones after them': row(pixelSNAIL, [3, 3, 2], { ...snail, numBlocks: 2, outResBlocks: 1, kernelSize: 5, input: { embedding: 2 } }),
  'pixelSNAIL without attention, to a mixture': row(pixelSNAIL, [3, 2, 3], { ...snail, numBlocks: 2, attention: false, input: 'scaled', output: { components: 2 } }),
  'pixelSNAIL without residual blocks, to Gaussians': row(pixelSNAIL, [1, 9, 1], { ...snail, numResBlocks: 0, output: 'gaussian' }),
  'pixelSNAIL of codes, a class and a vector': row(pixelSNAIL, [4, 4, 1], { ...snail, codeCondition, numClasses: 2, nullClass: true, conditionSize: 2 }),
  'pixelSNAIL of a row of codes': row(pixelSNAIL, [4, 4, 1], { ...snail, codeCondition: { ...codeCondition, shape: [1, 2], kernelSize: 1 } }),
  'imageGPT': row(imageGPT, [4, 4, 1], gpt),
  'imageGPT of RMS norms and residuals of what is normalized': row(imageGPT, [2, 5, 1], { ...gpt, layers: 2, norm: 'rms', activation: 'quickGelu', residual: 'normalized' }),
  'imageGPT of a class and a vector': row(imageGPT, [3, 2, 1], { ...gpt, numClasses: 2, nullClass: true, conditionSize: 2 }),
} satisfies Record<string, Row>;
type Name = keyof typeof rows;
const names = Object.keys(rows) as Name[];

/** One network of each factory, with every kind of condition that it takes. */
const ofEachFactory: Name[] = [
  'pixelCNN',
  'gatedPixelCNN of a class, a vector and a map',
  'pixelCNNPlusPlus to a softmax, of a class and a vector',
  'pixelSNAIL of codes, a class and a vector',
  'imageGPT of a class and a vector',
];

/** In software, GPUs take minutes to compile all programs of larger networks, whose layers they try in tests/layers. */
const forGpus: Name[] = ['pixelCNN', 'gatedPixelCNN of a class, a vector and a map'];

/** The network of a row with weights far from uniform. */
function noisy(name: Name, options?: Options): AutoregressiveModel {
  const model = rows[name].make(options);
  setNoise(model, 4);
  return model;
}

/** Levels of so many images, int32 [N,H,W,C]. */
function levelsOf({ levels }: AutoregressiveModel, n: number, [h, w, c]: ImageShape): tf.Tensor4D {
  const values = Array.from(noise(n * h * w * c, 3), (x) => Math.floor((x + 1) * (levels / 2)));
  return tf.tensor4d(values, [n, h, w, c], 'int32');
}

/** Every condition that a network takes, for so many images, as an option. */
function conditionsOf({ conditions }: AutoregressiveModel, n: number, [h, w]: ImageShape) {
  const values: { [kind in ConditionShape['kind']]: (one: ConditionShape & { kind: kind }) => unknown } = {
    class: ({ numClasses, nullClass }) => Array.from({ length: n }, (_, i) => i % (numClasses + Number(nullClass ?? 0))),
    vector: ({ size }) => ({ data: noise(n * size, 5), shape: [n, size] }),
    map: ({ size }) => ({ data: noise(n * h * w * size, 6), shape: [n, h, w, size] }),
    codes: ({ levels, shape: [rows, columns] }) => ({
      data: Array.from({ length: n * rows * columns }, (_, i) => (i * i) % levels),
      shape: [n, rows, columns],
    }),
  };
  const all = Object.fromEntries(conditions.map((one) => [one.kind, values[one.kind](one as never)]));
  return conditions.length === 0 ? {} : { condition: (conditions.length === 1 ? Object.values(all)[0] : all) as never };
}

/** The weights by their names. */
const weightsOf = async (model: AutoregressiveModel) =>
  new Map(await Promise.all(model.weights.map(async (weight) => [weight.originalName, Array.from(await weight.read().data())] as const)));

onEachBackend('a network', (backend) => {
  it.each(isGpu(backend) ? forGpus : names)('is itself again once saved and loaded, and leaves no tensor behind: %s', (name) =>
    expectNoLeaks(async () => {
      const { imageShape } = rows[name];
      const model = noisy(name);
      const loaded = (await saveAndLoad(model)) as AutoregressiveModel;
      expect(loaded).toBeInstanceOf(AutoregressiveModel);
      for (const field of ['conditions', 'imageShape', 'levels'] as const) expect(loaded[field]).toEqual(model[field]);
      const images = levelsOf(model, 2, imageShape);
      const given = conditionsOf(model, 2, imageShape);
      const nats = await take(await levelLogProbs(model, images, given));
      expect(nats.every(Number.isFinite)).toBe(true);
      expect(await take(await levelLogProbs(loaded, images, given))).toEqual(nats);
      for (const each of [model, loaded]) each.dispose();
      return images;
    }),
  );

  const resumed = isGpu(backend) ? forGpus.slice(0, 1) : ofEachFactory;
  it.each(resumed)('learns, and goes on to the bit when it is saved and resumed, with dropout and conditions: %s', (name) =>
    expectNoLeaks(async () => {
      const { imageShape, make } = rows[name];
      const model = make({ seed: 1, dropout: 0.1 });
      const optimizer = tf.train.adam(3e-2, 0.9, 0.999, 1e-7);
      model.compile({ optimizer, loss: bitsPerDim });
      const levels = levelsOf(model, 4, imageShape);
      const given = conditionsOf(model, 4, imageShape);
      const steps = async (of: AutoregressiveModel, count: number) => {
        const losses: number[] = [];
        for (let step = 0; step < count; step++) losses.push(await of.trainOnBatch(levels, given));
        return losses;
      };
      const [first = 0] = await steps(model, 1);
      const loaded = (await saveAndLoad(model, { includeOptimizer: true })) as AutoregressiveModel;
      const rest = await steps(model, 4);
      expect(Math.min(...rest)).toBeLessThan(first - 0.02);
      tf.dispose(loaded.evaluate(levels, given)); // which draws nothing
      expect(await steps(loaded, 2)).toEqual(rest.slice(0, 2));
      for (const each of [model, loaded]) each.dispose();
      optimizer.dispose();
      return levels;
    }),
  );

  // not on GPUs: what draws incrementally knows no backend
  it.skipIf(isGpu(backend)).each([
    ['pixelCNN of embedded levels, to a mixture', -576_153_950],
    ['pixelCNN, its blocks LSTMs along rows', -629_258_045],
    ['pixelCNN, its blocks LSTMs along diagonals', -1_676_890_529],
    ['gatedPixelCNN of a class, a vector and a map', 1_975_618_467],
    ['pixelCNNPlusPlus of three channels', 1_308_590_997],
    ['pixelCNNPlusPlus to Gaussians', 1_393_218_129],
    ['pixelSNAIL of codes, a class and a vector', 161_438_852],
    ['imageGPT of a class and a vector', -641_217_537],
  ] as const)('draws the same bits on every backend: %s', async (name, hash) => {
    const { imageShape } = rows[name];
    const model = scoped(noisy(name));
    const given = conditionsOf(model, 3, imageShape);
    const images = await take(await sample(model, { numImages: 3, seed: 1, strategy: 'incremental', ...given }));
    expect(images.reduce((sum, level) => (Math.imul(sum, 31) + level) | 0, 0)).toBe(hash);
  });
});

describe('a network', () => {
  beforeAll(() => useBackend(backends.includes('wasm') ? 'wasm' : (backends[0] ?? 'cpu')));

  it.each(names)('is causal: %s', async (name) => {
    const model = scoped(noisy(name));
    expect(await checkCausality(model, { inputs: 'all' })).toEqual({ causal: true, leaks: [] });
  });

  it.each(names)('goes on with an image as with another, with all that it remembers: %s', async (name) => {
    const { imageShape } = rows[name];
    const model = scoped(noisy(name));
    const { levels } = model;
    const portable = await toPortable(model);
    const options = { numImages: 3, ...conditionsOf(model, 3, imageShape) };
    const [moved, steady] = [scoped(stepper(portable, options)), scoped(stepper(portable, options))];
    for (let i = 0; steady.place !== null; i++) {
      const nats = steady.logProbs().slice();
      if (i % 3 === 2) {
        moved.copy([2, 0, 1]);
        const ofImage = (n: number) => [...nats.subarray(n * levels, (n + 1) * levels)];
        expect([...moved.logProbs()]).toEqual([2, 0, 1].flatMap(ofImage));
        moved.copy([1, 2, 0]); // back again
      }
      expect(moved.logProbs()).toEqual(nats);
      for (const each of [moved, steady]) each.put([0, 1, 2].map((n) => (n * n + 5 * n * i + i) % levels));
    }
  });

  const ofAnySize = ['pixelCNN', 'gatedPixelCNN of a class, a vector and a map', 'pixelCNNPlusPlus', 'pixelSNAIL'] as const;
  it.each(ofAnySize)('takes images of any size, alike: %s', async (name) => {
    const { imageShape } = rows[name];
    const any = scoped(noisy(name, { imageShape: [null, null, imageShape[2]] }));
    const fixed = scoped(noisy(name));
    const images = scoped(levelsOf(any, 2, imageShape));
    const given = conditionsOf(any, 2, imageShape);
    const nats = await take(await levelLogProbs(fixed, images, given));
    expect(await take(await levelLogProbs(any, images, given))).toEqual(nats);
  });

  const drawing: Name[] = [...ofEachFactory, 'pixelCNN of embedded levels, to a mixture'];
  it.each(drawing)('begins alike for a seed, every part in its own way: %s', async (name) => {
    const kernelsOf = async (options: Options) => {
      const model = scoped(rows[name].make(options));
      const weights = await weightsOf(model);
      return new Map([...weights].filter(([name]) => /(kernel|embeddings)$/.test(name)));
    };
    const kernels = await kernelsOf({ seed: 1 });
    expect(await kernelsOf({ seed: 1, dropout: 0.5 })).toEqual(kernels);
    for (const other of [await kernelsOf({ seed: 2 }), await kernelsOf({})])
      for (const [name, values] of kernels) expect(other.get(name)).not.toEqual(values);
    const ratios = [...kernels.values()].map(([a = 0, b = 0]) => a / b);
    expect(new Set(ratios).size).toBe(ratios.length);
  });

  it.each(ofEachFactory)('drops features in training only, other ones at each step: %s', async (name) => {
    const { imageShape, make } = rows[name];
    const [dropping, again, whole] = scoped(
      [0.5, 0.5, 0].map((dropout) => make({ seed: 1, dropout })) as [AutoregressiveModel, AutoregressiveModel, AutoregressiveModel],
    );
    const images = scoped(levelsOf(whole, 2, imageShape));
    const given = conditionsOf(whole, 2, imageShape);
    const losses: number[] = [];
    for (const model of [whole, dropping, again]) {
      model.compile({ optimizer: tf.train.sgd(0), loss: bitsPerDim });
      for (let step = 0; step < 2; step++) losses.push(await model.trainOnBatch(images, given));
      losses.push(...(await take(model.evaluate(images, given) as tf.Scalar)));
    }
    const [plain, plainToo, evaluated, first, second, evaluatedToo] = losses;
    expect(plainToo).toBe(plain);
    expect(evaluatedToo).toBe(evaluated);
    expect(new Set([plain, first, second]).size).toBe(3);
    expect(losses.slice(6)).toEqual(losses.slice(3, 6)); // by the seed
  });

  it.each(names)('names its layers and weights, each once, alike whatever was made before: %s', (name) => {
    // tfjs makes names unique by _1, _2, ..., and refuses those that are there already.
    const models = scoped([0, 1, 2].map(() => rows[name].make()));
    const [once, ...again] = models.map(({ layers, weights }) => [
      layers.map((layer) => layer.name),
      weights.map(({ originalName }) => originalName),
    ]);
    for (const other of again) expect(other).toEqual(once);
    for (const all of once ?? []) expect(new Set(all).size).toBe(all.length);
  });

  it('depends in every pixel on each of its conditions', async () => {
    for (const name of ofEachFactory.slice(1)) {
      const { imageShape } = rows[name];
      const model = scoped(noisy(name));
      const one = scoped(levelsOf(model, 1, imageShape));
      const images = scoped(tf.tile(one, [2, 1, 1, 1]));
      const [h, w] = imageShape;
      const { condition } = conditionsOf(model, 2, imageShape) as { condition: Record<string, unknown> };
      for (const { kind } of model.conditions) {
        // The two images are alike, and so are all of their conditions but this one.
        const same = Object.entries(condition).map(([other, value]) => [other, other === kind ? value : alike(value)]);
        const nats = await take(await levelLogProbs(model, images, { condition: Object.fromEntries(same) }));
        const ofPixel = nats.length / (2 * h * w);
        for (let pixel = 0; pixel < h * w; pixel++) {
          const [a, b] = [0, h * w].map((first) => nats.slice((first + pixel) * ofPixel, (first + pixel + 1) * ofPixel));
          expect([name, kind, pixel, a]).not.toEqual([name, kind, pixel, b]);
        }
      }
    }
  });
});

/** The conditions of two images, the second's made those of the first. */
function alike(value: unknown): unknown {
  if (Array.isArray(value)) return [value[0], value[0]];
  const { data, shape } = value as { data: ArrayLike<number>; shape: number[] };
  const first = Array.from(data).slice(0, data.length / 2);
  return { data: [...first, ...first], shape };
}
