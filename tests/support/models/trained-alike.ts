import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { type AutoregressiveModel, bitsPerDim, createTrainer } from 'pixelcnn-layers';
import type { PoolWorker } from 'pixelcnn-layers/runtime';
import { expect } from 'vitest';
import { uniformsOf } from '../../../src/runtime/core/random';
import { largestDifference, weightsOf } from '../tensors';
import { imageShapeOf, type ModelRecipe, modelRecipes, randomModel } from './random-model';

// Random models, trained by trainers and by themselves: whatever they are, whoever assigns their weights, and when.

/** Whether a worker knows all layers: not those of a user, in composed graphs. */
const isOfLibrary = ({ family, steps, tail, output, conditions }: ModelRecipe) =>
  family !== 'composed' ||
  (output !== 'own' &&
    Object.keys(conditions).length === 0 &&
    ['none', 'tanh', 'normalize', 'add'].includes(tail) &&
    steps.every(({ kind }) => !['twoGains', 'condition', 'ownOps'].includes(kind)));

export const trainedRecipes = modelRecipes.filter(isOfLibrary);

const CONSTRAINTS = [
  { class_name: 'UnitNorm', config: { axis: 0 } },
  { class_name: 'MaxNorm', config: { max_value: 0.3, axis: 0 } },
  { class_name: 'MinMaxNorm', config: { min_value: 0.2, max_value: 0.4, rate: 0.7, axis: 0 } },
  { class_name: 'NonNeg', config: {} },
];

/**
 * The model of a recipe, whose weights have random constraints, which they do not fulfil, and whose layers drop features
 * by noise without a seed.
 */
async function trainedModel(recipe: ModelRecipe, seed: number): Promise<AutoregressiveModel> {
  const random = uniformsOf(`${seed}/model`);
  const plain = randomModel(recipe) as AutoregressiveModel;
  const modelTopology = JSON.parse(JSON.stringify(plain.toJSON(null, false)), (key, value) => {
    if (key.endsWith('_constraint') && random() < 0.5) return CONSTRAINTS[Math.floor(random() * CONSTRAINTS.length)];
    if (key === 'dropout') return random() < 0.5 ? 0.3 : 0;
    if (value?.class_name === 'ELU') return { ...value, class_name: 'PixelDropout', config: { name: value.config.name, rate: 0.2 } };
    return value;
  });
  const model = (await loadLayersModel({ load: async () => ({ modelTopology }) })) as AutoregressiveModel;
  assign(model, plain.getWeights());
  plain.dispose();
  return model;
}

/** Gives a model weights as they are, whatever their constraints. */
function assign(model: AutoregressiveModel, values: readonly tf.Tensor[]): void {
  for (const [i, weight] of model.getWeights().entries()) (weight as tf.Variable).assign(values[i] as tf.Tensor);
}

/** The weights of a model, multiplied; the caller disposes them. */
const scaled = (model: AutoregressiveModel, factor: number) => model.getWeights().map((weight) => tf.mul(weight, factor));

/** Levels of some images, and their conditions, random ones. */
function dataFor({ conditions, levels }: AutoregressiveModel, [n, h, w, c]: readonly number[], seed: number) {
  const uniform = (shape: (number | undefined)[], end: number, dtype: 'int32' | 'float32') =>
    tf.randomUniform<tf.Rank.R4>(shape as [number, number, number, number], 0, end, dtype, seed);
  const given = conditions.map((one) => {
    if (one.kind === 'class') return Array.from({ length: n as number }, (_, i) => (i + seed) % (one.numClasses + (one.nullClass ? 1 : 0)));
    if (one.kind === 'codes') return uniform([n, ...one.shape], one.levels, 'int32');
    return uniform(one.kind === 'vector' ? [n, one.size] : [n, h, w, one.size], 1, 'float32');
  });
  const named = Object.fromEntries(given.map((value, i) => [conditions[i]?.kind, value]));
  return { levels: uniform([n, h, w, c], levels, 'int32'), given, condition: (given.length > 1 ? named : given[0]) as never };
}

/** A random model with data, which begins again with the same weights and a new optimizer. */
async function beginning(recipe: ModelRecipe, seed: number) {
  const model = await trainedModel(recipe, seed);
  const data = dataFor(model, [1 + (seed % 7), ...imageShapeOf(recipe)], seed);
  const start = scaled(model, 1);
  return {
    model,
    ...data,
    begin(weights: readonly tf.Tensor[] = start): void {
      assign(model, weights);
      model.compile({ optimizer: tf.train.momentum(0.01, 0.9), loss: bitsPerDim });
    },
    dispose(): void {
      tf.dispose([start, data.levels, data.given] as tf.TensorContainer);
      model.dispose();
    },
  };
}

/** Expects all numbers within rounding of those wanted. */
function expectRounded(got: readonly number[], wanted: readonly number[]): void {
  const largest = wanted.reduce((most, number) => Math.max(most, Math.abs(number)), 1);
  expect(largestDifference(got, wanted)).toBeLessThan(1e-5 * largest);
}

/**
 * Expects that trainers of a random model, with callbacks that assign weights and evaluate, give it the same bits for
 * any number of workers, and the weights, the history and the losses of `fit` and `evaluate` but for rounding.
 */
export async function expectTrainedAlike(recipe: ModelRecipe, seed: number, createWorker: () => PoolWorker): Promise<void> {
  const { model, levels, condition, begin, dispose } = await beginning(recipe, seed);
  const [batchSize, shards] = [1 + (seed % 5), 1 + (seed % 4)];
  const trained = async (workers: number) => {
    begin();
    const trainer = workers === 0 ? null : await createTrainer(model, { workers, shards, createWorker });
    const evaluated = async () =>
      trainer ? trainer.evaluate(levels, { condition }) : ((await model.evaluate(levels, { condition }).data())[0] as number);
    const losses = [await evaluated()];
    const queued: Promise<number>[] = [];
    const random = uniformsOf(`${seed}/callbacks`);
    const assigning = async () => {
      const [chance, factor] = [random(), 0.9 + 0.2 * random()];
      if (chance < 0.2) losses.push(await evaluated());
      else if (chance < 0.4) {
        const evaluation = evaluated();
        evaluation.catch(() => undefined); // awaited at the end
        queued.push(evaluation);
      }
      if (chance > 0.6) return;
      const weights = scaled(model, factor);
      if (chance < 0.3)
        model.setWeights(weights); // applies constraints
      else assign(model, weights);
      tf.dispose(weights);
    };
    const events = ['onTrainBegin', 'onEpochBegin', 'onBatchBegin', 'onBatchEnd', 'onEpochEnd', 'onTrainEnd'];
    const callbacks = Object.fromEntries(events.map((event) => [event, assigning]));
    const validationSplit = seed % 3 === 0 && levels.shape[0] > 1 ? 0.5 : 0;
    try {
      const args = { epochs: 2, batchSize, shuffle: false, verbose: 0, condition, callbacks, validationSplit };
      const { history } = await (trainer ?? model).fit(levels, args as object);
      losses.push(await evaluated());
      await Promise.all(queued);
      return [...(await weightsOf(model)), ...losses, ...(Object.values(history).flat() as number[])];
    } finally {
      await trainer?.dispose();
    }
  };
  try {
    const [wanted, one, two, three] = [await trained(0), await trained(1), await trained(2), await trained(3)];
    expectRounded(one, wanted);
    expect([two, three]).toEqual([one, one]);
  } finally {
    dispose();
  }
}

/** What became of a step while whose gradients were computed weights were assigned. */
export type Outcome = 'before the step' | 'refused' | 'after the step';

/**
 * Expects that a step of a trainer, in the middle of which weights are assigned, is as if they were assigned before it or
 * after it, or is refused and changes no weight, whether or not an evaluation is queued behind it. Returns which it was.
 */
export async function expectNoStaleStep(recipe: ModelRecipe, seed: number, createWorker: () => PoolWorker): Promise<Outcome> {
  const { model, levels, condition, begin, dispose } = await beginning(recipe, seed);
  const random = uniformsOf(`${seed}/moment`);
  const [workers, shards] = [3, 4].map((most) => 1 + Math.floor(random() * most)) as [number, number];
  const turns = Math.floor(8 * random()); // within which most steps are done
  begin();
  const others = scaled(model, 1.3);
  const trainer = await createTrainer(model, { workers, shards, createWorker });
  try {
    begin(others);
    await model.trainOnBatch(levels, { condition });
    const stepped = await weightsOf(model);
    begin();
    const step = trainer.trainOnBatch(levels, { condition });
    const isRefused = step.then(
      () => false,
      (error: Error) => {
        expect(error.message).toContain('trainer: weights of the model were assigned while');
        return true;
      },
    );
    for (let k = 0; k < turns; k++) await new Promise((resolve) => setTimeout(resolve));
    assign(model, others);
    const assigned = await weightsOf(model);
    const evaluation = random() < 0.5 ? trainer.evaluate(levels, { condition }) : undefined;
    evaluation?.catch(() => undefined); // awaited at the end
    const outcome = await isRefused;
    const [wanted = 0] = await model.evaluate(levels, { condition }).data();
    expectRounded([await trainer.evaluate(levels, { condition })], [wanted]);
    await evaluation;
    const got = await weightsOf(model);
    if (outcome || got.every((number, i) => number === assigned[i])) {
      expect(got).toEqual(assigned);
      return outcome ? 'refused' : 'after the step';
    }
    expectRounded(got, stepped);
    return 'before the step';
  } finally {
    await trainer.dispose();
    tf.dispose(others);
    dispose();
  }
}
