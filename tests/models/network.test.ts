import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  type AutoregressiveModel,
  bitsPerDim,
  gatedPixelCNN,
  type InputEncoding,
  logProb,
  normalize,
  pixelCNN,
  sample,
} from 'pixelcnn-layers';
import { alea } from 'seedrandom';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  checkNetworkArgs,
  inputLayers,
  type NetworkArgs,
  networkArgNames,
  outputHead,
} from '../../src/models/network';
import { isGpu, onEachBackend, useBackend } from '../support/backends';
import { expectToFollow } from '../support/chi-square';
import { saveAndLoad } from '../support/memory-file';
import { setNoise, take } from '../support/tensors';

describe('checkNetworkArgs', () => {
  const args = { imageShape: [4, 5, 3] as NetworkArgs['imageShape'], hiddenDim: 2, outDim: 5, numBlocks: 1 };

  it('fills in what is left out, and counts features of all channels', () => {
    const filled = { imageChannels: 3, levels: 256, input: 'scaled', hidden: 6, out: 15, numBlocks: 1, firstKernelSize: 7, kernelSize: 3, output: 'softmax', dropout: 0, seed: undefined, named: {} }; // biome-ignore format: one line
    expect(checkNetworkArgs('net', args, networkArgNames)).toEqual({ imageShape: [4, 5, 3], ...filled });
    const any = checkNetworkArgs(
      'net',
      { ...args, imageShape: [null, 5, 1], levels: 2, name: 'mine' },
      networkArgNames,
    );
    expect(any).toMatchObject({ imageChannels: 1, levels: 2, hidden: 2, out: 5, named: { name: 'mine' } });
  });

  it('names what is no image shape', () => {
    const shapes = [undefined, null, 4, '4,4,1', [], [4, 4], [4, 4, 1, 1], [4, 4, null], [0, 4, 1], [4, -1, 1], [4, 1.5, 1], [4, 4, 0], [undefined, 4, 1]]; // biome-ignore format: one line
    for (const imageShape of shapes as never[]) {
      expect(() => checkNetworkArgs('net', { ...args, imageShape }, networkArgNames)).toThrow(
        'net: imageShape: wanted [H, W, C], with null for a size that may vary',
      );
    }
  });

  it('names every other argument that is out of range', () => {
    const wrong = {
      hiddenDim: 0,
      outDim: 1.5,
      numBlocks: -1,
      levels: 1,
      firstKernelSize: 2,
      kernelSize: [3, 4],
      dropout: 1,
      seed: 0.5,
      input: 'onehot',
    };
    for (const [name, value] of Object.entries(wrong)) {
      expect(() => checkNetworkArgs('net', { ...args, [name]: value }, networkArgNames)).toThrow(
        `net: ${name}: wanted`,
      );
    }
  });
});

describe('how a network reads levels', () => {
  const args = { imageShape: [4, 5, 3] as NetworkArgs['imageShape'], hiddenDim: 2, outDim: 5, numBlocks: 1 };
  const check = (input: unknown, levels = 256) => () =>
    checkNetworkArgs('net', { ...args, levels, input: input as InputEncoding }, networkArgNames); // biome-ignore format: one line

  it('is one of three ways, or named', () => {
    expect(check('oneHot')().input).toBe('oneHot');
    expect(check({ embedding: 8 })().input).toEqual({ embedding: 8 });
    for (const wrong of ['onehot', null, 3, true, [8]])
      expect(check(wrong)).toThrow(
        /net: input: wanted ('scaled', 'oneHot' or \{ embedding: units \}|an object)/,
      );
    expect(check({ embeding: 8 })).toThrow("net: input: unknown option 'embeding': did you mean embedding?");
    expect(check({})).toThrow('net: input: embedding: wanted an integer of at least 1, got undefined');
    expect(check({ embedding: 0 })).toThrow('net: input: embedding: wanted an integer of at least 1, got 0');
    expect(check({ embedding: 1e7 })).toThrow('net: input: embedding: wanted sizes whose product');
    for (const input of ['oneHot', { embedding: 1 }])
      expect(check(input, 65537)).toThrow('net: levels: wanted an integer from 2 to 65536, got 65537');
    expect(check('oneHot', 65536)).not.toThrow();
    const wide = { ...args, hiddenDim: 99, levels: 65536, input: 'oneHot' as const };
    expect(() => checkNetworkArgs('net', wide, networkArgNames)).toThrow('net: firstKernelSize: wanted sizes whose product'); // biome-ignore format: one line
  });

  it('is as before without a layer, else by one that is named levels', () => {
    const classes = (input: InputEncoding) =>
      inputLayers({ input, levels: 4, seed: 1 }).map((layer) => [layer.getClassName(), layer.name]);
    expect(classes('scaled')).toEqual([]);
    expect(classes('oneHot')).toEqual([['OneHotLevels', 'levels']]);
    expect(classes({ embedding: 2 })).toEqual([['LevelEmbedding', 'levels']]);
  });
});

/** Networks of 81 or 64 images, whose weights are far from uniform, by how they read them. */
const spaces: [
  input: InputEncoding,
  isGated: boolean,
  imageShape: [number, number, number],
  levels: number,
][] = [
  ['oneHot', false, [2, 2, 1], 3],
  ['oneHot', false, [1, 2, 2], 3],
  ['oneHot', true, [2, 1, 3], 2],
  [{ embedding: 2 }, false, [1, 2, 2], 3],
  [{ embedding: 2 }, false, [1, 2, 3], 2],
  [{ embedding: 4 }, true, [2, 2, 1], 3],
];

onEachBackend('categories', (backend) => {
  it.each(isGpu(backend) ? spaces.slice(1, 2) : spaces)(
    'read as %j, gated: %j, give all images of a tiny space %j the probability 1, and samples follow it',
    async (input, isGated, imageShape, levels) => {
      const size = imageShape.reduce((a, b) => a * b);
      const count = levels ** size;
      const make = isGated ? gatedPixelCNN : pixelCNN;
      const model = make({ imageShape, levels, hiddenDim: 3, outDim: 4, numBlocks: 1, firstKernelSize: 3, input }); // biome-ignore format: one line
      setNoise(model, 3);
      const all = Array.from(
        { length: count * size },
        (_, i) => Math.floor(Math.floor(i / size) / levels ** (size - 1 - (i % size))) % levels,
      ); // image i is i in base L, the first value its highest digit
      const images = tf.tensor4d(all, [count, ...imageShape], 'int32');
      const probabilities = (await take(await logProb(model, images))).map(Math.exp);
      expect(Math.abs(probabilities.reduce((a, b) => a + b) - 1)).toBeLessThan(1e-5);
      expect(Math.max(...probabilities)).toBeGreaterThan(2 / count); // not the uniform model
      if (!isGpu(backend)) {
        const drawn = await take(await sample(model, { numImages: 4000, seed: 1 }));
        const counts = new Array<number>(count).fill(0);
        for (let n = 0; n < 4000; n++) {
          const index = drawn.slice(size * n, size * (n + 1)).reduce((sum, level) => levels * sum + level, 0);
          counts[index] = (counts[index] as number) + 1;
        }
        expectToFollow(counts, probabilities.map((p) => 4000 * p)); // biome-ignore format: one line
      }
      images.dispose();
      model.dispose();
    },
  );

  it.each<InputEncoding>(isGpu(backend) ? [{ embedding: 3 }] : ['oneHot', { embedding: 3 }])(
    'read as %j are learnt: values that follow from the one before by a permutation',
    async (input) => {
      // Codes of a row: each is the next one in the cycle 0 4 2 6 1 5 3 7, which as an intensity is far from linear.
      const next = [4, 5, 6, 7, 2, 3, 1, 0];
      const rows = Array.from({ length: 8 }, (_, first) => {
        const row = [first];
        while (row.length < 6) row.push(next[row.at(-1) as number] as number);
        return row;
      });
      const labels = tf.tensor4d(rows.flat(), [8, 1, 6, 1], 'int32');
      const model = pixelCNN({ imageShape: [1, 6, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 0, firstKernelSize: [1, 3], input, seed: 1 }); // biome-ignore format: one line
      const optimizer = tf.train.adam(0.03, 0.9, 0.999, 1e-7);
      model.compile({ optimizer, loss: bitsPerDim });
      const xs = normalize(labels, 8);
      for (let step = 0; step < (isGpu(backend) ? 2 : 120); step++) await model.trainOnBatch(xs, labels);
      const [bits] = await take(model.evaluate(xs, labels) as tf.Scalar);
      if (!isGpu(backend)) expect(bits).toBeLessThan(0.6); // 0.5 for the first value of six, and 0
      tf.dispose([labels, xs]);
      model.dispose();
      optimizer.dispose();
    },
  );
});

describe('outputHead', () => {
  beforeAll(() => useBackend('cpu'));

  /** A head on features of every pixel. */
  function build(shape: number[], filters: number, imageChannels: number, levels: number): tfl.LayersModel {
    const features = tfl.input({ shape });
    const head = outputHead({ filters, imageChannels, levels, output: 'softmax' });
    const logits = head.reduce((x, layer) => layer.apply(x) as tfl.SymbolicTensor, features);
    return tfl.model({ inputs: features, outputs: logits });
  }

  it('is three 1x1 convolutions to logits, a ReLU after the first', async () => {
    const model = build([2, 3, 4], 6, 2, 5);
    expect(model.outputs[0]?.shape).toEqual([null, 2, 3, 2, 5]);
    expect(model.layers.slice(1).map(({ name }) => name)).toEqual([
      'output_conv1',
      'output_conv2',
      'final_conv',
      'logits',
    ]);
    expect(model.getWeights().map(({ shape }) => shape)).toEqual([
      [1, 1, 4, 6],
      [6],
      [1, 1, 6, 6],
      [6],
      [1, 1, 6, 10],
      [10],
    ]);
    model.dispose();

    const ones = build([1, 1, 1], 1, 1, 2);
    const weights = ones.getWeights().map(({ shape }) => tf.ones(shape));
    ones.setWeights(weights);
    const x = tf.tensor4d([-3, 1], [2, 1, 1, 1]);
    // relu(x + 1), then twice one more: -3 -> 0 -> 1 -> 2, and 1 -> 2 -> 3 -> 4
    expect(await take(ones.predict(x) as tf.Tensor)).toEqual([2, 2, 4, 4]);
    tf.dispose([weights, x]);
    ones.dispose();
  });

  it('lets a channel see its own features and those of channels before', async () => {
    const model = build([1, 1, 3], 3, 3, 2);
    const weights = model
      .getWeights()
      .map(({ shape }) => (shape.length === 4 ? tf.ones(shape) : tf.zeros(shape)));
    model.setWeights(weights);
    const x = tf.tensor4d([1, 10, 100], [1, 1, 1, 3]);
    // running sums, thrice: [1, 11, 111], [1, 12, 123], [1, 13, 136]
    expect(await take(model.predict(x) as tf.Tensor)).toEqual([1, 1, 13, 13, 136, 136]);
    tf.dispose([weights, x]);
    model.dispose();
  });
});

const SIZES = {
  imageShape: [3, 3, 2] as [number, number, number],
  levels: 4,
  hiddenDim: 2,
  outDim: 3,
  numBlocks: 2,
};

type Options = { seed?: number; dropout?: number; input?: InputEncoding };

const networks = {
  pixelCNN: (options: Options) => pixelCNN({ ...SIZES, ...options }),
  gatedPixelCNN: (options: Options) => gatedPixelCNN({ ...SIZES, numClasses: 3, ...options }),
};

/** The weights of a model by their names, which it is disposed after. */
async function weightsOf(model: AutoregressiveModel): Promise<Map<string, number[]>> {
  const read = model.weights.map(async (weight): Promise<[string, number[]]> => [weight.originalName, Array.from(await weight.read().data())]); // biome-ignore format: one line
  const weights = new Map(await Promise.all(read));
  model.dispose();
  return weights;
}

describe('the names of weights', () => {
  beforeAll(() => useBackend('cpu'));

  it('are the same in every program, whatever was made before', async () => {
    const convs = (...names: string[]) => names.flatMap((name) => [`${name}/kernel`, `${name}/bias`]);
    const blocks = ['block0', 'block1'].flatMap((block) =>
      ['in', 'mid', 'out'].flatMap((conv) => [`${block}/conv_${conv}_kernel`, `${block}/conv_${conv}_bias`]),
    );
    const head = convs('output_conv1', 'output_conv2', 'final_conv');
    const gatedNames = [
      ...convs('block0_vertical', 'block0_horizontal'),
      'block0_across/kernel',
      'block0_horizontal_gate/condition_kernel',
      'block0_vertical_gate/condition_kernel',
      ...convs('block0_out'),
    ];
    for (const _ of ['first', 'second']) {
      const plain = await weightsOf(networks.pixelCNN({ dropout: 0.5 }));
      expect([...plain.keys()]).toEqual([...convs('input_conv'), ...blocks, ...head]);
      const embedded = await weightsOf(networks.pixelCNN({ input: { embedding: 2 } }));
      expect([...embedded.keys()]).toEqual(['levels/embeddings', ...plain.keys()]);
      const gated = [...(await weightsOf(networks.gatedPixelCNN({ dropout: 0.5 }))).keys()];
      expect(gated.filter((name) => name.startsWith('block0'))).toEqual(gatedNames);
      expect(gated.slice(-6)).toEqual(head);
      expect(gated.every((name) => /^(block[012]_|output_conv|final_conv)/.test(name))).toBe(true);
    }
  });
});

describe.each(Object.keys(networks) as (keyof typeof networks)[])('a seed of %s', (kind) => {
  const build = networks[kind];
  beforeAll(() => useBackend('cpu'));

  it('gives the first weights, each its own', async () => {
    const weights = await weightsOf(build({ seed: 1 }));
    expect(await weightsOf(build({ seed: 1 }))).toEqual(weights);
    expect(await weightsOf(build({ seed: 1, dropout: 0.5 }))).toEqual(weights);
    const kernels = (all: Map<string, number[]>) => [...all].filter(([name]) => name.endsWith('kernel'));
    const others = [await weightsOf(build({ seed: 2 })), await weightsOf(build({}))];
    for (const [name, values] of kernels(weights)) {
      for (const other of others) expect(other.get(name)).not.toEqual(values);
    }
    const table = async (seed: number) => (await weightsOf(build({ seed, input: { embedding: 2 } }))).get('levels/embeddings'); // biome-ignore format: one line
    expect(await table(1)).toEqual(await table(1));
    expect(await table(2)).not.toEqual(await table(1));
    const firsts = kernels(weights).map(([, values]) => (values[0] as number) / Math.max(...values));
    expect(new Set(firsts).size).toBe(firsts.length);
  });

  it('goes down by the names of parts: network, layer, weight', async () => {
    const part = (seed: number, name: string) => 1 + Math.floor(alea(`${seed}/${name}`)() * (2 ** 31 - 1));
    const path = { pixelCNN: ['block1', 'conv_mid_kernel'], gatedPixelCNN: ['block1', 'out', 'kernel'] }[
      kind
    ];
    const name = { pixelCNN: 'block1/conv_mid_kernel', gatedPixelCNN: 'block1_out/kernel' }[kind];
    const uniform = alea(String(path.reduce(part, 1)));
    const values = (await weightsOf(build({ seed: 1 }))).get(name) as number[];
    // Uniform in [-limit, limit), so ratios are those of 2u - 1.
    const [first, second] = [2 * uniform() - 1, 2 * uniform() - 1];
    expect((values[1] as number) / (values[0] as number)).toBeCloseTo(second / first, 5);
  });
});

onEachBackend('dropout of networks', (backend) => {
  const kinds = Object.keys(networks) as (keyof typeof networks)[];

  it.each(isGpu(backend) ? kinds.slice(0, 1) : kinds)(
    'goes on to the bit when %s is saved and resumed',
    async (kind) => {
      const labels = tf.tensor4d(Array.from({ length: 36 }, (_, i) => (7 * i) % 4), [2, 3, 3, 2], 'int32'); // biome-ignore format: one line
      const images = normalize(labels, 4);
      const classes = tf.tensor2d([0, 2], [2, 1]);
      const xs = kind === 'pixelCNN' ? images : [images, classes];
      const steps = async (model: AutoregressiveModel, count: number) => {
        const losses: unknown[] = [];
        for (let step = 0; step < count; step++) losses.push(await model.trainOnBatch(xs, labels));
        return losses;
      };
      const compiled = (options: Options) => {
        const model = networks[kind](options);
        model.compile({ optimizer: tf.train.adam(1e-2, 0.9, 0.999, 1e-7), loss: bitsPerDim });
        return model;
      };
      const straight = compiled({ seed: 1, dropout: 0.5 });
      const first = await steps(straight, 3);
      const loaded = (await saveAndLoad(straight, { includeOptimizer: true })) as AutoregressiveModel;
      const rest = await steps(straight, 3);

      tf.dispose([loaded.evaluate(xs, labels), loaded.apply(xs, { training: true }) as tf.Tensor]); // disturb nothing
      await loaded.fit(xs, labels, { epochs: 1, shuffle: false, verbose: 0, validationData: [xs, labels] });
      expect(await steps(loaded, 2)).toEqual(rest.slice(1));

      const again = compiled({ seed: 1, dropout: 0.5 });
      expect(await steps(again, 1)).toEqual(first.slice(0, 1));
      const whole = compiled({ seed: 1 });
      expect(await steps(whole, 1)).not.toEqual(first.slice(0, 1));
      const other = compiled({ seed: 1, dropout: 0.5 });
      other.optimizer['incrementIterations'](); // as if at the second step
      expect(await steps(other, 1)).not.toEqual(first.slice(0, 1));

      tf.dispose([labels, images, classes]);
      for (const model of [straight, again, whole, other]) model.optimizer.dispose();
      for (const model of [straight, loaded, again, whole, other]) model.dispose();
    },
  );
});
