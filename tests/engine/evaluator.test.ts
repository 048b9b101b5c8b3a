import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {
  autoregressiveModel,
  gatedActivation,
  gatedPixelCNN,
  gatedPixelCNNBlock,
  type InputEncoding,
  maskedConv2d,
  oneHotClass,
  pixelCNN,
  pixelLogits,
  type SampleOptions,
  sample,
} from 'pixelcnn-layers';
import { describe, expect, it } from 'vitest';
import type { ConditionValues } from '../../src/core/conditions';
import type { KernelWindow } from '../../src/core/window';
import { copyImages, Evaluator, evaluatorFor } from '../../src/engine/evaluator';
import type { Machine } from '../../src/engine/machine';
import { javascriptKernels } from '../../src/kernels/javascript';
import { makeKernels } from '../../src/kernels/webassembly';
import { imageModelShape } from '../../src/models/image-model';
import type { PortableModel } from '../../src/program/program';
import { AFTER_ROW, ONCE } from '../../src/program/readiness';
import { readModel, type TracedModel, trace } from '../../src/tensors/trace';
import { onEachCpuBackend } from '../support/backends';
import { kernelMakers } from '../support/machine';
import { fill } from '../support/random-model';
import { expectNoLeaks, noise, take } from '../support/tensors';
import { expectWarning } from '../support/warnings';

async function bothStrategies(model: tfl.LayersModel, options: SampleOptions): Promise<[number[], number[]]> {
  const incremental = await take(await sample(model, { ...options, strategy: 'incremental' }));
  return [incremental, await take(await sample(model, { ...options, strategy: 'full' }))];
}

/** A graph with branches, skips and every kind of layer covered. */
function branching(channels: number, levels: number): tfl.LayersModel {
  const image = tfl.input({ shape: [4, 5, channels] });
  const conv = (x: tfl.SymbolicTensor, args: Partial<Parameters<typeof maskedConv2d>[0]> = {}) =>
    maskedConv2d({ filters: 3 * channels, kernelSize: 3, imageChannels: channels, ...args }).apply(
      x,
    ) as tfl.SymbolicTensor;
  const apply = (layer: tfl.layers.Layer, x: tfl.SymbolicTensor | tfl.SymbolicTensor[]) =>
    layer.apply(x) as tfl.SymbolicTensor;
  const first = conv(image, { maskType: 'A', kernelSize: [5, 3] });
  const a = apply(tfl.layers.batchNormalization(), conv(first, { activation: 'tanh' }));
  const b = apply(tfl.layers.leakyReLU({ alpha: 0.2 }), conv(first, { kernelSize: [1, 3], useBias: false }));
  const c = apply(tfl.layers.multiply(), [a, apply(tfl.layers.activation({ activation: 'sigmoid' }), b)]);
  const d = apply(tfl.layers.add(), [a, b, apply(tfl.layers.dropout({ rate: 0.5 }), c)]);
  const e = apply(tfl.layers.elu(), conv(d, { activation: 'softsign' }));
  const joined = channels === 1 ? apply(tfl.layers.concatenate(), [d, e]) : apply(tfl.layers.reLU(), e);
  const logits = conv(joined, { filters: levels * channels, kernelSize: 1 });
  return autoregressiveModel({
    inputs: image,
    outputs: pixelLogits({ imageChannels: channels, levels }).apply(logits) as tfl.SymbolicTensor,
  });
}

/** Vertical and horizontal stacks, joined and mixed in every way, conditioned on a vector that layers of tfjs have made more of. */
function stacks(channels: number, levels: number): tfl.LayersModel {
  const image = tfl.input({ shape: [4, 5, channels] });
  const vector = tfl.input({ shape: [2] });
  const apply = (layer: tfl.layers.Layer, ...x: tfl.SymbolicTensor[]) =>
    layer.apply(x.length === 1 ? (x[0] as tfl.SymbolicTensor) : x) as tfl.SymbolicTensor;
  const conv = (args: Partial<Parameters<typeof maskedConv2d>[0]>) =>
    maskedConv2d({ filters: 3 * channels, kernelSize: 3, imageChannels: channels, ...args });
  const embedded = apply(tfl.layers.dense({ units: 5, activation: 'elu' }), vector);
  const condition = apply(tfl.layers.concatenate(), apply(tfl.layers.batchNormalization(), embedded), vector); // [N,7]
  const block = { filters: 5 * channels, imageChannels: channels, skipFilters: 2 * channels, condition };
  const both = { vertical: image, horizontal: image };
  const first = gatedPixelCNNBlock(both, { ...block, kernelSize: [3, 5], maskType: 'A' });
  const scaled = apply(tfl.layers.batchNormalization(), apply(tfl.layers.leakyReLU({ alpha: 0.3 }), first.vertical)); // biome-ignore format: one line
  const normal = apply(tfl.layers.layerNormalization(), apply(tfl.layers.elu(), scaled));
  const added = apply(tfl.layers.add(), scaled, normal); // of rows above only, through functions that kernels have not
  const second = gatedPixelCNNBlock({ ...first, vertical: added }, block);
  const [v2, h2] = [second.vertical, second.horizontal];
  const deeper = apply(conv({ vertical: true, filters: 5 * channels, activation: 'softsign' }), v2);
  const across = apply(conv({ filters: 5 * channels, imageChannels: 1, kernelSize: 3 }), deeper); // a plain window of rows above
  const wide = apply(tfl.layers.dense({ units: 5 * channels }), across);
  const mixed = apply(tfl.layers.multiply(), h2, wide);
  const skips = apply(tfl.layers.add(), first.skip as tfl.SymbolicTensor, second.skip as tfl.SymbolicTensor);
  const joined = channels === 1 ? apply(tfl.layers.concatenate(), deeper, mixed, skips) : apply(tfl.layers.add(), h2, mixed); // biome-ignore format: one line
  const logits = apply(conv({ filters: levels * channels, kernelSize: [1, 3] }), joined);
  const outputs = apply(pixelLogits({ imageChannels: channels, levels }), logits);
  return autoregressiveModel({ inputs: [image, vector], outputs });
}

interface UnshiftedArgs {
  imageShape: [number, number, number];
  /** Of the vertical stack. */
  kernelSizes: readonly [number, number][];
  /** The kernel by which the horizontal stack reads the vertical one, from rows above only. */
  reading: [number, number];
  condition: string;
  isNormalized: boolean;
  /** Whether the vertical stack is read joined with the image. */
  isJoined: boolean;
}

/** Both stacks, where the vertical one sees its own row whole; the horizontal one reads the rows above of it. */
function unshifted({ imageShape, kernelSizes, reading, ...args }: UnshiftedArgs): tfl.LayersModel {
  const [height, width, channels] = imageShape;
  const image = tfl.input({ shape: imageShape });
  const given = tfl.input({ shape: args.condition === 'map' ? [height, width, 2] : [2] });
  const isConditioned = args.condition !== 'none';
  const apply = (layer: tfl.layers.Layer, ...x: tfl.SymbolicTensor[]) =>
    layer.apply(x.length === 1 ? (x[0] as tfl.SymbolicTensor) : x) as tfl.SymbolicTensor;
  let vertical = image;
  for (const kernelSize of kernelSizes) {
    const conv = maskedConv2d({ filters: 6, kernelSize, imageChannels: 1, vertical: true });
    const gate = gatedActivation({ imageChannels: 1 });
    vertical = apply(gate, apply(conv, vertical), ...(isConditioned ? [given] : []));
    if (args.isNormalized) vertical = apply(tfl.layers.layerNormalization(), vertical);
  }
  if (args.isJoined) vertical = apply(tfl.layers.concatenate(), image, vertical);
  const above = maskedConv2d({ filters: 3 * channels, kernelSize: reading, imageChannels: 1, vertical: true, maskType: 'A' }); // biome-ignore format: one line
  const conv = (maskType: 'A' | 'B', filters: number) =>
    maskedConv2d({ filters, kernelSize: 3, maskType, imageChannels: channels });
  const horizontal = apply(conv('A', 3 * channels), image);
  const both = apply(tfl.layers.elu(), apply(tfl.layers.add(), horizontal, apply(above, vertical)));
  const logits = apply(
    pixelLogits({ imageChannels: channels, levels: 3 }),
    apply(conv('B', 3 * channels), both),
  );
  return autoregressiveModel({ inputs: isConditioned ? [image, given] : image, outputs: logits });
}

type Conv = (x: tfl.SymbolicTensor, filters: number, maskType: 'A' | 'B', imageChannels?: number) => tfl.SymbolicTensor; // biome-ignore format: one type

interface Unusual {
  channels: number;
  levels: number;
  /** Features, or logits, of an image. */
  build: (image: tfl.SymbolicTensor, conv: Conv) => tfl.SymbolicTensor;
}

const join = (...features: tfl.SymbolicTensor[]) =>
  tfl.layers.concatenate().apply(features) as tfl.SymbolicTensor;

const unusual: Record<string, Unusual> = {
  'logits joined of parts': {
    channels: 1,
    levels: 6,
    build: (x, conv) => join(conv(x, 3, 'A'), conv(x, 3, 'A')),
  },
  'logits of one channel known at different times': {
    channels: 2,
    levels: 3,
    build: (x, conv) => join(conv(x, 4, 'A'), conv(x, 2, 'A', 2)),
  },
  'logits of two channels known at once': { channels: 2, levels: 3, build: (x, conv) => conv(x, 6, 'A') },
  'a layer of mask B before one of mask A': {
    channels: 3,
    levels: 3,
    build: (x, conv) => conv(conv(x, 3, 'B', 3), 9, 'A', 3),
  },
  'normalized features joined of parts': {
    channels: 1,
    levels: 5,
    build: (x, conv) => {
      const joined = join(conv(x, 3, 'A'), conv(x, 2, 'A'));
      return conv(tfl.layers.layerNormalization().apply(joined) as tfl.SymbolicTensor, 5, 'B');
    },
  },
  'an image joined with itself': {
    channels: 1,
    levels: 5,
    build: (x, conv) => conv(tfl.layers.reLU().apply(join(x, x, x, x)) as tfl.SymbolicTensor, 5, 'A'),
  },
  'a feature that goes with each of several others': {
    channels: 1,
    levels: 5,
    build: (x, conv) =>
      conv(tfl.layers.multiply().apply([conv(x, 5, 'A'), conv(x, 1, 'A')]) as tfl.SymbolicTensor, 5, 'B'),
  },
  'refused: levels joined': {
    channels: 2,
    levels: 4,
    build: (x, conv) => {
      const half = () =>
        pixelLogits({ imageChannels: 2, levels: 2 }).apply(conv(x, 4, 'A')) as tfl.SymbolicTensor;
      return join(half(), half());
    },
  },
};

const isRefused = (name: string) => name.startsWith('refused');

onEachCpuBackend('incremental sampling', () => {
  it.each([1, 2, 3])(
    'draws the images of whole passes from a graph with branches, %i channels',
    async (channels) => {
      const model = fill(branching(channels, 5));
      const options: SampleOptions[] = [
        { seed: 1 },
        { seed: 2, temperature: 0.7, topK: 3 },
        { seed: 3, topP: 0.8, firstValue: 'uniform' },
        { seed: 4, temperature: 0 },
      ];
      for (const option of options) {
        const [incremental, full] = await bothStrategies(model, { numImages: 5, ...option });
        expect(incremental).toEqual(full);
      }
      const initial = tf.randomUniform<tf.Rank.R4>([5, 4, 5, channels], 0, 5, 'int32', 1);
      const known = tf.cast(
        tf.less(tf.randomUniform([5, 4, 5, channels], 0, 1, 'float32', 2), 0.6),
        'int32',
      ) as tf.Tensor4D;
      const [incremental, full] = await bothStrategies(model, { initial, known, seed: 5 });
      expect(incremental).toEqual(full);
      tf.dispose([initial, known]);
      model.dispose();
    },
  );

  it.each(Object.keys(unusual))(
    'draws the images of whole passes from an unusual graph: %s',
    async (name) => {
      const { channels, levels, build } = unusual[name] as Unusual;
      const image = tfl.input({ shape: [3, 4, channels] });
      const conv = (x: tfl.SymbolicTensor, filters: number, maskType: 'A' | 'B', imageChannels = 1) =>
        maskedConv2d({ filters, kernelSize: 3, maskType, imageChannels }).apply(x) as tfl.SymbolicTensor;
      const features = build(image, conv);
      const isLogits = features.shape.length === 5;
      const outputs = isLogits ? features : pixelLogits({ imageChannels: channels, levels }).apply(features);
      const model = fill(tfl.model({ inputs: image, outputs: outputs as tfl.SymbolicTensor }));
      const options = { numImages: 5, seed: 1 };
      const full = await take(await sample(model, { ...options, strategy: 'full' }));
      const refusal = 'cannot be evaluated pixel by pixel';
      if (isRefused(name)) {
        await expect(sample(model, { ...options, strategy: 'incremental' })).rejects.toThrow(refusal);
        const images = await expectWarning(refusal, () => sample(model, options));
        expect(await take(images)).toEqual(full);
      } else {
        expect(await take(await sample(model, { ...options, strategy: 'incremental' }))).toEqual(full);
      }
      model.dispose();
    },
  );

  it.each([1, 2])(
    'draws the images of whole passes from a graph of stacks with stock layers, %i channels',
    async (channels) => {
      const model = fill(stacks(channels, 4));
      const numImages = 40; // more than a chunk
      const vectors = tf.tensor2d(noise(numImages * 2, 7), [numImages, 2]);
      const [incremental, full] = await bothStrategies(model, { condition: vectors, seed: 1 });
      expect(incremental).toEqual(full);
      vectors.dispose();
      model.dispose();
    },
  );

  const readers: [number, number][][] = [[[5, 5], [3, 1]], [[3, 1], [5, 5]], [[5, 1], [1, 5]], [[1, 5], [5, 1]]]; // biome-ignore format: one line
  it.each(readers)(
    'draws the images of whole passes where kernels %j and %j read the same features',
    async (...kernelSizes) => {
      const image = tfl.input({ shape: [6, 5, 1] });
      const conv = (
        x: tfl.SymbolicTensor,
        filters: number,
        kernelSize: [number, number],
        maskType: 'A' | 'B',
      ) => maskedConv2d({ filters, kernelSize, maskType, imageChannels: 1 }).apply(x) as tfl.SymbolicTensor;
      const sum = (x: tfl.SymbolicTensor, filters: number, maskType: 'A' | 'B') =>
        tfl.layers.add().apply(kernelSizes.map((size) => conv(x, filters, size, maskType))) as tfl.SymbolicTensor; // biome-ignore format: one line
      const features = sum(sum(image, 5, 'A'), 6, 'B'); // of the image, and of features
      const outputs = pixelLogits({ imageChannels: 1, levels: 6 }).apply(features) as tfl.SymbolicTensor;
      const model = fill(tfl.model({ inputs: image, outputs }));
      const [incremental, full] = await bothStrategies(model, { numImages: 8, seed: 1 });
      expect(incremental).toEqual(full);
      model.dispose();
    },
  );

  it('draws the images of whole passes from networks whose vertical stack sees its own row whole', async () => {
    const side = fc.constantFrom(1, 3, 5);
    const cases = fc.record({
      imageShape: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3 })), // biome-ignore format: one line
      kernelSizes: fc.array(fc.tuple(side, side), { minLength: 1, maxLength: 3 }),
      reading: fc.tuple(fc.constantFrom(3, 5), side),
      condition: fc.constantFrom('none', 'vector', 'map'),
      isNormalized: fc.boolean(),
      isJoined: fc.boolean(),
      numImages: fc.integer({ min: 1, max: 5 }),
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ numImages, seed, ...args }) => {
        const model = fill(unshifted(args));
        const [height, width] = args.imageShape;
        const shapes: Record<string, number[]> = {
          vector: [numImages, 2],
          map: [numImages, height, width, 2],
        };
        const shape = shapes[args.condition];
        const condition = shape && tf.tensor(noise(shape.reduce((a, b) => a * b, 1), seed), shape); // biome-ignore format: one line
        const [incremental, full] = await bothStrategies(model, { numImages, seed, ...(condition && { condition }) }); // biome-ignore format: one line
        expect(incremental).toEqual(full);
        condition?.dispose();
        model.dispose();
      }),
      { numRuns: 30, seed: 1 },
    );
  });

  it('draws more images than are computed together as it draws them one by one', async () => {
    const model = fill(pixelCNN({ imageShape: [3, 2, 2], levels: 5, hiddenDim: 2, outDim: 3, numBlocks: 1 }));
    const all = await take(await sample(model, { numImages: 70, seed: 1, strategy: 'incremental' }));
    for (const firstImage of [0, 31, 32, 69]) {
      const one = await take(await sample(model, { firstImage, seed: 1, strategy: 'incremental' }));
      expect(one).toEqual(all.slice(12 * firstImage, 12 * (firstImage + 1)));
    }
    model.dispose();
  });

  it('goes on with an image as with another, in whatever chunk: from copies the logits of the original', async () => {
    const args = {
      imageShape: [4, 3, 2] as [number, number, number],
      levels: 3,
      hiddenDim: 2,
      outDim: 3,
      numBlocks: 1,
    };
    const model = fill(gatedPixelCNN({ ...args, input: 'oneHot', numClasses: 5, conditionMapSize: 2 }));
    const shape = imageModelShape('test', model);
    const program = await readModel(trace(model, shape) as TracedModel, shape);
    const [numImages, size] = [40, 4 * 3 * 2]; // in two chunks
    const from = Int32Array.from({ length: numImages }, (_, n) => (7 * n + 3) % numImages);
    const values = noise(numImages * size, 5);
    const taken = Float32Array.from(values, (_, i) => values[(from[Math.floor(i / size)] as number) * size + (i % size)] as number); // biome-ignore format: one line
    const classes = Float32Array.from({ length: numImages }, (_, n) => (3 * n) % 5);
    const classesTaken = Float32Array.from(from, (n) => classes[n] as number);
    const evaluator = (of: Float32Array, label: Float32Array) =>
      evaluatorFor(program, {
        numImages,
        imageShape: args.imageShape,
        conditions: [
          { shape: [1], values: label },
          { shape: [4, 3, 2], values: of },
        ],
      });
    const [copied, afresh] = [evaluator(values, classes), evaluator(taken, classesTaken)];
    const level = (n: number, index: number) => (n * n + 5 * n * index + index) % 3;
    for (let index = 0; index < size; index++) {
      const place = [Math.floor(index / 6), Math.floor(index / 2) % 3, index % 2] as const;
      // up to the middle of row 1, at the second channel of a pixel, each goes its own way; then as another
      const isCopied = index >= 9;
      const levels = Array.from({ length: numImages }, (_, n) => level(n, index));
      const ofOthers = Array.from(from, (n) => level(n, index));
      if (index === 9) {
        copied.outputs(...place); // before the copy: what it has at hand is copied too
        copyImages(copied, from);
      }
      if (isCopied) expect(copied.outputs(...place)).toEqual(afresh.outputs(...place));
      copied.put(...place, isCopied ? ofOthers : levels);
      afresh.put(...place, ofOthers);
    }
    model.dispose();
  });

  it.each([3, 40])(
    'equals whole passes given a class, a vector and a map, in any order of inputs: %i images',
    async (numImages) => {
      for (const names of [
        ['class', 'map'],
        ['map', 'vector', 'class'],
      ]) {
        const model = fill(conditioned(names));
        const of = {
          class: Array.from({ length: numImages }, (_, n) => n % 4),
          vector: tf.tensor(noise(2 * numImages, 3), [numImages, 2]),
          map: tf.tensor(noise(12 * 3 * numImages, 4), [numImages, 4, 3, 3]),
        };
        const condition = Object.fromEntries(names.map((name) => [name, of[name as 'map']]));
        const [incremental, full] = await bothStrategies(model, { condition, seed: 2 });
        expect(incremental).toHaveLength(numImages * 24);
        expect(incremental).toEqual(full);
        for (const name of names) {
          const other = name === 'class' ? 3 : tf.neg(of[name as 'map']);
          const changed = { ...condition, [name]: other };
          const drawn = await take(await sample(model, { condition: changed, seed: 2 }));
          expect(drawn).not.toEqual(full); // each counts
          tf.dispose(other);
        }
        tf.dispose([of.vector, of.map]);
        model.dispose();
      }
    },
  );

  it('leaves no tensor behind', async () => {
    const model = fill(branching(1, 3));
    await expectNoLeaks(async () => sample(model, { strategy: 'incremental', seed: 1 }));
    await expectNoLeaks(async () => {
      const stop = { random: () => 2, strategy: 'incremental' } as const;
      await expect(sample(model, stop)).rejects.toThrow('sample: random');
    });
    model.dispose();
  });

  it('gives the same bits on every backend, with and without WebAssembly: a digest of logits', async () => {
    const model = fill(branching(3, 4));
    const words = await wordsOfLogits(model, [], makeKernels);
    expect(await wordsOfLogits(model, [], javascriptKernels)).toEqual(words);
    expect(words.reduce((digest, word) => (Math.imul(digest, 31) + word) | 0, 0)).toBe(DIGEST);
    model.dispose();
  });

  it.each<InputEncoding>(['oneHot', { embedding: 6 }])(
    'gives the same bits with and without WebAssembly where levels are read as %j',
    async (input) => {
      const sizes = { levels: 4, hiddenDim: 5, outDim: 3, numBlocks: 1, firstKernelSize: 5 };
      for (const make of [pixelCNN, gatedPixelCNN]) {
        const model = fill(make({ imageShape: [4, 5, 3], ...sizes, input }));
        const words = await wordsOfLogits(model, [], makeKernels);
        expect(await wordsOfLogits(model, [], javascriptKernels)).toEqual(words);
        model.dispose();
      }
    },
  );

  it.each(['a vector', 'a map'])(
    'gives the same bits with and without WebAssembly where gates read %s',
    async (what) => {
      const sizes = { levels: 4, hiddenDim: 5, outDim: 3, numBlocks: 2, firstKernelSize: 5 };
      const [model, shape] =
        what === 'a vector'
          ? [stacks(2, 4), [2]]
          : [gatedPixelCNN({ imageShape: [4, 5, 2], ...sizes, conditionMapSize: 3 }), [4, 5, 3]];
      fill(model);
      const bits = async (make: typeof makeKernels, seed: number) => {
        const values = noise(shape.reduce((a, b) => a * b, 3), seed); // biome-ignore format: one line
        return wordsOfLogits(model, [{ shape, values }], make);
      };
      const words = await bits(makeKernels, 7);
      expect(await bits(javascriptKernels, 7)).toEqual(words);
      expect(await bits(makeKernels, 8)).not.toEqual(words); // the condition counts
      model.dispose();
    },
  );
});

/** A hand-made graph of images [4,3,2] with gates that read these conditions, in this order of inputs. */
function conditioned(names: readonly string[]): tfl.LayersModel {
  const image = tfl.input({ shape: [4, 3, 2] });
  const shapes: Record<string, number[]> = { class: [1], vector: [2], map: [4, 3, 3] };
  const inputs = names.map((name) => tfl.input({ shape: shapes[name] as number[] }));
  const read = inputs.map((given, i) => {
    return names[i] === 'class' ? oneHotClass({ numClasses: 4 }).apply(given) : given;
  });
  const args = { filters: 4, imageChannels: 2, condition: read };
  const first = gatedPixelCNNBlock({ vertical: image, horizontal: image }, { ...args, maskType: 'A' });
  const { horizontal } = gatedPixelCNNBlock(first, { ...args, isLast: true });
  const last = maskedConv2d({ filters: 10, kernelSize: 1, imageChannels: 2 }).apply(horizontal);
  const logits = pixelLogits({ imageChannels: 2, levels: 5 }).apply(last);
  return autoregressiveModel({ inputs: [image, ...inputs], outputs: logits });
}

describe('Evaluator', () => {
  /** An evaluator of images [2,2,2] over a machine that only says what it is told. */
  function logged(...conditions: ConditionValues[]) {
    const log: string[] = [];
    const operand = { base: 1, offset: 0, stride: 4 };
    const given = conditions.map((_, index) => ({ index, to: { ...operand, offset: 8 + 4 * index } }));
    const io = { image: operand, outputs: { ...operand, offset: 4 }, conditions: given };
    const at = (of: typeof operand) => {
      if (of.offset >= 8) log.push('condition');
      return of.offset;
    };
    const machine = {
      heap: new Float32Array(8 + 4 * conditions.length),
      chunks: [{ first: 0, images: 1, at }],
      width: 2,
      numActive: 1,
      moveTo: (row: number, column: number) => log.push(`move ${row} ${column}`),
      run: (time: number) => log.push(time === ONCE ? 'once' : `time ${time}`),
      rowInParts: function* (time: number) {
        log.push(time === AFTER_ROW ? 'after row' : 'row');
        yield;
      },
    };
    const evaluator = new Evaluator(
      machine as unknown as Machine,
      io,
      [2, 2, 2],
      5,
      conditions,
      Int32Array.of(0),
    );
    return { evaluator, heap: machine.heap, taken: () => log.splice(0) };
  }

  it('runs what is ready once, before a row, at each time of a pixel, and after a row, once and in order', () => {
    const map = { shape: [2, 2, 1], values: Float32Array.of(1, 2, 3, 4) };
    const { evaluator, heap, taken } = logged(map);

    evaluator.outputs(0, 0, 1);
    expect(taken()).toEqual(['move 0 0', 'condition', 'once', 'row', 'move 0 0', 'time 0', 'time 1']);
    evaluator.outputs(0, 0, 0); // it is done
    expect(taken()).toEqual([]);
    evaluator.put(0, 0, 0, [2]);
    expect(taken()).toEqual([]);
    evaluator.put(0, 0, 1, [4]);
    expect(taken()).toEqual(['time 2']);
    expect(Array.from(heap.subarray(0, 2))).toEqual([0.5, 1]); // as models take levels

    evaluator.put(0, 1, 0, [0]);
    expect(taken()).toEqual(['move 0 1']);
    evaluator.outputs(0, 1, 0);
    expect(taken()).toEqual(['time 0']);
    evaluator.put(0, 1, 1, [0]);
    expect(taken()).toEqual(['time 1', 'time 2']);

    evaluator.outputs(1, 0, 0);
    expect(taken()).toEqual(['after row', 'move 1 0', 'condition', 'row', 'move 1 0', 'time 0']);
  });

  it('writes a vector once, and the rows of a map as they come', () => {
    const vector = logged({ shape: [2], values: Float32Array.of(7, 8) });
    const map = logged({ shape: [2, 2, 1], values: Float32Array.of(1, 2, 3, 4) });
    for (const row of [0, 1]) {
      for (const { evaluator } of [vector, map]) {
        for (const column of [0, 1]) for (const channel of [0, 1]) evaluator.put(row, column, channel, [0]);
      }
      expect(Array.from(vector.heap.subarray(8, 10))).toEqual([7, 8]);
      expect(map.heap[8]).toBe(2 * row + 2); // that of the last column, which has no stride here
    }
    expect(vector.taken().filter((what) => what === 'condition')).toHaveLength(1);
    expect(map.taken().filter((what) => what === 'condition')).toHaveLength(2);
    const both = logged({ shape: [1], values: Float32Array.of(7) }, { shape: [2, 2, 1], values: Float32Array.of(1, 2, 3, 4) }); // biome-ignore format: one line
    for (const row of [0, 1]) {
      for (const column of [0, 1])
        for (const channel of [0, 1]) both.evaluator.put(row, column, channel, [0]);
      expect([both.heap[8], both.heap[12]]).toEqual([7, 2 * row + 2]);
    }
    expect(both.taken().filter((what) => what === 'condition')).toHaveLength(3);
    const none = logged();
    none.evaluator.outputs(0, 0, 0);
    expect(none.taken()).not.toContain('condition');
  });
});

/** The bits of the logits at every place of three images [4,5,C] of four levels. */
async function wordsOfLogits(
  model: tfl.LayersModel,
  conditions: readonly ConditionValues[],
  make: typeof makeKernels,
): Promise<number[]> {
  const channels = model.inputs[0]?.shape[3] as number;
  const shape = imageModelShape('test', model);
  const traced = trace(model, shape) as TracedModel;
  const args = { numImages: 3, imageShape: [4, 5, channels] as const, conditions };
  const evaluator = evaluatorFor(await readModel(traced, shape), args, make);
  const words: number[] = [];
  for (let place = 0; place < 20 * channels; place++) {
    const [pixel, channel] = [Math.floor(place / channels), place % channels];
    const [row, column] = [Math.floor(pixel / 5), pixel % 5];
    const logits = evaluator.outputs(row, column, channel);
    words.push(...new Uint32Array(logits.slice().buffer));
    evaluator.put(row, column, channel, Int32Array.of(place % 4, (place * 3) % 4, (place >> 2) % 4));
  }
  return words;
}

/** Of the branching model's logits, the same wherever they are computed. */
const DIGEST = -241034475;

describe.each(kernelMakers)('an evaluator of windows that reach to the right only, with %s', (_, make) => {
  it('keeps what lies beyond the right edge zero', () => {
    const window = (
      kernelSize: [number, number],
      anchor: [number, number],
      present: KernelWindow['present'],
    ) => ({
      ...{ kernelSize, anchor, present, imageChannels: 1, stride: 1, transposed: false },
    });
    const [height, width] = [3, 4];
    const model: PortableModel = {
      imageShape: [height, width, 1],
      levels: 2,
      conditions: [],
      nodes: [
        { op: 'image', size: 1 },
        {
          op: 'conv',
          size: 1,
          input: 0,
          kernel: 'right',
          bias: null,
          window: window([1, 3], [0, 0], 'everything'),
        },
        {
          op: 'conv',
          size: 2,
          input: 1,
          kernel: 'above',
          bias: null,
          window: window([2, 1], [1, 0], 'nothing'),
        },
      ],
      output: 2,
      weights: new Map([
        ['right', { shape: [1, 3, 1, 1], data: Float32Array.of(1, 10, 100) }],
        ['above', { shape: [2, 1, 1, 2], data: Float32Array.of(0, 1, 0, 0) }],
      ]),
    };
    const pixels = [1, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1];
    const args = { numImages: 1, imageShape: [height, width, 1] as const };
    const evaluator = evaluatorFor(model, args, make);
    for (const [index, level] of pixels.entries()) {
      const [row, column] = [Math.floor(index / width), index % width];
      const above = (right: number) =>
        row > 0 && column + right < width ? (pixels[index - width + right] as number) : 0;
      expect(evaluator.outputs(row, column, 0)[1]).toBe(above(0) + 10 * above(1) + 100 * above(2));
      evaluator.put(row, column, 0, [level]);
    }
  });
});
