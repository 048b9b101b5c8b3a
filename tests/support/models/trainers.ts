import * as tf from '@tensorflow/tfjs-core';
import {
  type AutoregressiveModel,
  bitsPerDim,
  createTrainer,
  gatedPixelCNN,
  imageGPT,
  pixelCNN,
  pixelCNNPlusPlus,
  pixelSNAIL,
  type Trainer,
  type TrainerOptions,
} from 'pixelcnn-layers';
import { expect } from 'vitest';
import { weightsOf } from '../tensors';
import { startTrainInProcess } from '../workers/pool-in-process';

// Small models, and trainers of them whose workers are no threads.

const trainers: Trainer[] = [];
const models: AutoregressiveModel[] = [];
const tensors: tf.Tensor[] = [];

/** Releases what a test has made here. */
export async function release(): Promise<void> {
  await Promise.all(trainers.splice(0).map((trainer) => trainer.dispose()));
  for (const model of models.splice(0)) model.dispose();
  tf.dispose(tensors.splice(0));
}

export async function trainerOf(model: AutoregressiveModel, options: TrainerOptions = {}): Promise<Trainer> {
  const usual = { workers: 2, shards: 4, createWorker: startTrainInProcess }; // fewer parts than by default take less time
  const trainer = await createTrainer(model, { ...usual, ...options });
  trainers.push(trainer);
  return trainer;
}

const sizes = { imageShape: [4, 4, 1] as [number, number, number], levels: 3, seed: 5, dropout: 0.3 };

export const makers: [string, () => AutoregressiveModel][] = [
  ['pixelCNN', () => pixelCNN({ ...sizes, hiddenDim: 3, outDim: 4, numBlocks: 1 })],
  ['gatedPixelCNN', () => gatedPixelCNN({ ...sizes, hiddenDim: 3, outDim: 4, numBlocks: 1 })],
  ['pixelCNNPlusPlus', () => pixelCNNPlusPlus({ ...sizes, filters: 3, numResnets: 1, output: { components: 2 } })],
  ['pixelSNAIL', () => pixelSNAIL({ ...sizes, filters: 4, heads: 2, numBlocks: 1, numResBlocks: 1, resFilters: 2 })],
  ['imageGPT', () => imageGPT({ ...sizes, width: 4, heads: 2, layers: 1 })],
]; // biome-ignore format: one a line

export function compiled(
  make: () => AutoregressiveModel,
  // Of an epsilon above the rounding of gradients, since that of a key's bias is 0 but for rounding.
  optimizer: tf.Optimizer = tf.train.adam(0.01, 0.9, 0.999, 1e-4),
): AutoregressiveModel {
  const model = make();
  model.compile({ optimizer, loss: bitsPerDim, metrics: ['negativeLogLikelihood'] });
  models.push(model);
  return model;
}
export const plain = () => compiled(makers[0]?.[1] as () => AutoregressiveModel);

export function levelsOf(numImages: number): tf.Tensor4D {
  const levels = tf.randomUniform<tf.Rank.R4>([numImages, 4, 4, 1], 0, 3, 'int32', 7);
  tensors.push(levels);
  return levels;
}

/** Two models alike, and a trainer of the second. */
export async function pairOf(options?: TrainerOptions) {
  const [reference, model] = [plain(), plain()];
  return { reference, model, trainer: await trainerOf(model, options) };
}

/** Expects that two models have the same weights, to the bit. */
export const expectSame = async (a: AutoregressiveModel, b: AutoregressiveModel) => expect(await weightsOf(a)).toEqual(await weightsOf(b));

export const fitArgs = { epochs: 2, batchSize: 7, shuffle: false, verbose: 0 } as const;
