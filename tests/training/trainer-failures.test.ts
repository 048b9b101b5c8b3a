import * as tf from '@tensorflow/tfjs-core';
import { initializers, input, type LayerVariable, layers, model as tfModel } from '@tensorflow/tfjs-layers';
import { type AutoregressiveModel, bitsPerDim, createTrainer, maskedConv2d, type Trainer } from 'pixelcnn-layers';
import type { PoolWorker } from 'pixelcnn-layers/runtime';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { useBackend } from '../support/backends';
import { modelOf, through } from '../support/models/graphs';
import { compiled, expectSame, fitArgs, levelsOf, makers, pairOf, plain, release, trainerOf } from '../support/models/trainers';
import { scoped } from '../support/scoped';
import { largestDifference, weightsOf } from '../support/tensors';
import { startSilent, startTrainInProcess } from '../support/workers/pool-in-process';

// What may go wrong while a trainer trains, and what it is not meant for.

beforeAll(() => useBackend('wasm')); // as workers do, which are in the same thread here
afterEach(release);

/** A model, and a trainer of it. */
async function training() {
  const model = plain();
  return { model, trainer: await trainerOf(model) };
}

/** Workers to which messages go as `post` has it. */
const workersBy = (post: (worker: PoolWorker, message: { kind: string; tensors?: unknown[] }, transfer: ArrayBuffer[]) => void) => () => {
  const worker = startTrainInProcess();
  return { ...worker, postMessage: (message: never, transfer: ArrayBuffer[]) => post(worker, message, transfer) } as PoolWorker;
};

/** A dataset of whatever `next` returns the k-th time it is asked. */
const batches = (next: (k: number) => unknown) => {
  let k = 0;
  return { iterator: async () => ({ next: () => next(k++) }) } as never;
};

/** Lets what is under way go on. */
const turn = () => new Promise((resolve) => setTimeout(resolve));

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
    await expectSame(model, reference);
  });

  it('is an error once none is left, and changes no weight', async () => {
    const levels = levelsOf(9);
    const model = plain();
    const before = await weightsOf(model);
    const trainer = await trainerOf(model, { createWorker: () => startMortal(1) });
    const numTensors = tf.memory().numTensors;
    const message = 'trainer: no worker is left: trainer: a worker ended before its work was done: killed';
    await expect(trainer.fit(levels, fitArgs)).rejects.toThrow(message);
    expect(await weightsOf(model)).toEqual(before);
    expect(tf.memory().numTensors).toBe(numTensors);
    await expect(trainer.trainOnBatch(levels)).rejects.toThrow('trainer: no worker is left');
  });
});

describe('errors', () => {
  it('of callbacks end the training, and leave no tensor and no method behind', async () => {
    const levels = levelsOf(9);
    const { model, trainer } = await training();
    await trainer.trainOnBatch(levels); // makes what the optimizer keeps
    const before = tf.memory().numTensors;
    const onBatchBegin = () => Promise.reject(new Error('from the callback'));
    const work = trainer.fit(levels, { ...fitArgs, callbacks: { onBatchBegin } });
    await expect(work).rejects.toThrow('from the callback');
    expect(Object.keys(model).filter((key) => /makeTrain|evaluateD/.test(key))).toEqual([]);
    expect(tf.memory().numTensors).toBeLessThanOrEqual(before + 2); // the batch, which tfjs does not release
    await trainer.fit(levels, fitArgs);
  });

  const methods = ['fit', 'fitDataset', 'evaluate', 'trainOnBatch'] as const;
  it.each(methods)('dispose, once or more, rejects %s under way, and all that comes later', async (name) => {
    const levels = levelsOf(9);
    const { model, trainer } = await training();
    await trainer.trainOnBatch(levels);
    const before = tf.memory();
    const endingAtSecond = (k: number) => {
      if (k === 1) void trainer.dispose(); // the first is being computed
      return { value: levelsOf(9), done: false };
    };
    const calls = {
      fit: () => trainer.fit(levels, { ...fitArgs, callbacks: { onBatchEnd: async () => void trainer.dispose() } }),
      fitDataset: () => trainer.fitDataset(batches(endingAtSecond), { epochs: 1, verbose: 0 }),
      evaluate: () => trainer.evaluate(levels),
      trainOnBatch: () => trainer.trainOnBatch(levels),
    };
    const work = expect(calls[name]()).rejects.toThrow('trainer: it has been disposed');
    if (name.startsWith('fit')) await work;
    await Promise.all([work, trainer.dispose(), trainer.dispose()]);
    for (const call of Object.values(calls)) await expect(call()).rejects.toThrow('trainer: it has been disposed');
    await turn();
    const sums = name.startsWith('fit') ? 2 * 2 : 0; // of tfjs's log
    expect(tf.memory().numTensors - before.numTensors).toBeLessThanOrEqual(sums);
    await model.fit(levels, fitArgs); // the model trains on by itself
  });

  it('name what is wrong', async () => {
    const model = plain();
    const wrong: [options: object, message: string, model?: object][] = [
      [{ workers: 0 }, 'workers: wanted an integer of at least 1, got 0'],
      [{ workers: 1.5 }, 'workers: wanted an integer of at least 1, got 1.5'],
      [{ workers: 'all' }, "workers: wanted an integer of at least 1, got 'all'"],
      [{ createWorker: () => 1 }, 'createWorker: wanted a function that returns a worker, got 1'],
      [{}, 'model: wanted a model of autoregressiveModel', {}],
    ];
    for (const [options, message, of = model] of wrong)
      await expect(createTrainer(of as never, options as never)).rejects.toThrow(`createTrainer: ${message}`);
    const raw = scoped(makers[0]?.[1]() as AutoregressiveModel);
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
  });
});

describe('calls at a time', () => {
  it('take their steps one after the other, and leave the model its own', async () => {
    const [reference, model] = [plain(), plain()];
    const [a, b] = [levelsOf(6), levelsOf(9)];
    const inTurn = await trainerOf(reference);
    const wanted = [await inTurn.trainOnBatch(a), await inTurn.trainOnBatch(b)];
    const trainer = await trainerOf(model);
    expect(await Promise.all([trainer.trainOnBatch(a), trainer.trainOnBatch(b)])).toEqual(wanted);
    await expectSame(model, reference);
    await reference.fit(a, fitArgs);
    await model.fit(a, fitArgs);
    await expectSame(model, reference);
  });

  it('of fit are refused, as by the model', async () => {
    const levels = levelsOf(6);
    const { reference, model, trainer } = await pairOf();
    await (await trainerOf(reference)).fit(levels, fitArgs);
    const first = trainer.fit(levels, fitArgs);
    await expect(trainer.fit(levels, fitArgs)).rejects.toThrow('another fit() call is ongoing');
    await first;
    await expectSame(model, reference);
    expect(Object.keys(model).filter((key) => /makeTrain|evaluateD/.test(key))).toEqual([]);
  });

  /** Multiplies all weights of a model. */
  const scale = (model: AutoregressiveModel, factor: number) =>
    model.setWeights(scoped(model.getWeights().map((weight) => tf.mul(weight, factor))));
  /** A model with its trainer, whose workers have got all of a batch once `isComputing` resolves. */
  async function computing() {
    const model = plain();
    let started = () => {};
    const isComputing = new Promise<void>((resolve) => (started = resolve));
    const createWorker = workersBy((worker, message, transfer) => {
      worker.postMessage(message, transfer);
      if (message.kind === 'work') started();
    });
    return { model, trainer: await trainerOf(model, { createWorker }), isComputing };
  }
  const refusal = 'trainer: weights of the model were assigned while their gradients were computed';

  it.each(['', ', with an evaluation queued behind'])('apply no gradients of other weights%s', async (queued) => {
    const levels = levelsOf(6);
    const { model, trainer, isComputing } = await computing();
    const step = expect(trainer.trainOnBatch(levels)).rejects.toThrow(refusal);
    await isComputing;
    scale(model, 2);
    const assigned = await weightsOf(model);
    const evaluation = queued && trainer.evaluate(levels);
    await step;
    await evaluation;
    expect(await weightsOf(model)).toEqual(assigned);
    await trainer.fit(levels, { ...fitArgs, callbacks: { onBatchEnd: async () => void (await trainer.trainOnBatch(levels)) } });
  });

  it('apply no gradients to a model that was compiled meanwhile', async () => {
    const levels = levelsOf(6);
    const { model, trainer, isComputing } = await computing();
    const [, first] = model.layers as [unknown, layers.Layer];
    const kernel = async () => [...(await (first.weights[0] as LayerVariable).read().data())];
    const before = await kernel();
    const step = expect(trainer.trainOnBatch(levels)).rejects.toThrow(refusal);
    await isComputing;
    first.trainable = false;
    model.compile({ optimizer: 'sgd', loss: bitsPerDim });
    await step;
    expect(await kernel()).toEqual(before);
  });

  it('compute with weights that were assigned while others were read', async () => {
    const levels = levelsOf(6);
    const model = plain();
    model.compile({ optimizer: 'sgd', loss: bitsPerDim, checkLabels: false }); // so that nothing else is read
    const trainer = await trainerOf(model);
    await new Promise<void>((isReading) => {
      const read = vi.spyOn(tf.backend(), 'read').mockImplementation(async function (this: tf.KernelBackend, id) {
        const values = this.readSync(id);
        isReading();
        await turn();
        return values as never;
      });
      void trainer.evaluate(levels).then(() => read.mockRestore());
    });
    scale(model, 2);
    const [wanted = 0] = await model.evaluate(levels).data();
    expect(await trainer.evaluate(levels)).toBeCloseTo(wanted, 5);
  });
});

/** A layer with a weight that is not read, before one that is. */
class Idle extends layers.Layer {
  static className = 'Idle';
  override build(): void {
    for (const name of ['idle', 'gain']) this.addWeight(name, [1], 'float32', initializers.ones());
    this.built = true;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.mul([inputs].flat()[0] as tf.Tensor, this.weights[1]?.read() as tf.Tensor);
  }
}
tf.serialization.registerClass(Idle);

it('trains weights that others, before them, are not: not read, frozen, or of a model within', async () => {
  const levels = levelsOf(6);
  const make = () => {
    const conv = maskedConv2d({ filters: 3, kernelSize: 3, maskType: 'A', imageChannels: 1 });
    const inputs = input({ shape: [4, 4, 3] });
    const point = (name: string) => maskedConv2d({ filters: 3, kernelSize: 1, imageChannels: 1, name });
    const within = tfModel({ inputs, outputs: through(inputs, new Idle({}), point('second'), point('first')) });
    const model = modelOf([4, 4, 1], 3, (image) => through(image, conv, within));
    model.setWeights(scoped(model.getWeights().map(({ shape }, i) => tf.randomUniform(shape, -1, 1, 'float32', i + 1))));
    return { model: compiled(() => model), conv, within };
  };
  const [reference, own] = [make(), make()];
  const both = [reference, own];
  for (const { conv } of both) conv.trainable = false; // tfjs minds it at once
  const trainer = await trainerOf(own.model);
  const expectAlike = async () => {
    const wanted = await reference.model.trainOnBatch<number[]>(levels);
    const got = await trainer.trainOnBatch<number[]>(levels);
    expect(largestDifference(got, wanted)).toBeLessThan(1e-5);
    expect(largestDifference(await weightsOf(own.model), await weightsOf(reference.model))).toBeLessThan(1e-5);
  };
  await expectAlike();
  for (const { within, model } of both) {
    (within.layers[2] as layers.Layer).trainable = false;
    model.compile({ optimizer: tf.train.sgd(0.1), loss: bitsPerDim, metrics: ['negativeLogLikelihood'] });
  }
  await expectAlike();
});

describe('a trainer does not begin', () => {
  it('if a worker cannot be started, and ends the others', async () => {
    let [started, ended] = [0, 0];
    const createWorker = (second: () => PoolWorker) => () => {
      if (started++ % 2 === 1) return second();
      const worker = startTrainInProcess();
      return { ...worker, terminate: () => void ended++ };
    };
    const broken = vi.fn().mockThrow(new Error('out of workers'));
    await expect(trainerOf(plain(), { createWorker: createWorker(broken) })).rejects.toThrow('out of workers');
    expect(ended).toBe(1);
    const later = (async () => startTrainInProcess()) as object as () => PoolWorker;
    const none = trainerOf(plain(), { createWorker: createWorker(later) });
    await expect(none).rejects.toThrow('createTrainer: createWorker: wanted a function that returns a worker');
    expect(ended).toBe(2);
  });

  it('with a layer that mixes images', async () => {
    const conv = maskedConv2d({ filters: 3, kernelSize: 3, maskType: 'A', imageChannels: 1 });
    const model = compiled(() => modelOf([4, 4, 1], 3, (image) => through(image, conv, layers.batchNormalization())));
    const message = "createTrainer: model: wanted layers that compute each image by itself, got 'batch_normalization";
    await expect(trainerOf(model)).rejects.toThrow(message);
  });

  it('to train with wrong validation data', async () => {
    const { model, trainer } = await training();
    const before = await weightsOf(model);
    const [levels, wrong] = [scoped(levelsOf(6)), scoped(tf.fill([2, 4, 4, 1], 3, 'int32') as tf.Tensor4D)];
    const dataset = { iterator: async () => ({ next: async () => ({ value: undefined, done: true }) }) };
    const calls = [
      ['fit', () => trainer.fit(levels, { ...fitArgs, validationData: wrong })],
      ['fitDataset', () => trainer.fitDataset(dataset as never, { epochs: 1, validationData: wrong })],
    ] as const;
    for (const [name, call] of calls)
      await expect(call()).rejects.toThrow(`${name}: validationData: levels at [0,0,0,0]: wanted integer levels`);
    expect(await weightsOf(model)).toEqual(before);
    await expect(trainer.fitDataset(dataset as never, undefined as never)).rejects.toThrow('fitDataset: wanted');
    const misspelt = { epochs: 1, epoch: 2 } as never;
    await expect(trainer.fitDataset(dataset as never, misspelt)).rejects.toThrow("unknown option 'epoch'");
  });
});

describe('datasets', () => {
  const batch = () => ({ value: levelsOf(4), done: false });

  const throws = vi.fn().mockThrow(new Error('no more'));
  const failing = { throws, rejects: async () => throws() };
  it.each(Object.entries(failing))('whose iterator %s end the training with its error, after the batches before', async (_, fail) => {
    const { trainer } = await training();
    const two = batches((k) => (k < 2 ? batch() : { done: true }));
    await trainer.fitDataset(two, { epochs: 1, verbose: 0 });
    const before = tf.memory();
    const ended: number[] = [];
    const callbacks = { onBatchEnd: async (k: number) => void ended.push(k) };
    const work = trainer.fitDataset(
      batches((k) => (k < 2 ? batch() : fail())),
      { epochs: 1, verbose: 0, callbacks },
    );
    await expect(work).rejects.toThrow('no more');
    expect(ended).toEqual([0, 1]);
    expect(tf.memory().numTensors - before.numTensors).toBeLessThanOrEqual(2 * 2); // sums of tfjs's own log
  });

  it('that end with their last batch, or early, train as by the model', async () => {
    const { reference, model, trainer } = await pairOf();
    const short = () => batches((k) => (k % 2 === 0 ? batch() : { ...batch(), done: true }));
    const args = { epochs: 2, verbose: 0 } as const;
    const wanted = await reference.fitDataset(short(), args);
    const got = await trainer.fitDataset(short(), args);
    expect(got.epoch).toEqual(wanted.epoch);
    expect(largestDifference(await weightsOf(model), await weightsOf(reference))).toBeLessThan(1e-5);
    const empty = batches(() => ({ done: true }));
    expect((await trainer.fitDataset(empty, args)).epoch).toEqual((await reference.fitDataset(empty, args)).epoch);
    const many = { ...args, batchesPerEpoch: 3 };
    const five = () => batches(async (k) => (k < 5 ? batch() : { value: undefined, done: true }));
    await reference.fitDataset(five(), many);
    await trainer.fitDataset(five(), many);
    expect(largestDifference(await weightsOf(model), await weightsOf(reference))).toBeLessThan(1e-5);
  });
});

describe('an interrupted training leaves no more tensors than that of the model', () => {
  const thrown = vi.fn().mockRejectedValue(new Error('from the callback'));
  it.each(['onTrainBegin', 'onEpochBegin', 'onBatchBegin', 'onBatchEnd', 'onEpochEnd', 'onTrainEnd'])('%s', async (name) => {
    const levels = levelsOf(9);
    const left = async (model: AutoregressiveModel, train: Trainer['fit']) => {
      await model.trainOnBatch(levels);
      const before = tf.memory();
      await expect(train(levels, { ...fitArgs, callbacks: { [name]: thrown } })).rejects.toThrow('from the callback');
      await turn();
      const { numTensors, numDataBuffers } = tf.memory();
      return [numTensors - before.numTensors, numDataBuffers - before.numDataBuffers];
    };
    const { reference, model, trainer } = await pairOf();
    const [tensors = 0, buffers = 0] = await left(reference, (...args) => reference.fit(...args));
    const [ofTrainer = 0, buffersOfTrainer = 0] = await left(model, (...args) => trainer.fit(...args));
    expect(ofTrainer).toBeLessThanOrEqual(tensors);
    expect(buffersOfTrainer).toBeLessThanOrEqual(buffers);
  });
});

it('computes NaN of labels that are not checked, as the model does', async () => {
  const levels = tf.fill([4, 4, 4, 1], Number.NaN) as tf.Tensor4D;
  const { reference, model, trainer } = await pairOf();
  await expect(trainer.trainOnBatch(levels)).rejects.toThrow('wanted integer levels 0 to 2, got NaN');
  for (const each of [reference, model]) each.compile({ optimizer: 'sgd', loss: bitsPerDim, checkLabels: false });
  expect(await trainer.trainOnBatch(levels)).toEqual(await reference.trainOnBatch(levels));
});

it('passes on what a worker throws, and trains on', async () => {
  const levels = levelsOf(9);
  const [reference, model] = [plain(), plain()];
  await (await trainerOf(reference)).trainOnBatch(levels);
  let isWrong = true;
  const createWorker = workersBy((worker, message, transfer) => {
    worker.postMessage(isWrong && message.tensors ? { ...message, tensors: [] } : message, transfer);
  });
  const trainer = await trainerOf(model, { createWorker });
  const before = tf.memory().numTensors;
  await expect(trainer.trainOnBatch(levels)).rejects.toThrow();
  await expect(trainer.fit(levels, fitArgs)).rejects.toThrow();
  await expect(trainer.evaluate(levels)).rejects.toThrow();
  expect(tf.memory().numTensors).toBe(before);
  isWrong = false;
  await trainer.trainOnBatch(levels);
  await expectSame(model, reference);
});

it('says so where its workers have ended meanwhile', async () => {
  const silent: ReturnType<typeof startSilent>[] = [];
  const trainer = await trainerOf(plain(), {
    createWorker: () => {
      const worker = startTrainInProcess() as PoolWorker & { addEventListener: Worker['addEventListener'] };
      const own = startSilent();
      silent.push(own);
      worker.addEventListener('message', ({ data }: { data: unknown }) => own.tell('message', { data }));
      return { ...own.worker, postMessage: worker.postMessage, terminate: worker.terminate } as PoolWorker;
    },
  });
  for (const { tell } of silent) tell('error', { preventDefault() {}, message: 'killed' });
  const levels = levelsOf(4);
  await expect(trainer.trainOnBatch(levels)).rejects.toThrow('trainer: no worker is left: they ended while they had no work');
  await trainer.dispose();
  await trainer.dispose();
});
