import * as tf from '@tensorflow/tfjs-core';
import { Callback, callbacks, constraints, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import {
  type AutoregressiveModel,
  bitsPerDim,
  clipGradients,
  gatedPixelCNN,
  imageGPT,
  maskedConv2d,
  normalize,
  pixelCNN,
  pixelDropout,
  type Trainer,
  type TrainerOptions,
  WeightAverage,
} from 'pixelcnn-layers';
import { imageSet } from 'pixelcnn-layers/data';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { useBackend } from '../support/backends';
import { apply, modelOf } from '../support/models/graphs';
import { saveAndLoad } from '../support/models/memory-file';
import { compiled, expectSame, fitArgs, levelsOf, makers, pairOf, plain, release, trainerOf } from '../support/models/trainers';
import { scoped } from '../support/scoped';
import { largestDifference, setNoise, take, weightsOf } from '../support/tensors';
import { startTrainInProcess } from '../support/workers/pool-in-process';

// What a trainer does is the same whatever its workers are; here they are no threads. Those are in tests/programs.

beforeAll(() => useBackend('wasm')); // as workers do, which are in the same thread here
afterEach(release);

describe('a trainer gives the weights of fit, to the bits of any number of workers', () => {
  it.each(makers)('%s', async (_, make) => {
    const levels = levelsOf(6);
    const args = { ...fitArgs, batchSize: 3, validationSplit: 0.3 }; // two batches, and another one to validate
    const reference = compiled(make);
    const { history: wanted } = await reference.fit(levels, args);
    const before = await weightsOf(reference);
    const all: number[][] = [];
    for (const workers of [1, 3]) {
      const model = compiled(make);
      const trainer = await trainerOf(model, { workers, shards: 3 });
      const { history } = await trainer.fit(levels, args);
      expect(Object.keys(history).sort()).toEqual(Object.keys(wanted).sort());
      for (const [name, values] of Object.entries(history))
        expect(largestDifference(values as number[], wanted[name] as number[])).toBeLessThan(1e-5);
      all.push(await weightsOf(model));
    }
    expect(largestDifference(all[0] as number[], before)).toBeLessThan(1e-5);
    expect(all[1]).toEqual(all[0]);
  });
});

/** A model of one hidden layer, and what else `between` puts between that and the outputs. */
function composed(between: (features: SymbolicTensor) => SymbolicTensor, hidden = {}): AutoregressiveModel {
  const conv = maskedConv2d({ filters: 4, kernelSize: 3, maskType: 'A', imageChannels: 1, seed: 1, ...hidden });
  const point = maskedConv2d({ filters: 3, kernelSize: 1, imageChannels: 1, seed: 2 });
  return compiled(() => modelOf([4, 4, 1], 3, (image) => apply(point, between(apply(conv, image)))));
}

it('leaves constraints to whoever applies them, as fit does, and leaves no tensor behind', async () => {
  const levels = levelsOf(6);
  const [reference, model] = [0, 1].map(() =>
    composed((x) => x, { kernelConstraint: constraints.unitNorm({ axis: 0 }), biasConstraint: 'nonNeg', biasInitializer: 'ones' }),
  ) as [AutoregressiveModel, AutoregressiveModel];
  const trainer = await trainerOf(model);
  const wanted = await take(reference.evaluate<tf.Scalar[]>(levels)[0] as tf.Scalar);
  expect(largestDifference([(await trainer.evaluate<number[]>(levels))[0] as number], wanted)).toBeLessThan(1e-5);
  let before = 0;
  for (let step = 0; step < 4; step++) {
    const loss = await reference.trainOnBatch<number[]>(levels);
    expect(largestDifference(await trainer.trainOnBatch<number[]>(levels), loss)).toBeLessThan(1e-5);
    if (step === 0) before = tf.memory().numTensors; // of two optimizers
  }
  expect(tf.memory().numTensors).toBe(before);
  expect(largestDifference(await weightsOf(model), await weightsOf(reference))).toBeLessThan(1e-5);
});

describe('noise without a seed is that of the model', () => {
  const sizes = { imageShape: [4, 4, 1] as [number, number, number], levels: 3 };
  /** Trains the model from the same weights again and again: by itself, and by trainers. */
  async function trainedAgain(model: AutoregressiveModel) {
    const levels = levelsOf(9);
    setNoise(model, 1, 0.3);
    const start = model.getWeights().map((weight) => weight.clone());
    const all: number[][] = [];
    for (const workers of [0, 1, 3]) {
      model.setWeights(start);
      model.compile({ optimizer: tf.train.momentum(0.01, 0.9), loss: bitsPerDim });
      const trained = workers === 0 ? model : await trainerOf(model, { workers, shards: 3 });
      const { history } = await trained.fit(levels, fitArgs);
      all.push([...(history['loss'] as number[]), ...(await weightsOf(model))]);
    }
    tf.dispose([levels, start]);
    return all as [number[], number[], number[]];
  }

  it.each<[string, () => AutoregressiveModel]>([
    ['of a network', () => compiled(() => pixelCNN({ ...sizes, hiddenDim: 3, outDim: 4, numBlocks: 1, dropout: 0.4 }))],
    ['of attention', () => compiled(() => imageGPT({ ...sizes, width: 4, heads: 2, layers: 1, dropout: 0.4 }))],
    ['of layers', () => composed((x) => pixelDropout({ rate: 0.3 }).apply(pixelDropout({ rate: 0.3 }).apply(x)))],
  ])('%s', async (_, make) => {
    const [ofFit, one, three] = await trainedAgain(make());
    expect(largestDifference(one, ofFit)).toBeLessThan(1e-5);
    expect(three).toEqual(one);
  }); // biome-ignore format: one a line

  it("of tfjs's layers, but for fit, whose noise is another each time", async () => {
    const noisy = [
      layers.dropout({ rate: 0.1 }), layers.dropout({ rate: 0.1, seed: 4 }), layers.gaussianNoise({ stddev: 0.1 }),
      layers.gaussianDropout({ rate: 0.1 }), layers.alphaDropout({ rate: 0.1 }),
    ]; // biome-ignore format: in few lines
    const through = (x: SymbolicTensor, layer: layers.Layer) => layer.apply(x) as SymbolicTensor;
    const [, one, three] = await trainedAgain(composed((x) => noisy.reduce(through, x)));
    expect(three).toEqual(one);
  });
});

it('gives the weights of fit with callbacks that assign weights', async () => {
  const levels = levelsOf(12);
  const { reference, model, trainer } = await pairOf();
  const train = async (of: AutoregressiveModel, by: Pick<Trainer, 'fit'>) => {
    const scale = async (factor: number) => of.setWeights(scoped(of.getWeights().map((weight) => tf.mul(weight, factor))));
    const { history } = await by.fit(levels, {
      ...fitArgs,
      validationSplit: 0.3,
      callbacks: {
        onTrainBegin: () => scale(0.9),
        onEpochBegin: () => scale(1.1),
        onBatchBegin: (batch) => scale(batch === 0 ? 0.8 : 1.2),
        onBatchEnd: () => scale(0.95),
        onEpochEnd: () => scale(1.05),
      },
    });
    return [history['loss'], history['val_loss']].flat() as number[];
  };
  const wanted = await train(reference, reference);
  expect(largestDifference(await train(model, trainer), wanted)).toBeLessThan(1e-5);
  expect(largestDifference(await weightsOf(model), await weightsOf(reference))).toBeLessThan(1e-5);
});

it('takes an image set as the tensor of its levels', async () => {
  const levels = levelsOf(6);
  const data = Uint8Array.from(await levels.data());
  const set = imageSet({ data, shape: [6, 4, 4, 1], levels: 3 });
  const [ofSet, ofTensor] = [plain(), plain()];
  const [a, b] = [await trainerOf(ofSet), await trainerOf(ofTensor)];
  const before = tf.memory().numTensors;
  await a.fit(set, { ...fitArgs, validationData: set });
  expect(await a.evaluate(set)).toEqual(await a.evaluate(levels));
  await a.trainOnBatch(set);
  const made = tf.memory().numTensors - before; // by the optimizer
  await b.fit(levels, { ...fitArgs, validationData: levels });
  await b.trainOnBatch(levels);
  await expectSame(ofSet, ofTensor);
  expect(tf.memory().numTensors - before).toBe(2 * made);
});

it('depends on the number of shards, and on nothing else', async () => {
  const levels = levelsOf(6);
  const train = async (options: TrainerOptions) => {
    const model = plain();
    const trainer = await trainerOf(model, options);
    const loss = await trainer.trainOnBatch<number[]>(levels);
    return { loss, weights: await weightsOf(model) };
  };
  const few = await train({ shards: 2 });
  expect(await train({ shards: 2, workers: 1 })).toEqual(few);
  expect(await train({ shards: 100 })).toEqual(await train({ shards: 6 })); // at most the images
  expect(largestDifference((await train({ shards: 3 })).weights, few.weights)).toBeLessThan(1e-5);
});

it('clips, averages, evaluates and trains on batches like the model', async () => {
  const levels = scoped(levelsOf(8));
  const [reference, model] = [0, 1].map(() =>
    compiled(makers[1]?.[1] as () => AutoregressiveModel, clipGradients(tf.train.sgd(1), 0.01)),
  ) as [AutoregressiveModel, AutoregressiveModel];
  const trainer = await trainerOf(model);
  const average = scoped(new WeightAverage(model, { decay: 0.5 }));
  for (let step = 0; step < 3; step++) {
    const wanted = await reference.trainOnBatch<number[]>(levels);
    expect(largestDifference(await trainer.trainOnBatch<number[]>(levels), wanted)).toBeLessThan(1e-5);
    average.update(step);
  }
  expect(largestDifference(await weightsOf(model), await weightsOf(reference))).toBeLessThan(1e-5);
  const figures = scoped(reference.evaluate<tf.Scalar[]>(levels, { batchSize: 3 }));
  const wanted = await Promise.all(figures.map(async (figure) => (await figure.data())[0] as number));
  expect(largestDifference(await trainer.evaluate<number[]>(levels, { batchSize: 3 }), wanted)).toBeLessThan(1e-5);
  const [own = 0] = await trainer.evaluate<number[]>(levels);
  const [averaged = 0] = await average.use(() => trainer.evaluate<number[]>(levels));
  expect(averaged).not.toBe(own); // workers see the weights as they are
});

it('takes datasets, whose next batch is asked for while the current one is computed', async () => {
  const data = levelsOf(12);
  let events: string[] = [];
  const dataset = () => ({
    async iterator() {
      let at = 0;
      return {
        async next() {
          events.push('asked');
          if (at === 12) return { value: undefined, done: true };
          at += 4;
          return { value: tf.slice(data, at - 4, 4), done: false };
        },
      };
    },
  });
  const [reference, model] = [plain(), plain()];
  const args = { epochs: 2, verbose: 0, validationData: data as tf.Tensor4D } as const;
  await reference.fitDataset(dataset() as never, args);
  const createWorker = () => {
    const worker = startTrainInProcess() as Worker;
    worker.addEventListener('message', () => events.push('computed'));
    return worker;
  };
  const trainer = await trainerOf(model, { workers: 1, shards: 1, createWorker });
  events = [];
  const before = tf.memory().numTensors;
  const { history } = await trainer.fitDataset(dataset() as never, args);
  const ofEpoch = ['asked', ...[0, 1, 2].flatMap(() => ['asked', 'computed']), 'computed']; // the last one of validation
  expect(events).toEqual([...ofEpoch, ...ofEpoch]);
  expect(history['val_loss']).toHaveLength(2);
  expect(largestDifference(await weightsOf(model), await weightsOf(reference))).toBeLessThan(1e-5);
  const moments = 2 * model.trainableWeights.length; // of Adam, and two powers of its betas
  expect(tf.memory().numTensors - before).toBeLessThanOrEqual(moments);
});

it('takes datasets and validation data with conditions of several kinds, and pairs', async () => {
  const args = { numClasses: 3, conditionSize: 2, conditionMapSize: 1 };
  const sizes = { imageShape: [4, 4, 1] as [number, number, number], levels: 3, hiddenDim: 3, outDim: 4 };
  const make = () => compiled(() => gatedPixelCNN({ ...sizes, ...args, numBlocks: 1, seed: 3 }));
  const [reference, model] = [make(), make()];
  const uniform = (...shape: number[]) => tf.randomUniform(shape, 0, 1, 'float32', 2);
  const batch = () => ({
    levels: levelsOf(5),
    condition: { class: tf.tensor1d([0, 1, 2, 0, 1], 'int32'), vector: uniform(5, 2), map: uniform(5, 4, 4, 1) },
  });
  const pair = () => {
    const { levels, condition } = batch();
    const xs = [normalize(levels, 3), tf.reshape(condition.class, [5, 1]), condition.map, condition.vector];
    condition.class.dispose();
    const inputs = reference.inputs.map(
      ({ shape }) => xs.find(({ rank, shape: own }) => rank === shape.length && own[1] === shape[1]) as tf.Tensor,
    );
    return { xs: inputs, ys: levels };
  };
  const dataset = () => {
    const all = [batch, pair, batch];
    return { iterator: async () => ({ next: async () => ({ value: all[0]?.(), done: all.shift() === undefined }) }) } as never;
  };
  const validationData = batch();
  const trainer = await trainerOf(model);
  const before = tf.memory().numTensors;
  const wanted = await reference.fitDataset(dataset(), { epochs: 1, verbose: 0, validationData });
  const ofFit = tf.memory().numTensors - before;
  const got = await trainer.fitDataset(dataset(), { epochs: 1, verbose: 0, validationData });
  for (const name of ['loss', 'val_loss'])
    expect(largestDifference(got.history[name] as number[], wanted.history[name] as number[])).toBeLessThan(1e-5);
  expect(largestDifference(await weightsOf(model), await weightsOf(reference))).toBeLessThan(1e-5);
  expect(tf.memory().numTensors - before).toBeLessThanOrEqual(2 * ofFit);
  tf.dispose(validationData as tf.TensorContainer);
});

it('answers as the model does where it trains nothing, and refuses what the model refuses', async () => {
  const levels = levelsOf(4);
  const trainer = await trainerOf(plain(), {});
  expect((await trainer.fit(levels, { epochs: 0 })).epoch).toEqual([]);
  await expect(trainer.fit(levels, { ...fitArgs, shuffle: 'batch' as never })).rejects.toThrow('batch shuffling');
});

it('works without shared memory, whose weights and gradients are transferred', async () => {
  const levels = levelsOf(9);
  const [reference, model] = [plain(), plain()];
  await (await trainerOf(reference)).fit(levels, fitArgs);
  vi.stubGlobal('SharedArrayBuffer', undefined);
  const trainer = await trainerOf(model);
  vi.unstubAllGlobals();
  await trainer.fit(levels, fitArgs);
  await expectSame(model, reference);
});

it('follows weights that are set between calls, or trained by another trainer or the model', async () => {
  const levels = levelsOf(6);
  const [reference, model] = [plain(), plain()];
  const [trainer, other] = [await trainerOf(model), await trainerOf(model, { workers: 1, shards: 2 })];
  for (const one of [trainer, model, other, trainer]) {
    const wanted = await reference.trainOnBatch<number[]>(levels);
    expect(largestDifference(await one.trainOnBatch<number[]>(levels), wanted)).toBeLessThan(1e-5);
    for (const each of [reference, model]) each.setWeights(scoped(each.getWeights().map((weight) => tf.neg(weight))));
  }
  expect(largestDifference(await weightsOf(model), await weightsOf(reference))).toBeLessThan(1e-4);
});

it('goes on to the bit from a file, with its average, and with other workers', async () => {
  const levels = scoped(levelsOf(9));
  const train = async (model: AutoregressiveModel, workers: number, steps: number[], average: WeightAverage) => {
    const trainer = await trainerOf(model, { workers });
    for (const step of steps) {
      await trainer.trainOnBatch(levels);
      average.update(step);
    }
  };
  const [straight, first] = [plain(), plain()];
  const [ofStraight, ofFirst] = [scoped(new WeightAverage(straight)), scoped(new WeightAverage(first))];
  await train(straight, 2, [0, 1, 2, 3], ofStraight);
  await train(first, 1, [0, 1], ofFirst);
  const second = scoped((await saveAndLoad(first, { includeOptimizer: true })) as AutoregressiveModel);
  const averaged = scoped((await ofFirst.use(() => saveAndLoad(first))) as AutoregressiveModel);
  const ofSecond = scoped(new WeightAverage(second));
  ofSecond.restore(averaged);
  await train(second, 3, [2, 3], ofSecond);
  await expectSame(second, straight);
  expect(await ofSecond.use(() => weightsOf(second))).toEqual(await ofStraight.use(() => weightsOf(straight)));
});

it('stops early, and gives callbacks a model that they may save and train', async () => {
  const levels = levelsOf(12);
  const { reference, model, trainer } = await pairOf();
  const stopping = () => callbacks.earlyStopping({ monitor: 'val_loss', patience: 1, mode: 'max' });
  const args = { ...fitArgs, epochs: 9, validationSplit: 0.3 };
  const before = tf.memory().numTensors;
  const wanted = await reference.fit(levels, { ...args, callbacks: stopping() });
  const ofFit = tf.memory().numTensors - before;
  const got = await trainer.fit(levels, { ...args, callbacks: stopping() });
  expect(got.epoch).toEqual(wanted.epoch);
  expect(got.epoch.length).toBeLessThan(9);
  expect(tf.memory().numTensors - before).toBeLessThanOrEqual(2 * ofFit);
  const saved: number[] = [];
  class Saving extends Callback {
    override async onEpochEnd() {
      const handler = tf.io.withSaveHandler(async (artifacts) => {
        saved.push((artifacts.weightData as ArrayBuffer).byteLength);
        return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
      });
      await this.model.save(handler);
      await model.trainOnBatch(levels);
    }
  }
  await trainer.fit(levels, { ...fitArgs, callbacks: new Saving() as never });
  expect(saved).toEqual([0, 1].map(() => 4 * model.countParams()));
});

it('follows a model that is compiled again, or whose layers are frozen', async () => {
  const levels = levelsOf(6);
  const { reference, model, trainer } = await pairOf();
  await trainer.trainOnBatch(levels);
  await reference.trainOnBatch(levels);
  for (const each of [reference, model]) {
    const [, first] = each.layers;
    if (first !== undefined) first.trainable = false;
    each.compile({ optimizer: tf.train.sgd(0.1), loss: 'negativeLogLikelihood' });
  }
  const wanted = await reference.trainOnBatch(levels);
  expect(await trainer.trainOnBatch(levels)).toBeCloseTo(wanted, 5);
  expect(largestDifference(await weightsOf(model), await weightsOf(reference))).toBeLessThan(1e-5);
});
