import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  type AutoregressiveModel,
  autoregressiveModel,
  gatedResBlock,
  getMask,
  initializeFromData,
  type LayerWeight,
  maskedConv2d,
  normalize,
  oneHotClass,
  pixelCNN,
  pixelLogits,
  shiftedConv2d,
} from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { InitialWeights } from '../../src/layers/initial-weights';
import { anyBackend, onBackend, onEachBackend } from '../support/backends';
import { apply, modelOf } from '../support/models/graphs';
import { saveAndLoad } from '../support/models/memory-file';
import { scoped } from '../support/scoped';
import { type Grid, grid, type SlowWeight, slowConv } from '../support/slow/gated';
import { type SlowShift, slowConvolutions, slowNormalized, slowResBlock, slowWeightsOf } from '../support/slow/plus-plus';
import { expectCleanRefusal, expectClose, expectNoLeaks, noise, setNoise, take } from '../support/tensors';

const [N, L, K] = [6, 4, 3]; // images, levels, classes
const size = [4, 4, 1] as const;
const values = Array.from(noise(N * 16, 7), (x) => Math.floor((x + 1) * (L / 2)));
const classes = [0, 1, 2, 2, 1, 0];
const images = () => tf.tensor4d(values, [N, ...size], 'int32');
const half = { shift: 'downRight', stride: 2 } as const;
const double = { ...half, transposed: true } as const;

/** One of each layer that has weight normalization, with weights far from those that it begins with. */
function network(): AutoregressiveModel {
  const [image, given] = [tfl.input({ shape: [...size] }), tfl.input({ shape: [1] })];
  const normed = { weightNormalization: true } as const;
  const point = { kernelSize: 1, imageChannels: 1, ...normed } as const;
  const first = maskedConv2d({ name: 'first', filters: 3, kernelSize: 3, maskType: 'A', imageChannels: 1, activation: 'relu', ...normed });
  const down = shiftedConv2d({ name: 'down', filters: 2, kernelSize: [2, 2], ...half, ...normed });
  const up = shiftedConv2d({ name: 'up', filters: 2, kernelSize: [2, 2], ...double, ...normed });
  const twice = maskedConv2d({ name: 'twice', filters: 2, activation: 'elu', ...point });
  const block = gatedResBlock({ name: 'block', filters: 2, shift: 'downRight', hasSkip: true, ...normed });
  const last = maskedConv2d({ name: 'last', filters: L, useBias: false, ...point });
  const a = first.apply(image);
  const b = twice.apply(twice.apply(up.apply(down.apply(a))));
  const c = block.apply([b, a, oneHotClass({ numClasses: K }).apply(given)]);
  const logits = pixelLogits({ imageChannels: 1, levels: L }).apply(last.apply(c));
  const model = autoregressiveModel({ inputs: [image, given], outputs: logits });
  setNoise(model, 2);
  return model;
}

/** What comes out of each convolution of the network, by its name, of all images and pixels: [rows][features]. */
async function slowOutputs(model: tfl.LayersModel): Promise<Map<string, number[][]>> {
  const seen = new Map<string, number[][]>();
  const see = (name: string, y: Grid) => {
    seen.set(name, [...(seen.get(name) ?? []), ...y.flat().map((features) => [...features])]);
    return y;
  };
  const weights = new Map<string, Map<string, SlowWeight>>();
  for (const layer of model.layers) weights.set(layer.name, await slowWeightsOf(layer));
  const of = (layer: string) => weights.get(layer) as Map<string, SlowWeight>;
  const masked = (name: string, x: Grid, maskType: 'A' | 'B', as = name) => {
    const [kernel, gain, bias] = ['kernel', 'gain', 'bias'].map((part) => of(name).get(part)) as [SlowWeight, SlowWeight, SlowWeight];
    const [rows, columns, featuresIn, featuresOut] = kernel.shape as [number, number, number, number];
    const mask = getMask({ kernelSize: [rows, columns], featuresIn, featuresOut, maskType, imageChannels: 1 }).values;
    const normalized = slowNormalized(kernel, gain, (at) => mask[at] === 1);
    const args = { maskType, imageChannels: 1, vertical: false };
    return see(as, slowConv(x, bias === undefined ? [normalized] : [normalized, bias], args));
  };
  const shifted = (name: string, x: Grid, where: SlowShift) => see(name, slowConvolutions(of(name))('', x, where));
  const elu = (x: Grid): Grid => x.map((row) => row.map((features) => features.map((value) => (value > 0 ? value : Math.expm1(value)))));
  const relu = (x: Grid): Grid => x.map((row) => row.map((features) => features.map((value) => Math.max(0, value))));
  for (let n = 0; n < N; n++) {
    const numbers = values.slice(16 * n, 16 * n + 16).map((level) => level / (L - 1));
    const image = grid(numbers, size);
    const a = relu(masked('first', image, 'A'));
    const b = elu(masked('twice', shifted('up', shifted('down', a, half), double), 'B'));
    const c = elu(masked('twice', b, 'B', 'twice again'));
    const conditions = [Array.from({ length: K }, (_, k) => (k === classes[n] ? 1 : 0))];
    const convolve = slowConvolutions(of('block'), see);
    const d = slowResBlock(c, { skip: a, conditions }, convolve, of('block'), 'downRight');
    masked('last', d, 'B');
  }
  return seen;
}

/** Mean and standard deviation of each feature. */
function moments(rows: number[][]): { mean: number[]; deviation: number[] } {
  const features = Array.from({ length: rows[0]?.length ?? 0 }, (_, f) => rows.map((row) => row[f] as number));
  const average = (of: number[]) => of.reduce((sum, value) => sum + value, 0) / of.length;
  const mean = features.map(average);
  const deviation = features.map((of, f) => Math.sqrt(average(of.map((x) => (x - (mean[f] as number)) ** 2))));
  return { mean, deviation };
}

const close = (value: number) => (all: number[]) => all.every((x) => Math.abs(x - value) < 1e-4);

/** Every weight of a model. */
const weightsOf = (model: tfl.LayersModel) => Promise.all(model.getWeights().map(async (weight) => Array.from(await weight.data())));

/** Whether a model's weights are as they were, and no tensor is left behind, after what fails. */
async function expectUnchanged(model: tfl.LayersModel, work: () => Promise<unknown>, message: string) {
  const before = await weightsOf(model);
  await expectCleanRefusal(work, message);
  expect(await weightsOf(model)).toEqual(before);
}

/** A weight that is no layer's. */
interface Variable extends LayerWeight {
  read(): tf.Tensor1D;
  write(value: tf.Tensor1D): void;
}

onEachBackend('initializeFromData', (_backend) => {
  it('sets mean and standard deviation of the outputs of every weight-normed convolution', async () => {
    const model = scoped(network());
    const before = await weightsOf(model);
    const labels = scoped(images());
    await initializeFromData(model, labels, { condition: classes });
    const outputs = await slowOutputs(model);
    const scales = { first: 1, down: 1, up: 1, twice: 1, conv_in_: 1, conv_skip_: 1, conv_out_: 0.1 };
    for (const [name, scale] of Object.entries(scales)) {
      const { mean, deviation } = moments(outputs.get(name) as number[][]);
      expect(mean).toSatisfy(close(0));
      expect(deviation).toSatisfy(close(scale));
    }
    const last = moments(outputs.get('last') as number[][]);
    expect(last.deviation).toSatisfy(close(1)); // it has no bias, so a mean
    expect(last.mean).not.toSatisfy(close(0));
    const again = moments(outputs.get('twice again') as number[][]);
    expect(again.deviation).not.toSatisfy(close(1)); // its gain is that of its first use
    // Directions, and what is not weight-normed, stay.
    const after = await weightsOf(model);
    for (const [i, { originalName }] of model.weights.entries()) {
      if (originalName.endsWith('kernel')) expect(after[i]).toEqual(before[i]);
      else expect(after[i]).not.toEqual(before[i]);
    }
  });

  it('works on a loaded model, again, and with float labels', async () => {
    const model = scoped(network());
    const loaded = scoped(await saveAndLoad(model));
    const labels = scoped(images());
    const floats = scoped(tf.cast(labels, 'float32'));
    await initializeFromData(model, labels, { condition: classes });
    await initializeFromData(loaded, floats, { condition: classes });
    const weights = await weightsOf(model);
    expect(await weightsOf(loaded)).toEqual(weights);
    await initializeFromData(model, labels, { condition: classes });
    expect(await weightsOf(model)).toEqual(weights);
    const given = scoped(tf.tensor2d(classes, [N, 1]));
    const outputs = model.apply([normalize(labels, L), given]) as tf.Tensor; // as ever
    expect((await take(outputs)).every(Number.isFinite)).toBe(true);
  });

  it('leaves no tensor behind', () =>
    expectNoLeaks(async () => {
      const model = network();
      const labels = images();
      await initializeFromData(model, labels, { condition: classes });
      model.dispose();
      model.getLayer('twice').dispose(); // which tfjs leaves, since it is used twice
      return labels;
    }));

  it('changes nothing where numbers are not finite', async () => {
    const model = scoped(network());
    const labels = scoped(images());
    // biome-ignore format: pairs
    for (const [name, value] of [['kernel', Number.NaN], ['bias', Number.POSITIVE_INFINITY]] as const) {
      const block = model.getLayer('block');
      const index = block.weights.findIndex(({ originalName }) => originalName.endsWith(`condition_kernel`));
      const [broken, layer] = name === 'kernel' ? [0, model.getLayer('first')] : [index, block];
      const weights = scoped(layer.getWeights().map((weight) => tf.clone(weight)));
      const bad = scoped(weights.map((weight, i) => (i === broken ? tf.fill(weight.shape, value) : tf.clone(weight))));
      layer.setWeights(bad);
      const message = 'initializeFromData: the outputs of a convolution are not finite';
      await expectUnchanged(model, () => initializeFromData(model, labels, { condition: classes }), message);
      layer.setWeights(weights);
    }
  });

  it('keeps the gain of what does not vary over the batch, and centers it', async () => {
    const conv = maskedConv2d({ name: 'conv', filters: 2, kernelSize: 3, maskType: 'A', imageChannels: 1, weightNormalization: true });
    const model = scoped(modelOf([2, 2, 1], 2, (image) => apply(conv, image)));
    const [kernel, gain, bias] = conv.getWeights() as [tf.Tensor, tf.Tensor, tf.Tensor];
    const weights = scoped([tf.ones(kernel.shape), tf.tensor1d([0.7, 3]), tf.tensor1d([1, 2])]);
    conv.setWeights(weights);
    const black = scoped(tf.zeros<tf.Rank.R4>([2, 2, 2, 1], 'int32'));
    await initializeFromData(model, black);
    expect(await weightsOf(model)).toEqual([new Array(18).fill(1), [0.7, 3].map(Math.fround), [-0, -0]]);
    expect([gain.shape, bias.shape]).toEqual([[2], [2]]);
  });

  it('keeps the gain of outputs that are equal at very many pixels, whose sum float32 rounds', () =>
    expectNoLeaks(async () => {
      const constants = [0.1, 0.7312, -3, 2000];
      const ulp = 2 ** -13; // of 2000: by so much every second row differs
      const y: tf.Tensor4D = tf.tidy(() =>
        tf.tile(tf.tensor4d([...constants, 0.1, 0.7312, -3, 2000 + ulp], [1, 2, 1, 4]), [32, 16, 32, 1]),
      );
      const variable = (values: number[]): Variable => {
        const own = tf.tidy(() => tf.variable(tf.tensor1d(values)));
        return { name: 'w', shape: [4], read: () => own, write: (value) => own.assign(value) };
      };
      const [gain, bias] = [variable([2, 3, 4, 5]), variable([6, 7, 8, 9])];
      const initial = new InitialWeights();
      const outputs = tf.tidy(() => initial.scaled({ direction: gain, gain }, bias, y));
      initial.write();
      initial.dispose();
      expect(await take(tf.clone(gain.read()))).toEqual([2, 3, 4, 5]);
      const wanted = [-0.2, -3 * 0.7312, 12, -10000];
      const ratios = (await take(tf.clone(bias.read()))).map((value, f) => value / (wanted[f] as number));
      expectClose(ratios, [1, 1, 1, 1], 1e-5);
      expectClose(await take(tf.tidy(() => tf.max(tf.abs(outputs)))), [0], 5e-3);
      return [y, outputs, gain.read(), bias.read()];
    }));
});

onBackend(anyBackend, 'initializeFromData', () => {
  it('changes nothing where something is wrong', async () => {
    const model = scoped(network());
    const labels = scoped(images());
    const high = scoped(tf.fill<tf.Rank.R4>([N, 4, 4, 1], L, 'int32'));
    const small = scoped(tf.zeros<tf.Rank.R4>([N, 2, 2, 1], 'int32'));
    const given = { condition: classes };
    const wrong: [() => Promise<unknown>, string][] = [
      [() => initializeFromData(model, high, given), 'initializeFromData: images: wanted integer levels 0 to 3, got 4'],
      [() => initializeFromData(model, small, given), 'initializeFromData: images: wanted [4, 4, 1]'],
      [() => initializeFromData(model, labels), 'initializeFromData: condition: wanted'],
      [() => initializeFromData(model, labels, { condition: [0, 1] }), 'initializeFromData: condition: wanted'],
      [() => initializeFromData(model, labels, { condition: [0, 1, 2, 3, 0, 1] }), 'initializeFromData: condition'],
      [() => initializeFromData(model, undefined as never, given), 'initializeFromData: images: wanted a tensor of levels'],
      [() => initializeFromData(undefined as never, labels), 'initializeFromData: model: wanted a model'],
      [() => initializeFromData(model, labels, 3 as never), 'initializeFromData: wanted an object'],
    ]; // biome-ignore format: one row a line
    for (const [work, message] of wrong) await expectUnchanged(model, work, message);
    const plain = scoped(pixelCNN({ imageShape: [4, 4, 1], levels: L, hiddenDim: 2, outDim: 2, numBlocks: 1 }));
    const none = 'initializeFromData: model: wanted a layer with weight normalization, got none';
    await expectUnchanged(plain, () => initializeFromData(plain, labels), none);
  });

  it('keeps constraints, and leaves no tensor behind with them', () =>
    expectNoLeaks(async () => {
      const rest = { imageChannels: 1, weightNormalization: true, biasConstraint: 'nonNeg', seed: 1 } as const;
      const conv = maskedConv2d({ filters: L, kernelSize: 3, maskType: 'A', ...rest });
      const model = modelOf([4, 4, 1], L, (image) => apply(conv, image));
      const labels = images();
      await initializeFromData(model, labels);
      const bias = Array.from(await (conv.getWeights()[2] as tf.Tensor).data());
      expect(Math.min(...bias)).toBe(0);
      expect(Math.max(...bias)).toBeGreaterThan(0);
      model.dispose();
      return labels;
    }));

  it('goes into models within the model', async () => {
    const whole = network();
    const labels = scoped(images());
    const [image, given] = [tfl.input({ shape: [...size] }), tfl.input({ shape: [1] })];
    const outputs = whole.apply([image, given]) as tfl.SymbolicTensor;
    const model = scoped(tfl.model({ inputs: [image, given], outputs }));
    const vector = scoped(tf.tensor2d(classes, [N, 1]));
    await initializeFromData(model, labels, { condition: vector });
    const { deviation } = moments((await slowOutputs(whole)).get('conv_out_') as number[][]);
    expect(deviation).toSatisfy(close(0.1));
  });

  it('does not touch what runs meanwhile', async () => {
    const model = scoped(network());
    const labels = scoped(images());
    const xs = scoped([normalize(labels, L), tf.tensor2d(classes, [N, 1])]);
    const before = await take(model.apply(xs) as tf.Tensor);
    const running = initializeFromData(model, labels, { condition: classes });
    const during: number[][] = [];
    let isRunning = true;
    const done = running.finally(() => {
      isRunning = false;
    });
    while (isRunning) {
      during.push(await take(model.apply(xs) as tf.Tensor));
      await tf.nextFrame();
    }
    await done;
    const after = await take(model.apply(xs) as tf.Tensor);
    for (const outputs of during) expect([before, after]).toContainEqual(outputs);
  });
});
