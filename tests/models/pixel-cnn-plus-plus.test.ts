import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import {
  type AutoregressiveModel,
  bitsPerDim,
  checkCausality,
  levelLogProbs,
  logProb,
  normalize,
  type PixelCNNPlusPlusArgs,
  pixelCNNPlusPlus,
} from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { allImages } from '../support/distributions';
import { saveAndLoad } from '../support/memory-file';
import { movedBy } from '../support/moved';
import { goldenPlusPlus, goldenPlusPlusModel } from '../support/plus-plus-golden';
import { expectClose, expectNoLeaks, golden4d, noise, setNoise, take } from '../support/tensors';

/** A small network; weights are noise where a seed of it is given. */
function build(args: Partial<PixelCNNPlusPlusArgs> = {}, noiseSeed?: number): AutoregressiveModel {
  const small = {
    imageShape: [4, 4, 1],
    levels: 4,
    filters: 2,
    numResnets: 1,
    output: { components: 2 },
    seed: 1,
  } as const;
  const model = pixelCNNPlusPlus({ ...small, ...args });
  if (noiseSeed !== undefined) setNoise(model, noiseSeed);
  return model;
}

/** Levels of so many images, int32 [N,H,W,C]. */
function someLevels(shape: readonly [number, number, number, number], levels: number, seed = 3): tf.Tensor4D {
  const size = shape.reduce((product, length) => product * length, 1);
  const values = Array.from(noise(size, seed), (x) => Math.floor((x + 1) * (levels / 2)));
  return tf.tensor4d(values, [...shape], 'int32');
}

/** Networks and what they are conditioned on. */
const kinds = [
  [{ output: { components: 2 } }, undefined],
  [{ output: 'softmax', numClasses: 2 }, 1],
] as const;

onEachBackend('pixelCNNPlusPlus', (backend) => {
  for (const golden of isGpu(backend) ? goldenPlusPlus.slice(0, 1) : goldenPlusPlus) {
    it(`gives the parameters and likelihoods of the reference, ${golden.name}`, async () => {
      const model = await goldenPlusPlusModel(golden);
      expect(model.countParams()).toBeGreaterThan(0);
      const images = golden4d(golden.images, 'int32');
      const parameters = tf.tidy(() => model.predict(normalize(images, golden.config.levels)));
      expectClose(await take(parameters), golden.parameters.data, 3e-5);
      const nats = await take(await logProb(model, images));
      for (const [n, expected] of golden.nll_exact_nats_per_image.entries())
        expect(Math.abs((nats[n] as number) / -expected - 1)).toBeLessThan(1e-5);
      tf.dispose([images]);
      model.dispose();
    });
  }

  // biome-ignore format: one row a line
  const toCheck: Partial<Record<typeof backend, PixelCNNPlusPlusArgs['imageShape'][]>> = {
    cpu: [[8, 8, 1]], wasm: [[8, 8, 1], [4, 8, 3], [4, 4, 3]], webgpu: [[4, 4, 1]],
  };
  it.each(toCheck[backend] ?? [])('is causal, images [%i, %i, %i]', async (...imageShape) => {
    const output = imageShape[1] === 8 ? { components: 2 } : 'softmax';
    const model = build({ imageShape, output }, 2);
    expect(await checkCausality(model, { inputs: 'all' })).toEqual({ causal: true, leaks: [] });
    model.dispose();
  });

  // In software, GPUs take minutes to compile all programs of training: they train a smaller network in tests/training.
  it.skipIf(isGpu(backend))(
    'learns, and goes on to the bit when it is saved and resumed, with dropout and conditions',
    async () => {
      const labels = someLevels([4, 4, 4, 1], 4);
      const images = normalize(labels, 4);
      const condition = { class: [0, 1, 2, 0], vector: { data: noise(8), shape: [4, 2] } };
      const steps = async (model: AutoregressiveModel, count: number) => {
        const losses: number[] = [];
        for (let step = 0; step < count; step++)
          losses.push(await model.trainOnBatch(images, labels, { condition }));
        return losses;
      };
      const model = build({ dropout: 0.1, numClasses: 3, conditionSize: 2 });
      const optimizer = tf.train.adam(3e-2, 0.9, 0.999, 1e-7);
      model.compile({ optimizer, loss: bitsPerDim });
      const first = await steps(model, 1);
      const loaded = (await saveAndLoad(model, { includeOptimizer: true })) as AutoregressiveModel;
      const rest = await steps(model, 3);
      expect(rest.at(-1)).toBeLessThan((first[0] as number) - 0.02);
      expect(await steps(loaded, 2)).toEqual(rest.slice(0, 2));
      tf.dispose([labels, images]);
      optimizer.dispose();
      for (const m of [model, loaded]) m.dispose();
    },
  );

  it('leaves no tensor behind', () =>
    expectNoLeaks(() => {
      const model = build({ numClasses: 2 });
      const x = [tf.ones([1, 4, 4, 1]), tf.zeros([1, 1])];
      const y = model.apply(x) as tf.Tensor;
      model.dispose();
      return [x, y];
    }));

  /** All images of two levels that differ in ten pixels from `from` on, and are alike in the six others: [1024,4,4,1]. */
  const imagesThatVary = (from: number) =>
    tf.tensor4d(
      Array.from({ length: 1024 * 16 }, (_, i) => {
        const [image, pixel] = [Math.floor(i / 16), i % 16];
        return pixel < from || pixel >= from + 10 ? pixel % 2 : (image >> (pixel - from)) & 1;
      }),
      [1024, 4, 4, 1],
      'int32',
    );

  const isSlow = backend === 'cpu';
  it.skipIf(isGpu(backend)).each(isSlow ? [kinds[1]] : kinds)(
    'gives whatever follows six pixels, or whatever is before six, the probability 1: %j',
    async (args, condition) => {
      const model = build({ ...args, levels: 2 }, 7);
      for (const from of isSlow ? [6] : [0, 6]) {
        const images = imagesThatVary(from);
        const options = condition === undefined ? {} : { condition };
        const nats = await take(await logProb(model, images, { batchSize: 256, perValue: true, ...options }));
        const probabilities = Array.from({ length: 1024 }, (_, n) =>
          Math.exp(nats.slice(16 * n + from, 16 * n + from + 10).reduce((a, b) => a + b)),
        );
        expect(Math.abs(probabilities.reduce((a, b) => a + b) - 1)).toBeLessThan(1e-5);
        expect(Math.max(...probabilities)).toBeGreaterThan(4 / 1024); // not the uniform model
        images.dispose();
      }
      model.dispose();
    },
  );

  const isNode = typeof window === 'undefined';
  it.skipIf(backend !== 'wasm' || !isNode)(
    'gives all images of a small space the probability 1',
    async () => {
      const model = build({ levels: 2, filters: 1, output: { components: 1 }, numClasses: 2 });
      setNoise(model, 7, 3);
      const images = allImages(model); // 65,536
      const nats = await take(await logProb(model, images, { batchSize: 4096, condition: 1 }));
      const probabilities = nats.map(Math.exp);
      expect(Math.abs(probabilities.reduce((a, b) => a + b) - 1)).toBeLessThan(1e-4);
      expect(Math.max(...probabilities)).toBeGreaterThan(4 / 65536);
      images.dispose();
      model.dispose();
    },
  );
});

describe('pixelCNNPlusPlus', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it('sees at each pixel all before it, nearby and far', async () => {
    const model = build({ imageShape: [8, 8, 1], filters: 4 });
    const { moved } = await movedBy([8, 8, 1], (x) => model.predict(x));
    for (const to of [9, 20, 28, 54]) {
      const seen = Array.from({ length: 64 }, (_, from) => from).filter((from) => moved(from, to));
      expect(seen).toEqual(Array.from({ length: to }, (_, from) => from));
    }
    model.dispose();
  });

  /** Weights of a convolution: kernel, gain, bias. */
  const conv = (taps: number, featuresIn: number, featuresOut: number) => taps * featuresIn * featuresOut + 2 * featuresOut; // biome-ignore format: one line

  /** By the paper's code: two streams, of windows 2x3 and 2x2. */
  function count(f: number, resnets: number, features: number, channels: number): number {
    const block = (taps: number, skip: number) =>
      conv(taps, 2 * f, f) + (skip > 0 ? conv(1, 2 * skip, f) : 0) + conv(taps, 2 * f, 2 * f);
    const stem = conv(6, channels + 1, f) + conv(3, channels + 1, f) + conv(2, channels + 1, f);
    const down = 3 * resnets * (block(6, 0) + block(4, f));
    const up = (3 * resnets + 2) * (block(6, f) + block(4, 2 * f));
    return stem + down + up + 4 * (conv(6, f, f) + conv(4, f, f)) + conv(1, f, features);
  }

  it('has as many weights as the published one', () => {
    for (const [filters, numResnets, components, channels] of [
      [1, 5, 10, 3],
      [2, 5, 10, 3],
      [3, 2, 1, 1],
      [5, 1, 3, 2],
    ] as const) {
      // biome-ignore format: one line
      const model = build({ imageShape: [8, 8, channels], filters, numResnets, output: { components } });
      const features = components * (1 + 2 * channels + (channels * (channels - 1)) / 2);
      expect(model.countParams()).toBe(count(filters, numResnets, features, channels));
      model.dispose();
    }
    expect((count(160, 5, 100, 3) / 1e6).toFixed(2)).toBe('53.66');
  });

  it('names its layers and weights, each once', () => {
    const model = build({ numResnets: 2, numClasses: 2, conditionSize: 3, name: 'plus_plus' });
    const layers = model.layers.map(({ name }) => name);
    expect(new Set(layers).size).toBe(layers.length);
    expect(layers).toEqual(expect.arrayContaining(['image', 'class', 'vector', 'centered', 'stem_u', 'down2_1_ul', 'up0_2_u', 'downsize1_u', 'upsize0_ul', 'final_conv', 'mixture'])); // biome-ignore format: one line
    const weights = model.layers.flatMap(({ weights }) => weights.map(({ originalName }) => originalName));
    expect(new Set(weights).size).toBe(weights.length);
    expect(model.name).toBe('plus_plus');
    model.dispose();
  });

  it('begins alike for a seed, on every part its own, whatever the dropout', async () => {
    const kernelsOf = async (args: Partial<PixelCNNPlusPlusArgs>) => {
      const model = build({ ...args, numClasses: 2 });
      const all = new Map<string, number[]>();
      for (const { originalName, read } of weightsOf(model))
        if (originalName.endsWith('kernel')) all.set(originalName, Array.from(await read().data()));
      model.dispose();
      return all;
    };
    const weightsOf = (model: tfl.LayersModel) =>
      model.layers.flatMap(({ weights }) =>
        weights.map((weight) => ({
          originalName: weight.originalName,
          read: () => weight.read() as tf.Tensor,
        })),
      );
    const kernels = await kernelsOf({});
    expect(await kernelsOf({})).toEqual(kernels);
    expect(await kernelsOf({ dropout: 0.5 })).toEqual(kernels);
    expect(await kernelsOf({ output: { components: 2 }, levels: 9 })).toEqual(kernels);
    const other = await kernelsOf({ seed: 2 });
    for (const [name, values] of kernels) expect(other.get(name)).not.toEqual(values);
    const ratios = [...kernels.values()].map(([a = 0, b = 0]) => a / b);
    expect(new Set(ratios).size).toBe(ratios.length);
  });

  it('drops features in training only, other ones at each step', async () => {
    const [model, whole] = [build({ dropout: 0.5 }), build()];
    const x = tf.tensor4d(noise(16), [1, 4, 4, 1]);
    const outputs = async (of: tfl.LayersModel, training: boolean) =>
      take(of.apply(x, { training }) as tf.Tensor);
    const plain = await outputs(whole, true);
    expect(await outputs(model, false)).toEqual(plain);
    const dropped = await outputs(model, true);
    expect(dropped).not.toEqual(plain);
    expect(await outputs(model, true)).not.toEqual(dropped);
    const again = build({ dropout: 0.5 });
    expect(await outputs(again, true)).toEqual(dropped);
    x.dispose();
    for (const m of [model, whole, again]) m.dispose();
  });

  it('has a mixture of 10 logistics by default', () => {
    const model = pixelCNNPlusPlus({ imageShape: [4, 4, 1], filters: 1, numResnets: 1 });
    expect(model.outputs[0]?.shape).toEqual([null, 4, 4, 3 * 10]); // a logit, a mean and a log scale each
    model.dispose();
  });

  it('comes back from a file, with every output and condition', async () => {
    // biome-ignore format: one row a line
    const all: [Partial<PixelCNNPlusPlusArgs>, object, number[]][] = [
      [{}, {}, [2, 4, 4, 2 * 3]],
      [{ imageShape: [4, 8, 3], output: { components: 1 } }, {}, [2, 4, 8, 10]],
      [{ output: 'softmax', imageShape: [4, 4, 2] }, {}, [2, 4, 4, 2, 4]],
      [{ numClasses: 3, nullClass: true }, { condition: [0, 3] }, [2, 4, 4, 6]],
      [{ conditionSize: 2 }, { condition: { data: noise(4), shape: [2, 2] } }, [2, 4, 4, 6]],
      [{ numClasses: 2, conditionSize: 1, imageShape: [null, null, 1] }, { condition: { class: 1, vector: { data: [1, 2], shape: [2, 1] } } }, [2, 8, 4, 6]],
    ];
    for (const [args, options, shape] of all) {
      const model = build(args, 4);
      const loaded = (await saveAndLoad(model)) as AutoregressiveModel;
      expect(loaded.conditions).toEqual(model.conditions);
      const x = tf.tensor(noise(2 * (shape[1] as number) * (shape[2] as number) * (model.imageShape[2] ?? 1)), [2, ...shape.slice(1, 3), model.imageShape[2]]) as tf.Tensor; // biome-ignore format: one line
      const [a, b] = [model, loaded].map((m) => m.predict(x, options)) as [tf.Tensor, tf.Tensor];
      expect(a.shape).toEqual(shape);
      expect(await take(b)).toEqual(await take(a));
      x.dispose();
      for (const m of [model, loaded]) m.dispose();
    }
  });

  it('depends on its conditions in every pixel', async () => {
    const model = build({ numClasses: 2, conditionSize: 2 });
    const x = tf.tile(tf.tensor4d(noise(16), [1, 4, 4, 1]), [3, 1, 1, 1]);
    const [classes, vectors] = [tf.tensor2d([0, 1, 0], [3, 1]), tf.tensor2d([1, 2, 1, 2, 1, 3], [3, 2])];
    const y = await take(model.predict([x, classes, vectors]));
    const pixels = [0, 1, 2].map((n) => Array.from({ length: 16 }, (_, p) => y.slice(96 * n + 6 * p, 96 * n + 6 * p + 6))); // biome-ignore format: one line
    for (const other of [1, 2])
      for (let p = 0; p < 16; p++) expect(pixels[other]?.[p]).not.toEqual(pixels[0]?.[p]);
    tf.dispose([x, classes, vectors]);
    model.dispose();
  });

  it('takes images of any size that is a multiple of 4, alike', async () => {
    const [any, fixed] = [build({ imageShape: [null, null, 1] }, 5), build({ imageShape: [8, 4, 1] }, 5)];
    const images = someLevels([2, 8, 4, 1], 4);
    const [a, b] = [await levelLogProbs(any, images), await levelLogProbs(fixed, images)];
    expect(await take(a)).toEqual(await take(b));
    expect((any.predict(tf.zeros([1, 12, 8, 1])) as tf.Tensor).shape).toEqual([1, 12, 8, 6]);
    expect(await checkCausality(any, { inputs: 'all', imageShape: [4, 4, 1] })).toMatchObject({
      causal: true,
    });
    for (const [h, w, message] of [
      [5, 4, 'height: wanted a multiple of 2, got 5'],
      [4, 6, 'width: wanted a multiple of 2, got 3'],
    ] as const) {
      // biome-ignore format: one line
      const odd = tf.zeros<tf.Rank.R4>([1, h, w, 1], 'int32');
      expect(() => any.predict(odd)).toThrow(message);
      await expect(logProb(any, odd)).rejects.toThrow(message);
      odd.dispose();
    }
    images.dispose();
    for (const m of [any, fixed]) m.dispose();
  });

  it('names what is wrong', () => {
    expect(() => pixelCNNPlusPlus(undefined as never)).toThrow(
      'pixelCNNPlusPlus: wanted an object of arguments',
    );
    const wrong = (args: object) => () => build(args);
    for (const imageShape of [[6, 4, 1], [4, 2, 1], [null, 5, 1]])
      expect(wrong({ imageShape })).toThrow('pixelCNNPlusPlus: imageShape: wanted a height and width that are multiples of 4, or null'); // biome-ignore format: one line
    for (const imageShape of [[4, 4], [4, 4, null], '4', [4, 4, 1, 1], [0, 4, 1]])
      expect(wrong({ imageShape })).toThrow('pixelCNNPlusPlus: imageShape: wanted [H, W, C]');
    expect(wrong({ levels: 1 })).toThrow('pixelCNNPlusPlus: levels: wanted an integer of at least 2, got 1');
    expect(wrong({ filters: 0 })).toThrow(
      'pixelCNNPlusPlus: filters: wanted an integer of at least 1, got 0',
    );
    expect(wrong({ filters: undefined })).toThrow('pixelCNNPlusPlus: filters');
    expect(wrong({ filters: 1e5 })).toThrow('pixelCNNPlusPlus: filters: wanted sizes');
    for (const numResnets of [0, 1.5, 1e9])
      expect(wrong({ numResnets })).toThrow('pixelCNNPlusPlus: numResnets: wanted an integer from 1 to 1000');
    const outputs: [output: unknown, message: string][] = [
      [{ components: 0 }, 'output.components: wanted an integer of at least 1, got 0'],
      [{ components: 2 ** 28 }, 'output.components: wanted sizes'],
      [{ component: 3 }, "output: unknown option 'component': did you mean components?"],
      ['mixture', "output: wanted 'softmax' or { components }, got 'mixture'"],
    ];
    for (const [output, message] of outputs)
      expect(wrong({ output })).toThrow(`pixelCNNPlusPlus: ${message}`);
    expect(wrong({ components: 2 })).toThrow("pixelCNNPlusPlus: unknown option 'components'");
    expect(wrong({ output: 'softmax', levels: 2 ** 24, filters: 64 })).toThrow('pixelCNNPlusPlus: levels: wanted sizes'); // biome-ignore format: one line
    expect(wrong({ dropout: 1 })).toThrow(
      'pixelCNNPlusPlus: dropout: wanted a number from 0, below 1, got 1',
    );
    expect(wrong({ seed: 1.5 })).toThrow('pixelCNNPlusPlus: seed: wanted an integer');
    expect(wrong({ numClasses: 0 })).toThrow('pixelCNNPlusPlus: numClasses: wanted an integer of at least 1');
    expect(wrong({ nullClass: true })).toThrow('pixelCNNPlusPlus: nullClass: wanted numClasses beside it');
    expect(wrong({ conditionSize: 2 ** 28 })).toThrow('pixelCNNPlusPlus: conditionSize: wanted sizes');
  });
});
