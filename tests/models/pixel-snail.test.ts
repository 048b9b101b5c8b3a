import * as tf from '@tensorflow/tfjs-core';
import {
  type AutoregressiveModel,
  bitsPerDim,
  checkCausality,
  initializeFromData,
  levelLogProbs,
  logProb,
  normalize,
  type PixelSNAILArgs,
  pixelSNAIL,
} from 'pixelcnn-layers';
import { loadWeights } from 'pixelcnn-layers/weights';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { allImages } from '../support/distributions';
import { saveAndLoad } from '../support/memory-file';
import { movedBy } from '../support/moved';
import { goldenSnail, goldenSnails } from '../support/snail-golden';
import { expectClose, expectNoLeaks, golden4d, noise, setNoise, take } from '../support/tensors';

const CODES = { levels: 3, shape: [2, 2], resBlocks: 1, resFilters: 2 } as const;

/** A small network; weights are noise where a seed of it is given. */
function build(args: Partial<PixelSNAILArgs> = {}, noiseSeed?: number): AutoregressiveModel {
  const small = { imageShape: [4, 4, 1], levels: 4, filters: 4, heads: 2, numBlocks: 1, numResBlocks: 1, resFilters: 2, seed: 1 } as const; // biome-ignore format: one line
  const model = pixelSNAIL({ ...small, ...args });
  if (noiseSeed !== undefined) setNoise(model, noiseSeed, 1.5);
  return model;
}

/** Levels of so many images, int32 [N,H,W,C]. */
function someLevels(shape: readonly [number, number, number, number], levels: number, seed = 3): tf.Tensor4D {
  const size = shape.reduce((product, length) => product * length, 1);
  const values = Array.from(noise(size, seed), (x) => Math.floor((x + 1) * (levels / 2)));
  return tf.tensor4d(values, [...shape], 'int32');
}

/** Codes of so many images. */
const someCodes = (count: number) => ({ data: Array.from({ length: 4 * count }, (_, i) => (i * i) % 3), shape: [count, 2, 2] }); // biome-ignore format: one line

onEachBackend('pixelSNAIL', (backend) => {
  for (const golden of isGpu(backend) ? goldenSnails.slice(1, 2) : goldenSnails) {
    it(`gives the logits and likelihoods of the reference, ${golden.name}`, async () => {
      const model = await goldenSnail(golden);
      const [n, h, w] = golden.codes.shape as [number, number, number];
      const codes = golden4d({ data: golden.codes.data, shape: [n, h, w, 1] }, 'int32');
      const options = golden.condition === undefined ? {} : { condition: golden.condition };
      const logits = model.predict(normalize(codes, golden.config.levels), options);
      expectClose(await take(logits), golden.logits.data, 5e-5);
      const nats = await take(await logProb(model, codes, options));
      for (const [i, expected] of golden.nll_nats_per_image.entries())
        expect(Math.abs((nats[i] as number) / -expected - 1)).toBeLessThan(1e-5);
      codes.dispose();
      model.dispose();
    });
  }

  // biome-ignore format: one row a line
  const toCheck: Partial<Record<typeof backend, Partial<PixelSNAILArgs>[]>> = {
    cpu: [{}],
    wasm: [
      { numBlocks: 2, outResBlocks: 1, kernelSize: 5 }, { imageShape: [3, 2, 3], output: { components: 2 }, input: 'scaled' },
      { imageShape: [2, 3, 3], input: { embedding: 2 } }, { attention: false, numBlocks: 2 }, { codeCondition: CODES, numClasses: 2 },
      { numResBlocks: 0 }, { imageShape: [1, 9, 1] }, { imageShape: [9, 1, 1] },
    ],
    webgpu: [{ imageShape: [3, 3, 1] }],
  };
  it.each(toCheck[backend] ?? [])('is causal: %j', async (args) => {
    const model = build(args, 2);
    expect(await checkCausality(model, { inputs: 'all' })).toEqual({ causal: true, leaks: [] });
    model.dispose();
  });

  // In software, GPUs take minutes to compile all programs of training: attention's gradients are tested by themselves.
  it.skipIf(isGpu(backend))(
    'learns, and goes on to the bit when it is saved and resumed, with dropout and conditions',
    async () => {
      const labels = someLevels([4, 4, 4, 1], 4);
      const images = normalize(labels, 4);
      const condition = {
        class: [0, 1, 2, 0],
        vector: { data: noise(8), shape: [4, 2] },
        codes: someCodes(4),
      };
      const steps = async (model: AutoregressiveModel, count: number) => {
        const losses: number[] = [];
        for (let step = 0; step < count; step++)
          losses.push(await model.trainOnBatch(images, labels, { condition }));
        return losses;
      };
      const model = build({ dropout: 0.1, numClasses: 3, conditionSize: 2, codeCondition: CODES });
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
      const model = build({ codeCondition: CODES });
      const x = [tf.ones([1, 4, 4, 1]), tf.zeros([1, 2, 2, 1])];
      const y = model.apply(x) as tf.Tensor;
      model.dispose();
      return [x, y];
    }));

  // biome-ignore format: one row a line
  const spaces: [Partial<PixelSNAILArgs>, object][] = [
    [{ imageShape: [3, 3, 1], levels: 2, numClasses: 2 }, { condition: 1 }],
    [{ imageShape: [2, 2, 1], levels: 4, codeCondition: { ...CODES, shape: [1, 2] } }, { condition: [0, 2] }],
    [{ imageShape: [1, 3, 3], levels: 2, output: { components: 2 }, input: 'scaled', filters: 6, heads: 3 }, {}],
    [{ imageShape: [3, 1, 3], levels: 2 }, {}],
  ];
  it.skipIf(isGpu(backend)).each(spaces)(
    'gives all images of a small space the probability 1: %j',
    async (args, { condition }: { condition?: number | number[] }) => {
      const model = build(args, 7);
      const images = allImages(model);
      const count = images.shape[0];
      const given = Array.isArray(condition)
        ? {
            condition: {
              data: Array.from({ length: count * 2 }, (_, i) => condition[i % 2] as number),
              shape: [count, 1, 2],
            },
          }
        : condition === undefined
          ? {}
          : { condition };
      const nats = await take(await logProb(model, images, { batchSize: 256, ...given }));
      const probabilities = nats.map(Math.exp);
      expect(Math.abs(probabilities.reduce((a, b) => a + b) - 1)).toBeLessThan(1e-4);
      expect(Math.max(...probabilities)).toBeGreaterThan(4 / count); // not the uniform model
      images.dispose();
      model.dispose();
    },
  );
});

describe('pixelSNAIL', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it.each([true, false])('sees at each pixel all before it by attention (%j)', async (attention) => {
    const model = build({ imageShape: [8, 8, 1], attention, input: 'scaled', output: { components: 1 } }, 5);
    const { moved } = await movedBy([8, 8, 1], (x) => model.predict(x));
    const seenBy = (to: number) =>
      Array.from({ length: 64 }, (_, from) => from).filter((from) => moved(from, to));
    for (const to of [9, 28, 54]) {
      // The end of the row above is in the features of no earlier place, until the window reaches it at the sixth column.
      const endAbove = to % 8 < 6 ? to - (to % 8) - 1 : -1;
      const all = Array.from({ length: to }, (_, from) => from).filter((from) => from !== endAbove);
      if (attention) expect(seenBy(to)).toEqual(all);
      else expect(seenBy(to)).not.toEqual(all); // the window alone does not reach so far
      expect(seenBy(to)).toContain(to - 1);
    }
    model.dispose();
  });

  /** Weights of a convolution: kernel, gain, bias. */
  const conv = (taps: number, featuresIn: number, featuresOut: number) => taps * featuresIn * featuresOut + 2 * featuresOut; // biome-ignore format: one line
  const block = (taps: number, f: number, h: number, skip = 0) =>
    conv(taps, f, h) + (skip > 0 ? conv(1, skip, h) : 0) + conv(taps, h, 2 * f);

  it('has the weights of the repository', () => {
    for (const [f, r, k, levels, blocks, res, out] of [
      [8, 3, 3, 5, 1, 2, 0],
      [16, 4, 5, 7, 2, 1, 2],
    ] as const) {
      const model = build({ filters: f, resFilters: r, kernelSize: k, levels, numBlocks: blocks, numResBlocks: res, outResBlocks: out, heads: 4, codeCondition: { ...CODES, resBlocks: 2, resFilters: 6 } }); // biome-ignore format: one line
      const half = k >> 1;
      const stem = conv(half * k, levels, f) + conv((half + 1) * half, levels, f);
      const attention = block(1, 2 * f + 2, f) + block(1, f + 2, f) + block(1, f, f, f / 2) + conv(1, f + 2, f / 2) + 2 * conv(1, 2 * f + 2, f / 2); // biome-ignore format: one line
      const codes = conv(9, CODES.levels, 6) + 2 * block(9, 6, 6);
      const all = blocks * (res * (block(k * k, f, r) + 6 * 2 * f) + attention);
      expect(model.countParams()).toBe(stem + all + codes + out * block(1, f, r) + conv(1, f, levels));
      model.dispose();
    }
  });

  it('has the defaults that its arguments state', () => {
    const needed = { imageShape: [4, 4, 1], filters: 16, numBlocks: 1, numResBlocks: 1, resFilters: 2, name: 'snail' } as const; // biome-ignore format: one line
    const stated = { levels: 256, kernelSize: 3, attention: true, heads: 8, dropout: 0, outResBlocks: 0, input: 'oneHot', output: 'softmax' } as const; // biome-ignore format: one line
    const models = [
      pixelSNAIL({ ...needed, codeCondition: CODES }),
      pixelSNAIL({ ...needed, ...stated, codeCondition: { ...CODES, kernelSize: 3 } }),
    ];
    const [given, all] = models.map((model) => model.toJSON(null, false));
    expect(given).toEqual(all);
    for (const model of models) model.dispose();
  });

  it('names its layers and weights, each once', () => {
    const model = build({ numBlocks: 2, outResBlocks: 1, numClasses: 2, conditionSize: 3, codeCondition: CODES, name: 'snail' }); // biome-ignore format: one line
    const layers = model.layers.map(({ name }) => name);
    expect(new Set(layers).size).toBe(layers.length);
    expect(layers).toEqual(expect.arrayContaining(['image', 'class', 'vector', 'codes', 'stem_above', 'stem_left', 'block1_res0', 'block0_keys', 'block0_queries', 'block1_attention', 'block0_out', 'codes_conv', 'codes_res0', 'out_res0', 'final_conv', 'logits'])); // biome-ignore format: one line
    const weights = model.layers.flatMap(({ weights }) => weights.map(({ originalName }) => originalName));
    expect(new Set(weights).size).toBe(weights.length);
    expect(weights).toEqual(expect.arrayContaining(['block0_res0/condition_kernel', 'block0_res0/condition3_kernel', 'block0_attention/query_kernel'])); // biome-ignore format: one line
    expect(model.name).toBe('snail');
    expect(model.conditions).toEqual([{ kind: 'class', numClasses: 2 }, { kind: 'vector', size: 3 }, { kind: 'codes', levels: 3, shape: [2, 2] }]); // biome-ignore format: one line
    model.dispose();
  });

  it('begins alike for a seed, on every part its own, whatever the dropout', async () => {
    const kernelsOf = async (args: Partial<PixelSNAILArgs>) => {
      const model = build({ ...args, codeCondition: CODES });
      const all = new Map<string, number[]>();
      for (const { weights } of model.layers)
        for (const weight of weights)
          if (weight.originalName.endsWith('kernel'))
            all.set(weight.originalName, Array.from(await (weight.read() as tf.Tensor).data()));
      model.dispose();
      return all;
    };
    const kernels = await kernelsOf({});
    expect(await kernelsOf({})).toEqual(kernels);
    expect(await kernelsOf({ dropout: 0.5 })).toEqual(kernels);
    const other = await kernelsOf({ seed: 2 });
    for (const [name, values] of kernels) expect(other.get(name)).not.toEqual(values);
    const ratios = [...kernels.values()].map(([a = 0, b = 0]) => a / b);
    expect(new Set(ratios).size).toBe(ratios.length);
  });

  it('drops features in training only, other ones at each step', async () => {
    const [model, whole] = [build({ dropout: 0.5 }), build()];
    const x = tf.tensor4d(noise(16), [1, 4, 4, 1]);
    const outputs = async (of: AutoregressiveModel, training: boolean) =>
      take(of.apply(x, { training }) as tf.Tensor);
    const plain = await outputs(whole, true);
    expect(await outputs(model, false)).toEqual(plain);
    const dropped = await outputs(model, true);
    expect(dropped).not.toEqual(plain);
    expect(await outputs(model, true)).not.toEqual(dropped);
    x.dispose();
    for (const m of [model, whole]) m.dispose();
  });

  it('gives each part its window and its dropout', () => {
    const codeCondition = { ...CODES, kernelSize: 1 };
    const model = build({ kernelSize: 5, dropout: 0.25, outResBlocks: 1, codeCondition });
    const configOf = (name: string) => model.getLayer(name).getConfig();
    const parts = { res0: 5, keys: 1, queries: 1, out: 1 };
    for (const [part, size] of Object.entries(parts))
      expect(configOf(`block0_${part}`)).toMatchObject({ kernelSize: [size, size], dropout: 0.25 });
    expect(configOf('block0_attention')).toMatchObject({ dropout: 0.25 });
    expect(configOf('codes_conv')).toMatchObject({ kernelSize: [1, 1] });
    expect(configOf('codes_res0')).toMatchObject({ kernelSize: [1, 1], dropout: 0.25 });
    expect(configOf('out_res0')).toMatchObject({ kernelSize: [1, 1], dropout: 0 });
    model.dispose();
  });

  it('drops nothing in the blocks after the last', async () => {
    const model = build({ dropout: 0.5, numResBlocks: 0, attention: false, outResBlocks: 2 });
    const x = tf.tensor4d(noise(16), [1, 4, 4, 1]);
    const outputs = async (training: boolean) => take(model.apply(x, { training }) as tf.Tensor);
    expect(await outputs(true)).toEqual(await outputs(false));
    x.dispose();
    model.dispose();
  });

  it('reads what ends a block without attention by its name in the repository', () => {
    const model = build({ attention: false, numResBlocks: 0, outResBlocks: 1 });
    const load = () => loadWeights(model, new Map(), { from: 'rosinality/vq-vae-2-pytorch' });
    for (const name of ['blocks.0.out.conv.weight_v', 'blocks.0.out.conv.bias', 'out.0.conv1.conv.weight_g', 'out.2.conv.weight_v'])
      expect(load).toThrow(name); // biome-ignore format: one line
    model.dispose();
  });

  it('begins with data, also the network on codes', async () => {
    const model = build({ codeCondition: CODES, numResBlocks: 2 });
    const labels = someLevels([6, 4, 4, 1], 4);
    await initializeFromData(model, labels, { condition: someCodes(6) });
    const gain = model.getLayer('codes_conv').getWeights()[1] as tf.Tensor;
    expect(Array.from(await gain.data()).every((g) => g !== 1)).toBe(true);
    expect(Number.isFinite(((await take(await logProb(model, labels, { condition: someCodes(6) })))[0] as number))).toBe(true); // biome-ignore format: one line
    labels.dispose();
    model.dispose();
  });

  it('comes back from a file, with every input, output and condition', async () => {
    // biome-ignore format: one row a line
    const all: [Partial<PixelSNAILArgs>, object, number[]][] = [
      [{}, {}, [2, 4, 4, 1, 4]],
      [{ imageShape: [4, 3, 3], output: { components: 1 }, input: 'scaled', attention: false, filters: 3, dropout: 0.1 }, {}, [2, 4, 3, 10]],
      [{ imageShape: [4, 4, 2], input: { embedding: 3 }, outResBlocks: 1 }, {}, [2, 4, 4, 2, 4]],
      [{ numClasses: 3, nullClass: true }, { condition: [0, 3] }, [2, 4, 4, 1, 4]],
      [{ codeCondition: { ...CODES, kernelSize: 1 } }, { condition: someCodes(2) }, [2, 4, 4, 1, 4]],
      [{ codeCondition: { ...CODES, shape: [1, 2] } }, { condition: { data: [0, 1, 2, 1], shape: [2, 1, 2, 1] } }, [2, 4, 4, 1, 4]],
      [{ numClasses: 2, conditionSize: 1, imageShape: [null, null, 1] }, { condition: { class: 1, vector: { data: [1, 2], shape: [2, 1] } } }, [2, 5, 3, 1, 4]],
    ];
    for (const [args, options, shape] of all) {
      const model = build(args, 4);
      const loaded = (await saveAndLoad(model)) as AutoregressiveModel;
      expect(loaded.conditions).toEqual(model.conditions);
      const [n, h, w] = shape as [number, number, number];
      const x = tf.tensor(noise(n * h * w * model.imageShape[2]), [n, h, w, model.imageShape[2]]);
      const [a, b] = [model, loaded].map((m) => m.predict(x, options)) as [tf.Tensor, tf.Tensor];
      expect(a.shape).toEqual(shape);
      expect(await take(b)).toEqual(await take(a));
      x.dispose();
      for (const m of [model, loaded]) m.dispose();
    }
  });

  it('depends in every pixel on all of its conditions, on codes from all around', async () => {
    const model = build({ numClasses: 2, conditionSize: 1, codeCondition: CODES }, 6);
    const x = tf.zeros([4, 4, 4, 1]);
    const classes = tf.tensor2d([0, 1, 0, 0], [4, 1]);
    const vectors = tf.tensor2d([1, 1, 2, 1], [4, 1]);
    const codes = tf.tensor4d([0, 1, 2, 0, 0, 1, 2, 0, 0, 1, 2, 0, 0, 1, 2, 1], [4, 2, 2, 1]); // the last differs below, right
    const y = await take(model.predict([x, classes, vectors, codes]));
    const pixel = (n: number, p: number) => y.slice(64 * n + 4 * p, 64 * n + 4 * p + 4);
    for (const other of [1, 2, 3])
      for (let p = 0; p < 16; p++) expect(pixel(other, p)).not.toEqual(pixel(0, p));
    tf.dispose([x, classes, vectors, codes]);
    model.dispose();
  });

  it('takes images of any size, alike', async () => {
    const [any, fixed] = [build({ imageShape: [null, null, 1] }, 5), build({ imageShape: [5, 3, 1] }, 5)];
    const images = someLevels([2, 5, 3, 1], 4);
    const [a, b] = [await levelLogProbs(any, images), await levelLogProbs(fixed, images)];
    expect(await take(a)).toEqual(await take(b));
    expect(await checkCausality(any, { inputs: 'all', imageShape: [3, 2, 1] })).toMatchObject({
      causal: true,
    });
    images.dispose();
    for (const m of [any, fixed]) m.dispose();
  });

  it('names what is wrong', async () => {
    expect(() => pixelSNAIL(undefined as never)).toThrow('pixelSNAIL: wanted an object of arguments');
    const wrong = (args: object) => () => build(args);
    for (const imageShape of [[4, 4], [4, 4, null], '4', [0, 4, 1]])
      expect(wrong({ imageShape })).toThrow('pixelSNAIL: imageShape: wanted [H, W, C]');
    // biome-ignore format: one row a line
    const rows: [object, string][] = [
      [{ levels: 1 }, 'levels: wanted an integer of at least 2, got 1'],
      [{ filters: 6 }, 'filters: wanted a multiple of 2 * heads (4), or attention: false, got 6'],
      [{ filters: 0 }, 'filters: wanted an integer of at least 1, got 0'],
      [{ filters: 2 ** 15 }, 'filters: wanted sizes'],
      [{ heads: 0 }, 'heads: wanted an integer of at least 1, got 0'],
      [{ kernelSize: 1 }, 'kernelSize: wanted an integer of at least 3, got 1'],
      [{ kernelSize: 4 }, 'kernelSize: wanted an odd integer, got 4'],
      [{ numBlocks: 0 }, 'numBlocks: wanted an integer from 1 to 1000, got 0'],
      [{ numResBlocks: -1 }, 'numResBlocks: wanted an integer from 0 to 1000, got -1'],
      [{ outResBlocks: 1e9 }, 'outResBlocks: wanted an integer from 0 to 1000'],
      [{ resFilters: 0 }, 'resFilters: wanted an integer of at least 1, got 0'],
      [{ attention: 1 }, 'attention: wanted true or false, got 1'],
      [{ input: 'one-hot' }, "input: wanted 'scaled', 'oneHot' or { embedding: units }, got 'one-hot'"],
      [{ output: 'mixture' }, "output: wanted 'softmax' or { components }, got 'mixture'"],
      [{ output: { components: 0 } }, 'output.components: wanted an integer of at least 1, got 0'],
      [{ dropout: 1 }, 'dropout: wanted a number from 0, below 1, got 1'],
      [{ seed: 1.5 }, 'seed: wanted an integer'],
      [{ numResBlocks: 0, numClasses: 2 }, 'numResBlocks: wanted 1 or more, since conditions enter them, got 0'],
      [{ numResBlocks: 0, codeCondition: CODES }, 'numResBlocks: wanted 1 or more'],
      [{ nullClass: true }, 'nullClass: wanted numClasses beside it'],
      [{ codeCondition: null }, 'codeCondition: wanted an object'],
      [{ codeCondition: { ...CODES, levels: 1 } }, 'codeCondition: levels: wanted an integer of at least 2, got 1'],
      [{ codeCondition: { ...CODES, shape: [3, 2] } }, 'codeCondition: shape: wanted [h, w] that divide those of the image, [4, 4], got [3, 2]'],
      [{ codeCondition: { ...CODES, shape: [2] } }, 'codeCondition: shape: wanted [h, w], got [2]'],
      [{ codeCondition: { ...CODES, shape: [2, 2, 1] } }, 'codeCondition: shape: wanted [h, w], got [2, 2, 1]'],
      [{ codeCondition: CODES, imageShape: [null, 4, 1] }, 'codeCondition: shape: wanted an imageShape whose height and width are known'],
      [{ codeCondition: { ...CODES, resBlocks: -1 } }, 'codeCondition: resBlocks: wanted an integer from 0 to 1000'],
      [{ codeCondition: { ...CODES, resFilters: 0 } }, 'codeCondition: resFilters: wanted an integer of at least 1'],
      [{ codeCondition: { ...CODES, kernelSize: 2 } }, 'codeCondition: kernelSize: wanted an odd integer'],
    ];
    for (const [args, message] of rows) expect(wrong(args), message).toThrow(`pixelSNAIL: ${message}`);
    const model = build({ codeCondition: CODES, numClasses: 2 });
    const images = someLevels([2, 4, 4, 1], 4);
    const given = (condition: object) => logProb(model, images, { condition: condition as never });
    await expect(given({ class: 1, codes: { data: [0, 1, 2, 3, 0, 1, 2, 0], shape: [2, 2, 2] } })).rejects.toThrow('condition.codes: wanted an integer from 0 to 2, got 3'); // biome-ignore format: one line
    await expect(given({ class: 1, codes: someCodes(1) })).rejects.toThrow('condition.codes: wanted codes of shape [2,2,2], got [1, 2, 2]'); // biome-ignore format: one line
    await expect(given({ class: 1 })).rejects.toThrow('condition.codes: wanted codes of shape [2,2,2]');
    await expect(given({ class: 1, code: someCodes(2) })).rejects.toThrow("unknown option 'code': did you mean codes?"); // biome-ignore format: one line
    images.dispose();
    model.dispose();
  });
});
