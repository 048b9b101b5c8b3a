import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  AutoregressiveModel,
  autoregressiveModel,
  bitsPerDim,
  checkCausality,
  type GatedPixelCNNArgs,
  type GatedStacks,
  gatedPixelCNN,
  gatedPixelCNNBlock,
  logProb,
  type MaskType,
  maskedConv2d,
  normalize,
  pixelCNN,
  pixelLogits,
  receptiveField,
} from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { saveAndLoad } from '../support/memory-file';
import { grid, noiseWeights, type SlowCondition, type SlowWeight, slowGated } from '../support/slow-gated';
import {
  expectClose,
  expectCloseRelative,
  expectNoLeaks,
  largestDifference,
  noise,
  take,
  weightGradients,
} from '../support/tensors';
import { allTinyImages } from '../support/tiny-space';

type Symbolic = tfl.SymbolicTensor;
type ImageShape = [number, number, number];

const kinds = ['none', 'class', 'vector', 'map'] as const;
type Kind = (typeof kinds)[number];

/** Several conditions at once, in the order of the model's inputs. */
const several = ['class+vector', 'class+map', 'vector+map', 'class+vector+map'] as const;
type Kinds = Kind | (typeof several)[number];
const partsOf = (kind: Kinds) => kind.split('+') as Kind[];

/** Classes, or numbers of a condition. */
const K = 3;
const argsOf: Record<Kind, Partial<GatedPixelCNNArgs>> = {
  none: {},
  class: { numClasses: K },
  vector: { conditionSize: K },
  map: { conditionMapSize: K },
};

function build(
  kind: Kinds,
  imageShape: ImageShape,
  args: Partial<GatedPixelCNNArgs> = {},
): AutoregressiveModel {
  const sizes = { levels: 3, hiddenDim: 2, outDim: 2, numBlocks: 1, firstKernelSize: 3 };
  const conditions = Object.assign({}, ...partsOf(kind).map((part) => argsOf[part]));
  return gatedPixelCNN({ imageShape, ...sizes, ...conditions, ...args });
}

/** Gives a model weights in [-scale, scale). */
function setNoise(model: tfl.LayersModel, seed = 1, scale = 0.8): SlowWeight[] {
  const drawn = noiseWeights(model.getWeights().map(({ shape }) => shape), scale, seed); // biome-ignore format: one line
  const weights = drawn.map((weight, i) => ({ ...weight, name: model.weights[i]?.originalName ?? '' }));
  const tensors = weights.map(({ shape, data }) => tf.tensor(data as Float32Array, [...shape]));
  model.setWeights(tensors);
  tf.dispose(tensors);
  return weights;
}

/** So many conditions as a model takes them, and each in plain numbers; null for none. */
function conditionsOf(
  kind: Kind,
  n: number,
  [h, w]: ImageShape,
): { tensor: tf.Tensor; slow: SlowCondition[] } | null {
  if (kind === 'none') return null;
  if (kind === 'class') {
    const classes = Array.from({ length: n }, (_, i) => (2 * i + 1) % K);
    const slow = classes.map((label) => Array.from({ length: K }, (_, k) => (k === label ? 1 : 0)));
    return { tensor: tf.tensor2d(classes, [n, 1], 'int32'), slow };
  }
  const shape = kind === 'vector' ? [K] : [h, w, K];
  const size = shape.reduce((a, b) => a * b);
  const values = noise(n * size, 77);
  const slow = Array.from({ length: n }, (_, i) => {
    const one = values.subarray(i * size, (i + 1) * size);
    return kind === 'vector' ? Array.from(one) : grid(one, [h, w, K]);
  });
  return { tensor: tf.tensor(values, [n, ...shape]), slow };
}

/** The same of several conditions, of each its own. */
const allConditionsOf = (kind: Kinds, n: number, imageShape: ImageShape) =>
  partsOf(kind).flatMap((part) => conditionsOf(part, n, imageShape) ?? []);

/** A model of a kind, images and conditions, and the logits of given weights by the slow implementation. */
function scene(kind: Kinds, imageShape: ImageShape, numBlocks: number) {
  const n = 2;
  const model = build(kind, imageShape, { numBlocks, kernelSize: [3, 5] });
  const weights = setNoise(model, 5);
  const size = imageShape.reduce((a, b) => a * b);
  const values = noise(n * size, 9).map((x) => (x + 1) / 2);
  const images = tf.tensor4d(values, [n, ...imageShape]);
  const conditions = allConditionsOf(kind, n, imageShape);
  const slow = (given: readonly SlowWeight[]) =>
    Array.from({ length: n }, (_, i) => {
      const image = grid(values.subarray(i * size, (i + 1) * size), imageShape);
      const args = { imageChannels: imageShape[2], numBlocks };
      return slowGated(image, conditions.map((one) => one.slow[i] as SlowCondition), given, args); // biome-ignore format: one line
    }).flat();
  const x = conditions.length === 0 ? images : [images, ...conditions.map(({ tensor }) => tensor)];
  const dispose = () => {
    tf.dispose(x);
    model.dispose();
  };
  return { model, x, weights, slow, dispose };
}

/** Central differences of sum(logits * g) with regard to every weight, in float64. */
function slopes({ weights, slow }: ReturnType<typeof scene>, g: Float32Array): number[][] {
  const step = 1e-5;
  const exact = weights.map((weight) => ({ ...weight, data: Float64Array.from(weight.data) }));
  const scalar = () => slow(exact).reduce((sum, logit, i) => sum + logit * (g[i] as number), 0);
  return exact.map(({ data }) =>
    Array.from(data, (value, i) => {
      const [above, below] = [value + step, value - step].map((moved) => {
        data[i] = moved;
        return scalar();
      }) as [number, number];
      data[i] = value;
      return (above - below) / (2 * step);
    }),
  );
}

/** Images [n, ...imageShape] of three levels, as labels and as inputs. */
function levelsOf(n: number, imageShape: ImageShape): { labels: tf.Tensor4D; xs: tf.Tensor4D } {
  const size = imageShape.reduce((a, b) => a * b, n);
  const values = Array.from({ length: size }, (_, i) => (i * i + 2 * i) % 3);
  const labels = tf.tensor4d(values, [n, ...imageShape], 'int32');
  return { labels, xs: normalize(labels, 3) };
}

/** Slopes by scene: no backend has a part in them, so they are computed once. */
const memory = new Map<string, number[][]>();

onEachBackend('gatedPixelCNN', (backend) => {
  const scenes: [Kinds, ImageShape, number][] = [
    ['none', [3, 4, 1], 2],
    ['class', [3, 3, 2], 1],
    ['vector', [2, 4, 3], 1],
    ['map', [4, 3, 1], 1],
    ['class+vector+map', [2, 3, 2], 1],
    ...several.slice(0, 3).map((kind): [Kinds, ImageShape, number] => [kind, [3, 2, 2], 1]),
    ...kinds.flatMap((kind) => [1, 2, 3].map((c): [Kind, ImageShape, number] => [kind, [3, 2, c], 2])),
  ];
  it.each(isGpu(backend) ? scenes.slice(2, 5) : scenes)(
    'equals loops in plain numbers: condition %s, images %j, %i blocks',
    async (...args) => {
      const { model, x, weights, slow, dispose } = scene(...args);
      const logits = model.predict(x) as tf.Tensor;
      expect(logits.shape).toEqual([2, ...args[1], 3]);
      expectClose(await take(logits), slow(weights), 2e-5);
      dispose();
    },
  );

  const isBrowser = typeof window !== 'undefined'; // where plain numbers take long
  it.skipIf(isGpu(backend)).each(scenes.slice(0, isBrowser ? 1 : 5))(
    'has the gradients of loops in plain numbers for every weight: condition %s, images %j, %i blocks',
    async (...args) => {
      const one = scene(...args);
      const { model, x, dispose } = one;
      const g = noise(2 * args[1].reduce((a, b) => a * b) * 3, 4);
      const key = JSON.stringify(args);
      const expected = memory.get(key) ?? slopes(one, g);
      memory.set(key, expected);
      const gradients = weightGradients(model, () =>
        tf.sum(tf.mul(model.apply(x) as tf.Tensor, tf.tensor(g, [2, ...args[1], 3]))),
      );
      expect(gradients).toHaveLength(expected.length);
      for (const [i, slope] of expected.entries()) {
        expect(slope.some((value) => value !== 0)).toBe(true);
        expectCloseRelative(await take(gradients[i] as tf.Tensor), slope, 2e-4);
      }
      dispose();
    },
  );

  it.each(isGpu(backend) ? [2] : [1, 2, 3, 4])(
    'is causal whatever it is conditioned on, %i channels',
    async (c) => {
      for (const kind of isGpu(backend) ? (['class'] as const) : [...kinds, ...several.slice(1)]) {
        const model = build(kind, isGpu(backend) ? [2, 2, c] : [3, 3, c], { kernelSize: [1, 3] });
        setNoise(model);
        expect(await checkCausality(model, { inputs: 'all' })).toEqual({ causal: true, leaks: [] });
        model.dispose();
      }
    },
  );

  it('gives all images of a tiny space the probability 1, for each class', async () => {
    const flat = allTinyImages();
    const shapes: ImageShape[] = [
      [1, 2, 2],
      [2, 2, 1],
    ];
    for (const shape of isGpu(backend) ? shapes.slice(0, 1) : shapes) {
      const images: tf.Tensor4D = tf.reshape(flat, [81, ...shape]);
      const model = build('class', shape);
      setNoise(model, 1, 2);
      const all: number[][] = [];
      for (let condition = 0; condition < K; condition++) {
        const nats = await take(await logProb(model, images, { condition, batchSize: 27 }));
        const probabilities = nats.map(Math.exp);
        expect(Math.abs(probabilities.reduce((a, b) => a + b) - 1)).toBeLessThan(1e-5);
        expect(Math.max(...probabilities)).toBeGreaterThan(2 / 81); // not the uniform model
        all.push(probabilities);
      }
      expect(largestDifference(all[0] as number[], all[1] as number[])).toBeGreaterThan(0.01); // the class counts
      images.dispose();
      model.dispose();
    }
    flat.dispose();
  });

  it('gives all images of a tiny space the probability 1, for each class, vector and map together', async () => {
    const images = allTinyImages();
    const model = build('class+vector+map', [2, 2, 1]);
    setNoise(model, 3, 2);
    const all: number[][] = [];
    for (let scene = 0; scene < (isGpu(backend) ? 1 : 3); scene++) {
      const vector = tf.tile(tf.tensor2d(noise(K, scene), [1, K]), [81, 1]); // [81,K]
      const map = tf.tile(tf.tensor4d(noise(4 * K, 9 + scene), [1, 2, 2, K]), [81, 1, 1, 1]); // [81,2,2,K]
      const nats = await take(await logProb(model, images, { condition: { map, class: scene, vector }, batchSize: 27 })); // biome-ignore format: one line
      const probabilities = nats.map(Math.exp);
      expect(Math.abs(probabilities.reduce((a, b) => a + b) - 1)).toBeLessThan(1e-5);
      expect(Math.max(...probabilities)).toBeGreaterThan(2 / 81);
      for (const other of all) expect(largestDifference(other, probabilities)).toBeGreaterThan(0.01);
      all.push(probabilities);
      tf.dispose([vector, map]);
    }
    images.dispose();
    model.dispose();
  });

  it('learns: steps of fit and trainOnBatch lower the loss', async () => {
    const shape: ImageShape = [3, 3, 2];
    const { labels, xs } = levelsOf(6, shape);
    for (const kind of isGpu(backend) ? (['vector'] as const) : kinds) {
      const model = build(kind, shape);
      setNoise(model);
      const optimizer = tf.train.sgd(0.1);
      model.compile({ optimizer, loss: bitsPerDim });
      const tensor = conditionsOf(kind, 6, shape)?.tensor;
      const x = tensor === undefined ? xs : [xs, tensor];
      const loss = async () => (await take(model.evaluate(x, labels) as tf.Scalar))[0] as number;
      const losses = [await loss()];
      await model.trainOnBatch(x, labels);
      losses.push(await loss());
      const batchSize = isGpu(backend) ? 6 : 3;
      await model.fit(x, labels, { epochs: 1, batchSize, shuffle: false, verbose: 0 });
      losses.push(await loss());
      expect(losses).toEqual([...losses].sort((a, b) => b - a));
      expect(new Set(losses).size).toBe(3);
      tf.dispose(tensor);
      model.dispose();
      optimizer.dispose();
    }
    tf.dispose([labels, xs]);
  });

  it('leaves no tensor behind when trained, used and disposed', async () => {
    for (const kind of isGpu(backend) ? (['map'] as const) : kinds) {
      await expectNoLeaks(async () => {
        const model = build(kind, [3, 3, 2], { dropout: 0.5 });
        model.compile({ optimizer: 'adam', loss: bitsPerDim });
        const { labels, xs } = levelsOf(2, [3, 3, 2]);
        const condition = conditionsOf(kind, 2, [3, 3, 2])?.tensor;
        const given = condition === undefined ? {} : { condition };
        await model.trainOnBatch(condition === undefined ? xs : [xs, condition], labels);
        await model.fit(xs, labels, { epochs: 1, verbose: 0, ...given });
        const loss = model.evaluate(xs, labels, given);
        const nats = await logProb(model, labels, given);
        model.dispose();
        return [labels, xs, condition ?? [], loss, nats];
      });
    }
  });

  it.each(isGpu(backend) ? [1] : [1, 2, 3])(
    'has no blind spot, unlike pixelCNN: %i blocks',
    async (numBlocks) => {
      const radius = 1 + numBlocks; // of all kernels, 3 each
      const [height, width] = [radius + 2, 2 * radius + 3]; // one ring more than the window
      const imageShape: ImageShape = [height, width, 1];
      const args = { imageShape, levels: 2, hiddenDim: 2, outDim: 4, numBlocks, firstKernelSize: 3 };
      const fieldOf = async (model: AutoregressiveModel) => {
        // Above 0, so that no ReLU hides what a unit sees, and small, so that no gate is where it hardly moves.
        const weights = model.getWeights().map(({ shape }) => tf.fill(shape, shape.length === 4 ? 0.2 : 0));
        model.setWeights(weights);
        tf.dispose(weights);
        const field = await receptiveField(model, { row: radius + 1, column: radius + 1 });
        model.dispose();
        return field;
      };
      const window = { top: 1, left: 1, right: 2 * radius + 1 };
      const gated = await fieldOf(gatedPixelCNN(args));
      expect(gated.window).toEqual(window);
      expect(gated.blindSpot).toEqual([]);
      expect(gated.seen).toHaveLength(radius * (2 * radius + 1) + radius);
      const plain = await fieldOf(pixelCNN(args));
      expect(plain.window).toEqual(window);
      expect(plain.blindSpot).toHaveLength((numBlocks * (numBlocks + 1)) / 2);
    },
  );
});

describe('gatedPixelCNN', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it('has the layers and weights of its docstring', () => {
    const model = gatedPixelCNN({ imageShape: [8, 8, 3], levels: 4, hiddenDim: 2, outDim: 5, numBlocks: 2, numClasses: 10, name: 'gated' }); // biome-ignore format: one line
    const block = (index: number, rows: number, columns: number, featuresIn: number) => ({
      [`block${index}_vertical/kernel`]: [rows, columns, featuresIn, 12],
      [`block${index}_vertical/bias`]: [12],
      [`block${index}_horizontal/kernel`]: [1, columns, featuresIn, 12],
      [`block${index}_horizontal/bias`]: [12],
      [`block${index}_across/kernel`]: [1, 1, 12, 12],
      [`block${index}_horizontal_gate/condition_kernel`]: [1, 1, 10, 12],
      [`block${index}_out/kernel`]: [1, 1, 6, 6],
      [`block${index}_out/bias`]: [6],
      // of the last block nobody reads the vertical stack
      ...(index < 2 && { [`block${index}_vertical_gate/condition_kernel`]: [1, 1, 10, 12] }),
    });
    const head = {
      'output_conv1/kernel': [1, 1, 6, 15],
      'output_conv1/bias': [15],
      'output_conv2/kernel': [1, 1, 15, 15],
      'output_conv2/bias': [15],
      'final_conv/kernel': [1, 1, 15, 12],
      'final_conv/bias': [12],
    };
    const shapes = Object.fromEntries(model.weights.map(({ originalName, shape }) => [originalName, shape]));
    expect(shapes).toEqual({ ...block(0, 7, 7, 3), ...block(1, 3, 3, 6), ...block(2, 3, 3, 6), ...head });
    expect(model.name).toBe('gated');
    expect([model.imageShape, model.levels]).toEqual([[8, 8, 3], 4]);
    expect(model.outputs[0]?.shape).toEqual([null, 8, 8, 3, 4]);
    expect(model.inputNames).toEqual(['image', 'condition']);
    model.dispose();
  });

  it('tells what it is conditioned on', () => {
    const conditions = kinds.map((kind) => build(kind, [2, 2, 1]).condition);
    expect(conditions).toEqual([
      null,
      { kind: 'class', numClasses: K },
      { kind: 'vector', size: K },
      { kind: 'map', size: K },
    ]);
  });

  it('has a projection of each of several conditions, in the order class, vector, map', () => {
    const model = build('class+vector+map', [2, 2, 1], { conditionSize: 4, conditionMapSize: 5 });
    expect(model.condition).toBeNull(); // none is the one
    expect(model.conditions).toEqual([
      { kind: 'class', numClasses: K },
      { kind: 'vector', size: 4 },
      { kind: 'map', size: 5 },
    ]);
    expect(model.inputNames).toEqual(['image', 'class', 'vector', 'map']);
    const weights = model.weights.filter(({ name }) => name.startsWith('block1_horizontal_gate/'));
    expect(weights.map(({ originalName, shape }) => [originalName?.split('/')[1], shape])).toEqual([
      ['condition_kernel', [1, 1, K, 4]],
      ['condition2_kernel', [1, 1, 4, 4]],
      ['condition3_kernel', [1, 1, 5, 4]],
    ]);
    model.dispose();
  });

  it('may be made many times with several conditions', () => {
    // tfjs makes names unique by _1, _2, ..., and refuses those that are there
    const models = Array.from({ length: 5 }, () => build('class+vector+map', [2, 2, 1], { numBlocks: 0 }));
    for (const model of models) model.dispose();
  });

  it('has a null class, one more than there are classes', async () => {
    const model = build('class', [2, 2, 1], { nullClass: true });
    setNoise(model, 1, 2);
    expect(model.condition).toEqual({ kind: 'class', numClasses: K, nullClass: true });
    const kernel = model.weights.find(({ name }) => name.startsWith('block0_horizontal_gate/'));
    expect(kernel?.shape).toEqual([1, 1, K + 1, 4]);
    const { labels } = levelsOf(1, [2, 2, 1]);
    const nats = await Promise.all([0, 1, 2, 3].map(async (condition) => take(await logProb(model, labels, { condition })))); // biome-ignore format: one line
    expect(new Set(nats.flat()).size).toBe(K + 1); // each is another
    await expect(logProb(model, labels, { condition: K + 1 })).rejects.toThrow(
      'logProb: condition: wanted an integer from 0 to 3, got 4',
    );
    const loaded = (await saveAndLoad(model)) as AutoregressiveModel;
    expect(loaded.conditions).toEqual(model.conditions);
    expect(await take(await logProb(loaded, labels, { condition: K }))).toEqual(nats[K]);
    labels.dispose();
    for (const m of [model, loaded]) m.dispose();
  });

  it('takes images of any size where height and width are null', async () => {
    for (const kind of [...kinds, 'class+map', 'class+vector+map'] as const) {
      const model = build(kind, [null, null, 2] as never);
      expect(model.imageShape).toEqual([null, null, 2]);
      for (const shape of [
        [1, 1, 2],
        [3, 5, 2],
      ] as ImageShape[]) {
        const { labels, xs } = levelsOf(2, shape);
        const tensors = allConditionsOf(kind, 2, shape).map(({ tensor }) => tensor);
        const logits = model.predict(tensors.length === 0 ? xs : [xs, ...tensors]);
        expect(logits.shape).toEqual([2, ...shape, 3]);
        const byName = Object.fromEntries(tensors.map((tensor, i) => [partsOf(kind)[i], tensor]));
        const nats = await logProb(model, labels, tensors.length === 0 ? {} : { condition: byName });
        expect((await take(nats)).every(Number.isFinite)).toBe(true);
        tf.dispose([labels, xs, tensors, logits]);
      }
      expect((await checkCausality(model, { inputs: 'all', imageShape: [2, 3, 2] })).causal).toBe(true);
      model.dispose();
    }
  });

  it('is found out, and the block named, where a mask is wrong', async () => {
    const compose = (imageChannels: number, masks: MaskType[], conditionSize?: number) => {
      const image = tfl.input({ shape: [3, 3, imageChannels] });
      const condition = conditionSize === undefined ? undefined : tfl.input({ shape: [conditionSize] });
      let stacks: GatedStacks = { vertical: image, horizontal: image };
      for (const [i, maskType] of masks.entries()) {
        const filters = i === 0 && maskType === 'B' ? imageChannels : 2 * imageChannels; // with mask B, those of the input
        const args = { name: `block${i}`, filters, maskType, imageChannels, ...(condition && { condition }) };
        stacks = gatedPixelCNNBlock(stacks, args);
        if (filters === imageChannels) {
          const wider = maskedConv2d({ name: `wider${i}`, filters: 2 * imageChannels, kernelSize: 1, imageChannels }); // biome-ignore format: one line
          stacks.horizontal = wider.apply(stacks.horizontal) as Symbolic;
        }
      }
      const logits = pixelLogits({ imageChannels, levels: 2 }).apply(stacks.horizontal) as Symbolic;
      return autoregressiveModel({ inputs: [image, ...(condition ? [condition] : [])], outputs: logits });
    };
    for (const imageChannels of [1, 2, 3]) {
      for (const size of [undefined, 2]) {
        const [whole, broken] = [compose(imageChannels, ['A', 'B', 'B'], size), compose(imageChannels, ['B', 'B'], size)]; // biome-ignore format: one line
        for (const model of [whole, broken]) setNoise(model);
        expect(await checkCausality(whole, { inputs: 'all' })).toEqual({ causal: true, leaks: [] });
        const { causal, leaks, layer } = await checkCausality(broken, { inputs: 'all' });
        expect(causal).toBe(false);
        expect(layer).toMatch(/^block0_/);
        // Each value sees itself, by the residual, and pixels that come later in its row, by the vertical stack.
        const has = (output: number[], input: number[]) =>
          leaks.some((leak) => String([leak.output, leak.input]) === String([output, input]));
        expect(has([1, 1, 0], [1, 1, 0])).toBe(true);
        expect(has([1, 1, 0], [1, 2, 0])).toBe(true);
        expect(leaks.every(({ output, input }) => output[0] === input[0])).toBe(true);
        for (const model of [whole, broken]) model.dispose();
      }
    }
  });

  it('names a block that mixes channels', async () => {
    const image = tfl.input({ shape: [2, 3, 2] });
    const stacks = { vertical: image, horizontal: image };
    const first = gatedPixelCNNBlock(stacks, { name: 'first', filters: 4, imageChannels: 2, maskType: 'A' });
    const { horizontal: h } = gatedPixelCNNBlock(first, { name: 'mixing', filters: 4, imageChannels: 1, isLast: true }); // biome-ignore format: one line
    const logits = pixelLogits({ imageChannels: 2, levels: 2 }).apply(h) as Symbolic;
    const model = autoregressiveModel({ inputs: image, outputs: logits });
    setNoise(model);
    expect(await checkCausality(model, { inputs: 'all' })).toMatchObject({
      causal: false,
      layer: 'mixing_horizontal',
    });
    model.dispose();
  });

  it.each(['class', 'vector', 'map'] as const)(
    'fits and evaluates with `condition` as with two inputs: %s',
    async (kind) => {
      const shape: ImageShape = [2, 3, 1];
      const n = 6;
      const { labels, xs } = levelsOf(n, shape);
      const { tensor } = conditionsOf(kind, n, shape) as { tensor: tf.Tensor };
      const train = async (how: 'inputs' | 'tensor' | 'numbers') => {
        const model = build(kind, shape);
        setNoise(model);
        const optimizer = tf.train.sgd(0.1);
        model.compile({ optimizer, loss: bitsPerDim });
        const options = { epochs: 2, batchSize: 4, shuffle: false, verbose: 0 } as const;
        const condition = how === 'numbers' ? Array.from(await tensor.data()) : tensor;
        const { history } =
          how === 'inputs'
            ? await model.fit([xs, tensor], labels, options)
            : await model.fit(xs, labels, { ...options, condition });
        const loss =
          how === 'inputs'
            ? model.evaluate([xs, tensor], labels, { batchSize: 4 })
            : model.evaluate(xs, labels, { batchSize: 4, condition });
        const weights = await Promise.all(
          model.getWeights().map(async (weight) => Array.from(await weight.data())),
        );
        model.dispose();
        optimizer.dispose();
        return { losses: history['loss'], loss: await take(loss as tf.Scalar), weights };
      };
      const expected = await train('inputs');
      expect(expected.losses?.[1]).toBeLessThan(expected.losses?.[0] as number);
      expect(await train('tensor')).toEqual(expected);
      if (kind === 'class') expect(await train('numbers')).toEqual(expected);
      expect(tensor.isDisposed).toBe(false);
      tf.dispose([labels, xs, tensor]);
    },
  );

  it('fits, evaluates and predicts with several conditions by name as with as many inputs', async () => {
    const shape: ImageShape = [2, 3, 1];
    const { labels, xs } = levelsOf(6, shape);
    const [classes, vector, map] = allConditionsOf('class+vector+map', 6, shape).map(({ tensor }) => tensor) as [tf.Tensor, tf.Tensor, tf.Tensor]; // biome-ignore format: one line
    const train = async (byName: boolean) => {
      const model = build('class+vector+map', shape, { seed: 1 });
      const optimizer = tf.train.sgd(0.1);
      model.compile({ optimizer, loss: bitsPerDim, checkLabels: true });
      const options = { epochs: 2, batchSize: 4, shuffle: false, verbose: 0 } as const;
      const condition = { map, vector, class: Array.from(await classes.data()) };
      const x = [xs, classes, vector, map];
      const { history } = byName
        ? await model.fit(xs, labels, { ...options, condition })
        : await model.fit(x, labels, options);
      const loss = byName ? model.evaluate(xs, labels, { condition }) : model.evaluate(x, labels);
      const logits = byName ? model.predict(xs, { condition }) : model.predict(x);
      const figures = [history['loss'], await take(loss as tf.Scalar), await take(logits)];
      model.dispose();
      optimizer.dispose();
      return figures;
    };
    await expectNoLeaks(async () => {
      expect(await train(true)).toEqual(await train(false));
    });
    tf.dispose([labels, xs, classes, vector, map]);
  });

  it('names which of several conditions is wrong, and leaves no tensor behind', async () => {
    const model = build('class+map', [2, 2, 1]);
    model.compile({ optimizer: 'sgd', loss: bitsPerDim, checkLabels: true });
    const { labels, xs } = levelsOf(2, [2, 2, 1]);
    const [map, small, nan] = [tf.zeros([2, 2, 2, K]), tf.zeros([2, K]), tf.fill([2, 2, 2, K], Number.NaN)];
    await expectNoLeaks(async () => {
      for (const [condition, message] of [
        [
          undefined,
          'condition: wanted { class, map }, since the model takes them, or [images, class, map] for x, got undefined',
        ],
        [1, 'condition: wanted { class, map }, since the model takes them, got 1'],
        [map, 'condition: wanted { class, map }, since the model takes them, got'],
        [{ class: 1 }, 'condition.map: wanted numbers of shape [2,2,2,3], as { data, shape }, got undefined'],
        [{ map }, 'condition.class: wanted a class from 0 to 2, or 2 of them, got undefined'],
        [{ map: small, class: 1 }, 'condition.map: wanted numbers of shape [2,2,2,3], got [2, 3]'],
        [{ map, class: 3 }, 'condition.class: wanted an integer from 0 to 2, got 3'],
        [{ map, clas: 1 }, "condition: unknown option 'clas': did you mean class?"],
        [{ map, class: 1, vector: small }, "condition: unknown option 'vector': there are class, map"],
      ] as [never, string][]) {
        expect(() => model.evaluate(xs, labels, { condition })).toThrow(`evaluate: ${message}`);
        expect(() => model.predict(xs, { condition })).toThrow(`predict: ${message}`);
        await expect(model.fit(xs, labels, { condition, verbose: 0 })).rejects.toThrow(`fit: ${message}`);
      }
      await expect(model.fit(xs, labels, { condition: { class: 1, map: nan } })).rejects.toThrow('fit: condition.map: wanted finite numbers, got NaN'); // biome-ignore format: one line
      const wrong = tf.tensor2d([[0], [3]]);
      await expect(model.trainOnBatch([xs, wrong, map], labels)).rejects.toThrow('trainOnBatch: condition.class: wanted an integer from 0 to 2, got 3'); // biome-ignore format: one line
      const one = tf.zeros([1, 1]);
      expect(() => model.evaluate([xs, one, map], labels)).toThrow('evaluate: x: wanted 2 conditions, as many as images, got 1'); // biome-ignore format: one line
      return [wrong, one];
    });
    tf.dispose([labels, xs, map, small, nan]);
    model.dispose();
  });

  it('drops features in training only', async () => {
    const shape: ImageShape = [3, 3, 2];
    const { labels, xs } = levelsOf(6, shape);
    const dropping = build('none', shape, { hiddenDim: 20, outDim: 20, dropout: 0.5 });
    const whole = build('none', shape, { hiddenDim: 20, outDim: 20 });
    setNoise(dropping);
    setNoise(whole);
    const logits = async (model: AutoregressiveModel, training: boolean) =>
      take(model.apply(xs, { training }) as tf.Tensor);
    expect(await logits(whole, true)).toEqual(await logits(whole, false));
    expect(await logits(dropping, false)).toEqual(await logits(whole, false));
    // 6 * 9 * 2 * 20 features of each block, that all are kept has a probability of 2^-2160
    expect(await logits(dropping, true)).not.toEqual(await logits(whole, true));
    dropping.compile({ optimizer: 'sgd', loss: bitsPerDim });
    const before = await Promise.all(dropping.getWeights().map(async (weight) => Array.from(await weight.data()))); // biome-ignore format: one line
    expect(await dropping.trainOnBatch(xs, labels)).toBeGreaterThan(0);
    for (const [i, weight] of dropping.getWeights().entries()) {
      const after = Array.from(await weight.data());
      expect(after.every(Number.isFinite)).toBe(true);
      expect(after).not.toEqual(before[i]);
    }
    tf.dispose([labels, xs]);
    for (const model of [dropping, whole]) model.dispose();
  });

  it('fits with one class for all, with a part held out, and with nothing else said', async () => {
    const model = build('class', [2, 2, 1]);
    setNoise(model, 1, 2);
    model.compile({ optimizer: 'sgd', loss: bitsPerDim });
    const { labels, xs } = levelsOf(8, [2, 2, 1]);
    const [trained, held] = [
      [0, 6],
      [6, 2],
    ].map(([start, size]) => [xs, labels].map((all) => tf.slice(all, start as number, size as number))) as [
      [tf.Tensor4D, tf.Tensor4D],
      [tf.Tensor4D, tf.Tensor4D],
    ];
    const lossOf = async (part: [tf.Tensor4D, tf.Tensor4D], condition: number | number[]) =>
      (await take(model.evaluate(...part, { condition }) as tf.Scalar))[0] as number;
    const before = await lossOf(trained, 1);
    const { history } = await model.fit(xs, labels, {
      condition: 1,
      validationSplit: 0.25,
      epochs: 1,
      verbose: 0,
    });
    expect(Object.keys(history)).toEqual(['val_loss', 'loss']);
    expect(history['loss']?.[0]).toBeCloseTo(before, 5); // one batch of the six: its loss is that of the weights before
    expect(history['val_loss']?.[0]).toBeCloseTo(await lossOf(held, 1), 5); // of the weights after
    expect(await lossOf(held, 1)).toBe(await lossOf(held, [1, 1]));
    expect(Math.abs((await lossOf(held, 1)) - (await lossOf(held, 0)))).toBeGreaterThan(1e-3); // the class counts
    expect(await lossOf(trained, 1)).toBeLessThan(before - 1e-4);
    tf.dispose([labels, xs, trained, held]);
    model.dispose();

    const plain = build('none', [2, 2, 1]);
    setNoise(plain);
    plain.compile({ optimizer: 'sgd', loss: bitsPerDim });
    const images = levelsOf(2, [2, 2, 1]);
    const loss = plain.evaluate(images.xs, images.labels) as tf.Scalar;
    const fitted = await plain.fit(images.xs, images.labels, { verbose: 0 });
    expect(fitted.history['loss']?.[0]).toBeCloseTo((await take(loss))[0] as number, 5);
    tf.dispose([images.xs, images.labels]);
    plain.dispose();
  });

  it('goes on training, once saved and loaded, exactly as if it had not been', async () => {
    const model = build('class', [2, 3, 2]);
    const optimizer = tf.train.adam(1e-2, 0.9, 0.999, 1e-7);
    model.compile({ optimizer, loss: bitsPerDim });
    const { labels, xs } = levelsOf(4, [2, 3, 2]);
    const { tensor } = conditionsOf('class', 4, [2, 3, 2]) as { tensor: tf.Tensor };
    const steps = async (m: tfl.LayersModel) => {
      const losses: unknown[] = [];
      for (let step = 0; step < 10; step++) losses.push(await m.trainOnBatch([xs, tensor], labels));
      return losses;
    };
    await steps(model);
    const loaded = await saveAndLoad(model, { includeOptimizer: true });
    expect(await steps(loaded)).toEqual(await steps(model)); // to the last bit
    tf.dispose([labels, xs, tensor]);
    for (const m of [model, loaded]) m.dispose();
    optimizer.dispose();
  });

  it('names what is wrong with a condition, and leaves no tensor behind', async () => {
    const { labels, xs } = levelsOf(2, [2, 2, 1]);
    for (const kind of kinds) {
      const model = build(kind, [2, 2, 1]);
      model.compile({ optimizer: 'sgd', loss: bitsPerDim });
      const wrong = tf.zeros([2, 7]);
      await expectNoLeaks(async () => {
        await expect(model.fit(xs, labels, { condition: wrong, verbose: 0 })).rejects.toThrow('fit: condition: wanted'); // biome-ignore format: one line
        expect(() => model.evaluate(xs, labels, { condition: wrong })).toThrow('evaluate: condition: wanted');
        const both = [xs, wrong];
        await expect(model.fit(both, labels, { condition: wrong })).rejects.toThrow(
          'fit: x: wanted a tensor of images',
        );
        expect(() => model.evaluate(both, labels, { condition: wrong })).toThrow(
          'evaluate: x: wanted a tensor',
        );
        if (kind === 'class') {
          await expect(model.fit(xs, labels, { condition: [0, 3] })).rejects.toThrow('fit: condition: wanted an integer from 0 to 2, got 3'); // biome-ignore format: one line
          await expect(model.fit(xs, labels, { condition: [0] })).rejects.toThrow(
            'a class from 0 to 2, or 2 of them',
          );
          expect(() => model.evaluate(xs, labels, { condition: 3 })).toThrow('evaluate: condition: wanted an integer from 0 to 2, got 3'); // biome-ignore format: one line
        }
      });
      wrong.dispose();
      model.dispose();
    }
    tf.dispose([labels, xs]);
  });

  it.skipIf(typeof window !== 'undefined')(
    'comes back from a file with its logits and what it is conditioned on',
    async () => {
      const { fileSystem } = await import('pixelcnn-layers/node');
      const { mkdtemp, rm } = await import('node:fs/promises');
      const { tmpdir } = await import('node:os');
      const directory = await mkdtemp(`${tmpdir()}/pixelcnn-gated-`);
      for (const kind of [...kinds, 'class+map', 'class+vector+map'] as const) {
        const { model, x, dispose } = scene(kind, [3, 3, 2], 1);
        await model.save(fileSystem(directory));
        const loaded = (await tfl.loadLayersModel(fileSystem(directory))) as AutoregressiveModel;
        expect(loaded).toBeInstanceOf(AutoregressiveModel);
        expect(loaded.conditions).toEqual(model.conditions);
        expect([loaded.imageShape, loaded.levels]).toEqual([[3, 3, 2], 3]);
        expect(await take(loaded.predict(x) as tf.Tensor)).toEqual(await take(model.predict(x) as tf.Tensor));
        expect(await checkCausality(loaded, { inputs: 'all' })).toEqual({ causal: true, leaks: [] });
        loaded.dispose();
        dispose();
      }
      await rm(directory, { recursive: true });
    },
  );

  it('names what is wrong', async () => {
    const args = { imageShape: [4, 4, 1] as ImageShape, hiddenDim: 2, outDim: 2, numBlocks: 1 };
    const make = (more: object) => () => gatedPixelCNN({ ...args, ...more });
    expect(() => gatedPixelCNN(undefined as never)).toThrow('gatedPixelCNN: wanted an object of arguments');
    await expectNoLeaks(() => {
      expect(make({ imageShape: [4, 4] })).toThrow('gatedPixelCNN: imageShape: wanted [H, W, C]');
      expect(make({ hiddenDim: 0 })).toThrow('gatedPixelCNN: hiddenDim');
      expect(make({ outDim: 1.5 })).toThrow('gatedPixelCNN: outDim');
      expect(make({ numBlocks: -1 })).toThrow('gatedPixelCNN: numBlocks');
      expect(make({ levels: 1 })).toThrow('gatedPixelCNN: levels');
      expect(make({ firstKernelSize: 4 })).toThrow('gatedPixelCNN: firstKernelSize');
      expect(make({ kernelSize: [3, 4], numBlocks: 0 })).toThrow('gatedPixelCNN: kernelSize');
      expect(make({ dropout: 1 })).toThrow('gatedPixelCNN: dropout: wanted a number from 0, below 1, got 1');
      for (const name of ['numClasses', 'conditionSize', 'conditionMapSize']) {
        expect(make({ [name]: 0 })).toThrow(`gatedPixelCNN: ${name}: wanted an integer of at least 1, got 0`);
        expect(make({ [name]: null })).toThrow(`gatedPixelCNN: ${name}`);
      }
      expect(make({ nullClass: true, conditionSize: 2 })).toThrow(
        'gatedPixelCNN: nullClass: wanted numClasses beside it, got true',
      );
      expect(make({ nullClass: 10, numClasses: 10 })).toThrow('gatedPixelCNN: nullClass: wanted true or false, got 10'); // biome-ignore format: one line
    });
  });
});
