import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type GatedPixelCNNArgs, gatedPixelCNN, type PixelCNNArgs, pixelCNN, pixelSNAIL } from 'pixelcnn-layers';
import { fileSystem } from 'pixelcnn-layers/node';
import { useBackend } from '../../kit/runs/backend.mjs';
import { seedWeights } from '../../kit/weights/weights.mjs';

/** Of a small model of the digits. */
const SIZES = { imageShape: [8, 8, 1] as [number, number, number], levels: 17, hiddenDim: 2, outDim: 2, numBlocks: 1, firstKernelSize: 3 };

/** Saves a small model that has learnt nothing; with `isZero` all its weights are 0, so that all levels are alike to it. */
export async function saveModel(directory: string, args: Partial<PixelCNNArgs>, isZero = false) {
  await useBackend('cpu');
  await save(pixelCNN({ ...SIZES, ...args }), directory, isZero);
}

/** The same of a gated model, which may be conditioned. */
export async function saveGatedModel(directory: string, args: Partial<GatedPixelCNNArgs>, isZero = false) {
  await useBackend('cpu');
  await save(gatedPixelCNN({ ...SIZES, ...args }), directory, isZero);
}

/** The same of a PixelSNAIL, conditioned on a coarser map of codes. */
export async function saveModelOfCodes(directory: string) {
  await useBackend('cpu');
  const { imageShape, levels } = SIZES;
  const codeCondition = { levels, shape: [4, 4], resBlocks: 0, resFilters: 2 } as const;
  const sizes = { filters: 4, heads: 1, numBlocks: 1, numResBlocks: 1, resFilters: 2 };
  await save(pixelSNAIL({ ...sizes, imageShape, levels, codeCondition }), directory, false);
}

async function save(model: LayersModel, directory: string, isZero: boolean) {
  if (isZero) tf.tidy(() => model.setWeights(model.getWeights().map((weight) => tf.zerosLike(weight))));
  else seedWeights(model, 1);
  await model.save(fileSystem(directory));
  model.dispose();
}
