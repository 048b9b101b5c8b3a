import * as tf from '@tensorflow/tfjs-core';
import { type AutoregressiveModel, bitsPerDim, clipGradients, createTrainer, gatedPixelCNN, pixelCNN, pixelCNNPlusPlus, pixelSNAIL, type Trainer, type TrainerOptions, WeightAverage } from 'pixelcnn-layers'; // biome-ignore format: one line
import type { PoolWorker } from 'pixelcnn-layers/runtime';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { backends, useBackend } from '../support/backends';
import { startSilent, startTrainInProcess } from '../support/pool-in-process';
import { largestDifference } from '../support/tensors';

// What a trainer does is the same whatever its workers are; here they are no threads. Those are in tests/programs.

beforeAll(() => useBackend(backends[0] ?? 'cpu'));

const trainers: Trainer[] = [];
const models: AutoregressiveModel[] = [];
afterEach(async () => {
  await Promise.all(trainers.splice(0).map((trainer) => trainer.dispose()));
  for (const model of models.splice(0)) model.dispose();
});

async function trainerOf(model: AutoregressiveModel, options: TrainerOptions = {}): Promise<Trainer> {
  const trainer = await createTrainer(model, { workers: 2, createWorker: startTrainInProcess, ...options });
  trainers.push(trainer);
  return trainer;
}

const sizes = { imageShape: [4, 4, 1] as [number, number, number], levels: 3, seed: 5, dropout: 0.3 };

const factories: [string, () => AutoregressiveModel][] = [
  ['pixelCNN', () => pixelCNN({ ...sizes, hiddenDim: 3, outDim: 4, numBlocks: 1 })],
  ['gatedPixelCNN', () => gatedPixelCNN({ ...sizes, hiddenDim: 3, outDim: 4, numBlocks: 1 })],
  ['pixelCNNPlusPlus', () => pixelCNNPlusPlus({ ...sizes, filters: 3, numResnets: 1, output: { components: 2 } })],
  ['pixelSNAIL', () => pixelSNAIL({ ...sizes, filters: 4, heads: 2, numBlocks: 1, numResBlocks: 1, resFilters: 2 })],
]; // biome-ignore format: one a line

function compiled(
  make: () => AutoregressiveModel,
  optimizer: tf.Optimizer = tf.train.adam(0.01),
): AutoregressiveModel {
  const model = make();
  model.compile({ optimizer, loss: bitsPerDim, metrics: ['negativeLogLikelihood'] });
  models.push(model);
  return model;
}
const plain = () => compiled(factories[0]?.[1] as () => AutoregressiveModel);

const levelsOf = (numImages: number) => tf.randomUniform([numImages, 4, 4, 1], 0, 3, 'int32', 7);

const weightsOf = async (model: AutoregressiveModel): Promise<number[]> =>
  (await Promise.all(model.getWeights().map((weight) => weight.data()))).flatMap((values) => [...values]);

const fitArgs = { epochs: 2, batchSize: 7, shuffle: false, verbose: 0 } as const;

describe('a trainer gives the weights of fit, to the bits of any number of workers', () => {
  it.each(factories)('%s', async (_, make) => {
    const levels = levelsOf(17);
    const reference = compiled(make);
    const { history: wanted } = await reference.fit(levels, { ...fitArgs, validationSplit: 0.2 });
    const before = await weightsOf(reference);
    const all: number[][] = [];
    for (const workers of [1, 2, 3]) {
      const model = compiled(make);
      const trainer = await trainerOf(model, { workers });
      const { history } = await trainer.fit(levels, { ...fitArgs, validationSplit: 0.2 });
      expect(Object.keys(history).sort()).toEqual(Object.keys(wanted).sort());
      for (const [name, values] of Object.entries(history))
        expect(largestDifference(values as number[], wanted[name] as number[])).toBeLessThan(1e-5);
      all.push(await weightsOf(model));
    }
    expect(largestDifference(all[0] as number[], before)).toBeLessThan(1e-5);
    expect(all[1]).toEqual(all[0]);
    expect(all[2]).toEqual(all[0]);
    levels.dispose();
  });
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
  levels.dispose();
});

it('clips, averages, evaluates and trains on batches like the model', async () => {
  const levels = levelsOf(8);
  const [reference, model] = [0, 1].map(() =>
    compiled(factories[1]?.[1] as () => AutoregressiveModel, clipGradients(tf.train.sgd(1), 0.01)),
  ) as [AutoregressiveModel, AutoregressiveModel];
  const trainer = await trainerOf(model);
  const average = new WeightAverage(model, { decay: 0.5 });
  for (let step = 0; step < 3; step++) {
    const wanted = await reference.trainOnBatch<number[]>(levels);
    expect(largestDifference(await trainer.trainOnBatch<number[]>(levels), wanted)).toBeLessThan(1e-5);
    average.update(step);
  }
  expect(largestDifference(await weightsOf(model), await weightsOf(reference))).toBeLessThan(1e-5);
  const figures = reference.evaluate<tf.Scalar[]>(levels, { batchSize: 3 });
  const wanted = await Promise.all(figures.map(async (figure) => (await figure.data())[0] as number));
  expect(largestDifference(await trainer.evaluate<number[]>(levels, { batchSize: 3 }), wanted)).toBeLessThan(
    1e-5,
  );
  const [own = 0] = await trainer.evaluate<number[]>(levels);
  const [averaged = 0] = await average.use(() => trainer.evaluate<number[]>(levels));
  expect(averaged).not.toBe(own); // workers see the weights as they are
  average.dispose();
  tf.dispose([levels, figures]);
});

it('asks callbacks and stops as fit does', async () => {
  const levels = levelsOf(12);
  const model = plain();
  const trainer = await trainerOf(model);
  const calls: string[] = [];
  const { history } = await trainer.fit(levels, {
    ...fitArgs,
    batchSize: 4,
    epochs: 5,
    callbacks: {
      onBatchEnd: async (batch, logs) => {
        calls.push(`batch ${batch} of ${logs?.['size']}`);
        if (calls.length === 5) model.stopTraining = true;
      },
      onEpochEnd: async (epoch) => void calls.push(`epoch ${epoch}`),
    },
  });
  const sizes = [0, 1, 2].map((batch) => `batch ${batch} of 4`);
  expect(calls).toEqual([...sizes, 'epoch 0', 'batch 0 of 4', 'epoch 1']);
  expect(history['loss']).toHaveLength(2);
  levels.dispose();
});

it('takes datasets, whose next batch is asked for while the current one is computed', async () => {
  const data = levelsOf(12);
  let asked = 0;
  const dataset = () => ({
    async iterator() {
      let at = 0;
      return {
        async next() {
          asked++;
          if (at === 12) return { value: undefined, done: true };
          at += 4;
          return { value: tf.slice(data, at - 4, 4), done: false };
        },
      };
    },
  });
  const [reference, model] = [plain(), plain()];
  await reference.fitDataset(dataset() as never, {
    epochs: 2,
    verbose: 0,
    validationData: data as tf.Tensor4D,
  });
  const trainer = await trainerOf(model);
  asked = 0;
  const seen: number[] = [];
  const callbacks = { onBatchBegin: async () => void seen.push(asked) };
  const args = { epochs: 2, verbose: 0, validationData: data as tf.Tensor4D, callbacks } as const;
  const before = tf.memory().numTensors;
  const { history } = await trainer.fitDataset(dataset() as never, args);
  expect(seen).toEqual([2, 3, 4, 6, 7, 8]);
  expect(history['val_loss']).toHaveLength(2);
  expect(largestDifference(await weightsOf(model), await weightsOf(reference))).toBeLessThan(1e-5);
  const moments = 2 * model.trainableWeights.length; // of Adam, and two powers of its betas
  expect(tf.memory().numTensors - before).toBeLessThanOrEqual(moments);
  data.dispose();
});

/** A worker that ends when it is asked for its part of that number. */
function startMortal(parts: number): PoolWorker {
  const worker = startTrainInProcess() as PoolWorker & { addEventListener: Worker['addEventListener'] };
  const silent = startSilent();
  let left = parts;
  let isDead = false;
  worker.addEventListener('message', ({ data }: { data: unknown }) => {
    if (!isDead) silent.tell('message', { data });
  });
  return {
    ...silent.worker,
    postMessage: (message: unknown, transfer: ArrayBuffer[] = []) => {
      if ((message as { kind: string }).kind === 'work' && left-- === 0) {
        isDead = true;
        setTimeout(() => silent.tell('error', { preventDefault() {}, message: 'killed' }));
      } else worker.postMessage(message, transfer);
    },
    terminate: () => worker.terminate(),
  } as PoolWorker;
}

describe('a worker that ends', () => {
  it.each([0, 1, 5])('after %d parts is replaced by the others, to the bit', async (parts) => {
    const levels = levelsOf(9);
    const [reference, model] = [plain(), plain()];
    await (await trainerOf(reference)).fit(levels, fitArgs);
    let started = 0;
    const createWorker = () => (started++ === 0 ? startMortal(parts) : startTrainInProcess());
    const trainer = await trainerOf(model, { createWorker });
    await trainer.fit(levels, fitArgs);
    expect(await weightsOf(model)).toEqual(await weightsOf(reference));
    levels.dispose();
  });

  it('is an error once none is left, and changes no weight', async () => {
    const levels = levelsOf(9);
    const model = plain();
    const before = await weightsOf(model);
    const trainer = await trainerOf(model, { createWorker: () => startMortal(1) });
    const numTensors = tf.memory().numTensors;
    await expect(trainer.fit(levels, fitArgs)).rejects.toThrow(
      'trainer: no worker is left: trainer: a worker ended before its work was done: killed',
    );
    expect(await weightsOf(model)).toEqual(before);
    expect(tf.memory().numTensors).toBe(numTensors);
    await expect(trainer.trainOnBatch(levels)).rejects.toThrow('trainer: no worker is left');
    levels.dispose();
  });
});

describe('errors', () => {
  it('of callbacks end the training, and leave no tensor and no method behind', async () => {
    const levels = levelsOf(9);
    const model = plain();
    const trainer = await trainerOf(model);
    await trainer.trainOnBatch(levels); // makes what the optimizer keeps
    const before = tf.memory().numTensors;
    const onBatchBegin = () => Promise.reject(new Error('from the callback'));
    const work = trainer.fit(levels, { ...fitArgs, callbacks: { onBatchBegin } });
    await expect(work).rejects.toThrow('from the callback');
    expect(Object.keys(model).filter((key) => /makeTrain|evaluateD/.test(key))).toEqual([]);
    expect(tf.memory().numTensors).toBeLessThanOrEqual(before + 2); // the batch, which tfjs does not release
    await trainer.fit(levels, fitArgs);
    levels.dispose();
  });

  it('dispose rejects what is under way, and all that comes later', async () => {
    const levels = levelsOf(9);
    const trainer = await trainerOf(plain());
    const work = trainer.fit(levels, { ...fitArgs, epochs: 1000 });
    setTimeout(() => trainer.dispose(), 50);
    await expect(work).rejects.toThrow('trainer: it was disposed of');
    await expect(trainer.evaluate(levels)).rejects.toThrow('trainer: it was disposed of');
    levels.dispose();
  });

  it('name what is wrong', async () => {
    const model = plain();
    const wrong = (options: object) => createTrainer(model, options as never);
    await expect(wrong({ workers: 0 })).rejects.toThrow('createTrainer: workers: wanted an integer of at least 1, got 0');
    await expect(wrong({ shard: 2 })).rejects.toThrow("createTrainer: unknown option 'shard': did you mean shards?");
    await expect(wrong({ createWorker: () => 1 })).rejects.toThrow('createTrainer: createWorker: wanted a function that returns a worker, got 1');
    await expect(createTrainer({} as never)).rejects.toThrow('createTrainer: model: wanted a model of autoregressiveModel');
    const raw = factories[0]?.[1]() as AutoregressiveModel;
    models.push(raw);
    await expect(createTrainer(raw)).rejects.toThrow('createTrainer: model: wanted one that has been compiled');
    raw.compile({ optimizer: 'sgd', loss: (labels, outputs) => bitsPerDim(labels, outputs) });
    await expect(trainerOf(raw)).rejects.toThrow('trainer: loss and metrics of the model: wanted bitsPerDim or negativeLogLikelihood');
    const trainer = await trainerOf(model);
    const levels = tf.fill([2, 4, 4, 1], 3, 'int32');
    const before = await weightsOf(model);
    for (const start of [() => trainer.fit(levels, fitArgs), () => trainer.trainOnBatch(levels), () => trainer.evaluate(levels)])
      await expect(start()).rejects.toThrow('wanted integer levels 0 to 2, got 3');
    expect(await weightsOf(model)).toEqual(before);
    await expect(trainer.fitDataset(levels as never, { epochs: 1 })).rejects.toThrow('fitDataset: dataset: wanted a dataset of tf.data');
    levels.dispose();
  }); // biome-ignore format: one line
});

it('works without shared memory, whose weights and gradients are transferred', async () => {
  const levels = levelsOf(9);
  const [reference, model] = [plain(), plain()];
  await (await trainerOf(reference)).fit(levels, fitArgs);
  vi.stubGlobal('SharedArrayBuffer', undefined);
  const trainer = await trainerOf(model);
  vi.unstubAllGlobals();
  await trainer.fit(levels, fitArgs);
  expect(await weightsOf(model)).toEqual(await weightsOf(reference));
  levels.dispose();
});

it('follows a model that is compiled again, or whose layers are frozen', async () => {
  const levels = levelsOf(6);
  const [reference, model] = [plain(), plain()];
  const trainer = await trainerOf(model);
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
  levels.dispose();
});
