import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  type AutoregressiveModel,
  autoregressiveModel,
  bitsPerDim,
  CausalAttention,
  causalAttention,
  checkCausality,
  initializeFromData,
  levelLogProbs,
  logProb,
  maskedConv2d,
  pixelLogits,
  receptiveField,
  sample,
  toPortable,
} from 'pixelcnn-layers';
import * as runtime from 'pixelcnn-layers/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { saveAndLoad } from '../support/memory-file';
import { movedBy } from '../support/moved';
import { slowAttention } from '../support/slow-attention';
import { setLayerNoise, slopesOf, slowWeightsOf } from '../support/slow-plus-plus';
import {
  expectClose,
  expectCloseRelative,
  expectNoLeaks,
  noise,
  setNoise,
  take,
  weightGradients,
} from '../support/tensors';
import { allTinyImages } from '../support/tiny-space';

type SlowWeights = Awaited<ReturnType<typeof slowWeightsOf>>;

const [N, H, W, Q, K] = [2, 2, 3, 2, 3] as const;
const [heads, size] = [2, 2];
const units = heads * size;

/** What the layer is, of images [N*H*W,Q] and [N*H*W,K], in float64. */
function slowLayer(x: readonly number[], y: readonly number[], weights: SlowWeights): number[] {
  const project = (part: string, of: readonly number[], features: number) => {
    const [kernel, gain, bias] = ['kernel', 'gain', 'bias'].map((name) => weights.get(`${part}_${name}`)?.data) as [number[], number[] | undefined, number[]]; // biome-ignore format: one line
    return Array.from({ length: (of.length / features) * units }, (_, at) => {
      const [pixel, unit] = [Math.floor(at / units), at % units];
      const column = Array.from({ length: features }, (_, i) => kernel[i * units + unit] as number);
      const factor = gain === undefined ? 1 : (gain[unit] as number) / Math.hypot(...column);
      const sum = column.reduce((sum, weight, i) => sum + weight * (of[pixel * features + i] as number), 0);
      return sum * factor + (bias[unit] as number);
    });
  };
  const [q, k, v] = [project('query', x, Q), project('key', y, K), project('value', y, K)];
  return Array.from(slowAttention([q, k, v], { n: N, places: H * W, heads, size }));
}

const valuesOf = (features: number, seed: number) => Array.from(noise(N * H * W * features, seed));

onEachBackend('CausalAttention', (backend) => {
  it.each([false, true])(
    'equals loops in plain numbers, as do its gradients; weight normalization: %s',
    async (weightNormalization) => {
      const layer = causalAttention({ heads, units, weightNormalization });
      const values = [valuesOf(Q, 1), valuesOf(K, 2)] as [number[], number[]];
      const inputs = [tf.tensor(values[0], [N, H, W, Q]), tf.tensor(values[1], [N, H, W, K])];
      tf.dispose(layer.apply(inputs)); // builds it
      setLayerNoise(layer, 3);
      const weights = await slowWeightsOf(layer);
      const parts = weightNormalization ? ['kernel', 'gain', 'bias'] : ['kernel', 'bias'];
      expect([...weights.keys()]).toEqual(['query', 'key', 'value'].flatMap((of) => parts.map((part) => `${of}_${part}`))); // biome-ignore format: one line
      expect([...weights.values()].map(({ shape }) => shape)).toEqual(
        [Q, K, K].flatMap((features) => [[1, 1, features, units], ...parts.slice(1).map(() => [units])]),
      );

      const y = layer.apply(inputs);
      expect(y.shape).toEqual([N, H, W, units]);
      expectClose(await take(y), slowLayer(...values, weights), 1e-5);
      const g = noise(y.size, 9);
      const weighted = (all: number[]) => all.reduce((sum, value, i) => sum + value * (g[i] as number), 0);
      const gs = tf.tensor(g, y.shape);
      const f = (...of: tf.Tensor[]) => tf.sum(tf.mul(layer.apply(of), gs)) as tf.Scalar;
      const [dx, dy] = tf.grads(f)(inputs) as [tf.Tensor, tf.Tensor];
      const ofQueries = slopesOf((x) => weighted(slowLayer(x, values[1], weights)), values[0]);
      const ofKeys = slopesOf((x) => weighted(slowLayer(values[0], x, weights)), values[1]);
      expectCloseRelative(await take(dx), ofQueries, 5e-4);
      expectCloseRelative(await take(dy), ofKeys, 5e-4);
      const gradients = weightGradients(layer, () => f(...inputs));
      for (const [i, [name, weight]] of [...weights].entries()) {
        const slopes = slopesOf((data) => weighted(slowLayer(...values, new Map(weights).set(name, { ...weight, data }))), weight.data); // biome-ignore format: one line
        // biome-ignore format: the bias of keys moves all scores alike, so its slopes are 0
        expectClose(await take(gradients[i] as tf.Tensor), slopes, 5e-4 * Math.max(1, ...slopes.map(Math.abs)));
      }
      tf.dispose([inputs, gs]);
      layer.dispose();
    },
  );

  it('sees the query of its own place, and keys and values of all earlier places, none of others', async () => {
    const layer = causalAttention({ heads, units, seed: 1 });
    const [x, y] = [tf.tensor(noise(12 * Q, 1), [1, 3, 4, Q]), tf.tensor(noise(12 * K, 2), [1, 3, 4, K])];
    const images = (of: tf.Tensor, like: tf.Tensor) => tf.tile(of, [like.shape[0] as number, 1, 1, 1]);
    const queries = await movedBy([3, 4, Q], (given) => layer.apply([given, images(y, given)]));
    const keys = await movedBy([3, 4, K], (given) => layer.apply([images(x, given), given]));
    const pairs = Array.from({ length: 144 }, (_, pair) => [Math.floor(pair / 12), pair % 12] as const);
    const named = (some: (readonly [number, number])[]) => some.map(([from, to]) => `${from} by ${to}`);
    const seen = ({ moved }: typeof keys) => named(pairs.filter(([from, to]) => moved(from, to)));
    // Over one earlier place there is no choice.
    expect(seen(queries)).toEqual(named(pairs.filter(([from, to]) => from === to && to > 1)));
    expect(seen(keys)).toEqual(named(pairs.filter(([from, to]) => from < to)));
    tf.dispose([x, y]);
    layer.dispose();
  });

  it('drops weights of places in training only, by its seed and the step', async () => {
    const layer = causalAttention({ heads: 1, units: 1, dropout: 0.5, seed: 3 });
    const x = tf.ones([1, 4, 4, 1]);
    tf.dispose(layer.apply([x, x]));
    layer.setWeights(
      [0, 0, 0, 0, 1, 0].map((weight, i) => tf.fill(i % 2 === 0 ? [1, 1, 1, 1] : [1], weight)),
    );
    const mean = [0, ...new Array(15).fill(1)]; // of values 1
    const train = async (step: number) => {
      layer.setStep(step);
      return take(layer.apply([x, x], { training: true }));
    };
    expectClose(await take(layer.apply([x, x])), mean, 1e-6);
    const first = await train(0);
    expect(first[0]).toBe(0);
    expectClose([first[1] as number], [first[1] === 0 ? 0 : 2], 1e-6); // its one weight is dropped, or doubled
    for (const [i, value] of first.entries()) {
      if (i > 0) expectClose([(value * i) / 2], [Math.round((value * i) / 2)], 1e-4); // so many of i are kept
    }
    expect(await train(1)).not.toEqual(first);
    expect(await train(0)).toEqual(first);
    x.dispose();
    layer.dispose();
  });

  it('leaves no tensor behind, also where it throws', async () => {
    const [x, y] = [tf.ones([2, 2, 3, 2]), tf.ones([2, 2, 3, 1])];
    for (const weightNormalization of [false, true]) {
      await expectNoLeaks(() => {
        const layer = causalAttention({ heads, units, weightNormalization, dropout: 0.5 });
        const output = layer.apply([x, y], { training: true });
        const { value, grads } = tf.variableGrads(() => tf.sum(layer.apply([x, y])));
        layer.dispose();
        return [output, value, grads];
      });
    }
    await expectNoLeaks(() => {
      const layer = causalAttention({ heads, units });
      const wide = tf.ones([2, 2, 4, 1]);
      expect(() => layer.apply([x, wide])).toThrow('attend: wanted features of one height and width, got');
      return wide;
    });
    tf.dispose([x, y]);
  });

  it.skipIf(isGpu(backend))('trains in a network, from initial weights of a batch', async () => {
    const model = network([4, 4, 1], { weightNormalization: true });
    const labels = tf.tensor4d(Array.from(noise(8 * 16, 3), (x) => (x < 0 ? 0 : 2)), [8, 4, 4, 1], 'int32'); // biome-ignore format: one line
    const inputs = tf.div(labels, 2);
    await initializeFromData(model, labels);
    model.compile({ optimizer: tf.train.adam(0.02), loss: bitsPerDim });
    const { history } = await model.fit(inputs, labels, { epochs: 30, batchSize: 8, verbose: 0 });
    const losses = history['loss'] as number[];
    expect(losses.at(-1)).toBeLessThan(0.8 * (losses[0] as number));
    tf.dispose([labels, inputs]);
    model.dispose();
  });
});

/** A small network of images with 3 levels: what a masked convolution gives asks, and keys and values see the image too. */
function network(
  imageShape: readonly [number | null, number | null, number],
  { weightNormalization = false, seed = 1 } = {},
): AutoregressiveModel {
  const channels = imageShape[2];
  const image = tfl.input({ shape: [...imageShape] });
  const before = maskedConv2d({ filters: 6, kernelSize: 3, maskType: 'A', imageChannels: 1, seed }).apply(image); // biome-ignore format: one line
  const known = tfl.layers.concatenate().apply([before, image]) as tfl.SymbolicTensor;
  const attended = causalAttention({ heads: 2, units: 6, weightNormalization, seed, name: 'attend' }).apply([before, known]); // biome-ignore format: one line
  const all = tfl.layers.concatenate().apply([before, attended]) as tfl.SymbolicTensor;
  const logits = maskedConv2d({ filters: 3 * channels, kernelSize: 1, imageChannels: 1, seed, name: 'last' }).apply(all); // biome-ignore format: one line
  return autoregressiveModel({ inputs: image, outputs: pixelLogits({ imageChannels: channels, levels: 3 }).apply(logits) }); // biome-ignore format: one line
}

describe('a network with attention', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it('gives all images of a tiny space probabilities that sum to 1, on tensors and in the runtime', async () => {
    const model = network([2, 2, 1]);
    setNoise(model, 1, 2);
    const images = allTinyImages();
    const nats = await take(await logProb(model, images));
    const sum = (of: ArrayLike<number>) => Array.from(of).reduce((total, x) => total + Math.exp(x), 0);
    expect(Math.abs(sum(nats) - 1)).toBeLessThan(1e-5);
    expect(Math.max(...nats) - Math.min(...nats)).toBeGreaterThan(1);
    const data = Int32Array.from(await images.data());
    const again = await runtime.logProb(await toPortable(model), { data, shape: [81, 2, 2, 1] });
    expectClose(again, nats, 1e-4);
    images.dispose();
    model.dispose();
  });

  it.each([
    [[5, 4, 1] as const, 3],
    [[3, 3, 2] as const, 40], // several chunks of images
    [[null, null, 1] as const, 2],
  ])('draws incrementally what whole passes draw: %s', async (imageShape, numImages) => {
    const model = network(imageShape);
    setNoise(model, 2, 1.5);
    const shape: [number, number, number] = [imageShape[0] ?? 4, imageShape[1] ?? 6, imageShape[2]];
    const options = { numImages, imageShape: shape, seed: 5 };
    const [incremental, full] = [
      await take(await sample(model, { ...options, strategy: 'incremental' })),
      await take(await sample(model, { ...options, strategy: 'full' })),
    ];
    expect(incremental).toEqual(full);
    expect(new Set(incremental).size).toBe(3);
    const bytes = runtime.writePortable(await toPortable(model));
    const { data } = await runtime.sample(runtime.readPortable(bytes), options);
    expect(Array.from(data)).toEqual(incremental);
    model.dispose();
  });

  it('goes on with an image as with another: a stepper copies keys and values', async () => {
    const model = await toPortable(network([4, 4, 1]));
    const [copied, plain] = [2, 1].map((numImages) => runtime.stepper(model, { numImages })) as [
      runtime.Stepper,
      runtime.Stepper,
    ];
    const levels = noise(16, 4).map((x) => Math.floor((x + 1) * 1.5));
    for (const [i, level] of levels.entries()) {
      expect(Array.from(copied.logProbs().subarray(3))).toEqual(
        i <= 5 ? expect.anything() : Array.from(plain.logProbs()),
      );
      copied.put([level, i <= 5 ? 2 - level : level]);
      plain.put([level]);
      if (i === 5) copied.copy([0, 0]);
    }
    for (const each of [copied, plain]) each.dispose();
  });

  it('says how much memory keys and values would take, before it takes any', async () => {
    const model = network([null, null, 1]);
    const portable = await toPortable(model);
    // of each place two of 6 units: 96 images of 2^20 places take 1.1 2^30 numbers, 4608 MiB, and rows some more
    const large = { numImages: 96, imageShape: [1024, 1024, 1] } as const;
    expect(() => runtime.stepper(portable, { ...large, imageShape: [...large.imageShape] })).toThrow(
      /cannot allocate 46\d\d MiB of memory/,
    );
    model.dispose();
  });

  it('is causal, and sees all that comes before', async () => {
    const model = network([5, 5, 1]);
    setNoise(model);
    expect((await checkCausality(model, { inputs: 'all' })).causal).toBe(true);
    const { seen, blindSpot } = await receptiveField(model, { row: 3, column: 2 });
    expect(seen).toEqual(Array.from({ length: 17 }, (_, i) => [Math.floor(i / 5), i % 5, 0]));
    expect(blindSpot).toEqual([]);
    model.dispose();
  });

  it('gives levelLogProbs of whole passes', async () => {
    const model = network([3, 4, 2]);
    setNoise(model);
    const images = tf.tensor4d(Array.from(noise(24, 3), (x) => Math.floor((x + 1) * 1.5)), [1, 3, 4, 2], 'int32'); // biome-ignore format: one line
    const portable = await toPortable(model);
    const levels = Int32Array.from(await images.data());
    const stepper = runtime.stepper(portable);
    const got = Array.from(levels, (level) => {
      const of = Array.from(stepper.logProbs());
      stepper.put([level]);
      return of;
    }).flat();
    expectClose(got, await take(await levelLogProbs(model, images)), 1e-5);
    stepper.dispose();
    images.dispose();
    model.dispose();
  });
});

describe('CausalAttention', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it('comes back from a saved model with every option', async () => {
    const layer = causalAttention({ name: 'attend', heads: 2, units: 6, dropout: 0.25, weightNormalization: true, seed: 4 }); // biome-ignore format: one line
    const inputs = [[4, 4, 2], [4, 4, 1]].map((shape) => tfl.input({ shape })); // biome-ignore format: one line
    const model = tfl.model({ inputs, outputs: layer.apply(inputs) });
    setLayerNoise(layer, 3);
    const loaded = await saveAndLoad(model);
    const again = loaded.getLayer('attend');
    expect(again).toBeInstanceOf(CausalAttention);
    expect(again.getConfig()).toEqual(layer.getConfig());
    const given = { heads: 2, units: 6, dropout: 0.25, weightNormalization: true, seed: 4 };
    expect(again.getConfig()).toMatchObject(given);
    const xs = [tf.ones([1, 4, 4, 2]), tf.ones([1, 4, 4, 1])];
    const [a, b] = [model, loaded].map((m) => m.predict(xs) as tf.Tensor) as [tf.Tensor, tf.Tensor];
    expect(await take(b)).toEqual(await take(a));
    tf.dispose(xs);
    for (const m of [model, loaded]) m.dispose();
  });

  it('names what is wrong', () => {
    const make = (args: object) => () => causalAttention({ heads: 2, units: 4, ...args });
    expect(() => causalAttention(undefined as never)).toThrow(
      'CausalAttention: wanted an object of arguments',
    );
    expect(make({ heads: 0 })).toThrow('CausalAttention: heads: wanted an integer of at least 1, got 0');
    expect(make({ units: 5 })).toThrow('CausalAttention: units: wanted a multiple of heads (2), got 5');
    expect(make({ dropout: 1 })).toThrow('CausalAttention: dropout: wanted a number from 0, below 1, got 1');
    expect(make({ weightNormalization: 0 })).toThrow(
      'CausalAttention: weightNormalization: wanted true or false',
    );
    expect(make({ seed: 'x' })).toThrow('CausalAttention: seed: wanted an integer');
    const apply = (...shapes: (number | null)[][]) => {
      const inputs = shapes.map((shape) => tfl.input({ shape }));
      return () => make({})().apply(inputs.length === 1 ? (inputs[0] as tfl.SymbolicTensor) : inputs);
    };
    const two = 'CausalAttention: inputs: wanted two, for queries and for keys and values, got';
    expect(apply([4, 4, 2])).toThrow(two);
    expect(apply([4, 4, 2], [4, 4, 2], [4, 4, 2])).toThrow(two);
    for (const other of [[3], [4, 4, null]])
      expect(apply([4, 4, 2], other)).toThrow('CausalAttention: input: wanted one tensor [N,H,W,features]');
    expect(apply([4, 4, 2], [4, 3, 2])).toThrow('attend: wanted features of one height and width, got');
    expect(apply([4, 4, 2], [4, 4, 2 ** 28])).toThrow('CausalAttention: features, units: wanted sizes');
  });
});
