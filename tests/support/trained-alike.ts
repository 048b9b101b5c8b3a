import * as tf from '@tensorflow/tfjs-core';
import { type AutoregressiveModel, bitsPerDim, createTrainer } from 'pixelcnn-layers';
import type { PoolWorker } from 'pixelcnn-layers/runtime';
import { expect } from 'vitest';
import { imageShapeOf, type ModelRecipe, modelRecipes, randomModel } from './random-model';
import { largestDifference } from './tensors';

/** Whether a worker knows all layers: not those of a user, in composed graphs. */
const isOfLibrary = ({ family, steps, tail, output, conditions }: ModelRecipe) =>
  family !== 'composed' ||
  (output !== 'own' &&
    Object.keys(conditions).length === 0 &&
    ['none', 'tanh', 'normalize', 'add'].includes(tail) &&
    steps.every(({ kind }) => !['twoGains', 'condition', 'ownOps'].includes(kind)));

export const trainedRecipes = modelRecipes.filter(isOfLibrary);

/** Levels of some images, and their conditions, random ones. */
function dataFor({ conditions, levels }: AutoregressiveModel, [n, h, w, c]: readonly number[], seed: number) {
  const uniform = (shape: (number | undefined)[], end: number, dtype: 'int32' | 'float32') =>
    tf.randomUniform<tf.Rank.R4>(shape as [number, number, number, number], 0, end, dtype, seed);
  const given = conditions.map((one) => {
    if (one.kind === 'class')
      return Array.from(
        { length: n as number },
        (_, i) => (i + seed) % (one.numClasses + (one.nullClass ? 1 : 0)),
      );
    if (one.kind === 'codes') return uniform([n, ...one.shape], one.levels, 'int32');
    return uniform(one.kind === 'vector' ? [n, one.size] : [n, h, w, one.size], 1, 'float32');
  });
  const named = Object.fromEntries(given.map((value, i) => [conditions[i]?.kind, value]));
  return {
    levels: uniform([n, h, w, c], levels, 'int32'),
    given,
    condition: given.length > 1 ? named : given[0],
  };
}

/**
 * Expects that trainers of a random model give it the same bits for any number of workers, and the weights and the
 * history of `fit` but for rounding.
 */
export async function expectTrainedAlike(
  recipe: ModelRecipe,
  seed: number,
  createWorker: () => PoolWorker,
): Promise<void> {
  const numImages = 1 + (seed % 7);
  const [batchSize, shards] = [1 + (seed % 5), 1 + (seed % 4)];
  const trained = async (workers: number) => {
    const model = randomModel(recipe) as AutoregressiveModel;
    model.compile({ optimizer: tf.train.momentum(0.01, 0.9), loss: bitsPerDim });
    const { levels, given, condition } = dataFor(model, [numImages, ...imageShapeOf(recipe)], seed);
    const args = { epochs: 2, batchSize, shuffle: false, verbose: 0, condition } as never;
    const trainer = workers === 0 ? null : await createTrainer(model, { workers, shards, createWorker });
    try {
      const { history } = await (trainer ?? model).fit(levels, args);
      const weights = await Promise.all(model.getWeights().map((weight) => weight.data()));
      return [...weights.flatMap((values) => [...values]), ...(history['loss'] as number[])];
    } finally {
      await trainer?.dispose();
      tf.dispose([levels, given] as tf.TensorContainer);
      model.dispose();
    }
  };
  const [wanted, ...all] = [await trained(0), await trained(1), await trained(2), await trained(3)];
  const scale = Math.max(1, ...(wanted as number[]).map(Math.abs));
  expect(largestDifference(all[0] as number[], wanted as number[])).toBeLessThan(1e-5 * scale);
  for (const other of all) expect(other).toEqual(all[0]);
}
