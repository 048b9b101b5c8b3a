import * as tf from '@tensorflow/tfjs-core';
import { type PixelCNNArgs, pixelCNN } from 'pixelcnn-layers';
import { fileSystem } from 'pixelcnn-layers/node';
import { useBackend } from '../../examples/lib/backend.mjs';
import { seedWeights } from '../../examples/lib/weights.mjs';

/** Saves a small model that has learnt nothing; with `isZero` all its weights are 0, so that all levels are alike to it. */
export async function saveModel(directory: string, args: Partial<PixelCNNArgs>, isZero = false) {
  await useBackend('cpu');
  const sizes = { hiddenDim: 2, outDim: 2, numBlocks: 1, firstKernelSize: 3 };
  const model = pixelCNN({ imageShape: [8, 8, 1], levels: 17, ...sizes, ...args });
  if (isZero) tf.tidy(() => model.setWeights(model.getWeights().map((weight) => tf.zerosLike(weight))));
  else seedWeights(model, 1);
  await model.save(fileSystem(directory));
  model.dispose();
}
