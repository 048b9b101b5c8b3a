import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { checkpoints, fileSystem } from 'pixelcnn-layers/node';

/**
 * Loads a model of images: one that was saved, or the best of a run of train.mjs, with averaged weights where it keeps them.
 *
 * @param {string} directory
 * @returns {Promise<{ model: import('@tensorflow/tfjs-layers').LayersModel, imageShape: (number | null)[], levels: number }>}
 * `imageShape` has null for a size that may vary
 */
export async function loadImageModel(directory) {
  const model = await loadLayersModel(fileSystem(await modelDirectory(directory)));
  const [, ...imageShape] = model.inputs[0].shape;
  const [, ...logitsShape] = model.outputs[0].shape;
  if (imageShape.length !== 3 || logitsShape.length !== 4) {
    throw new Error(`${directory}: wanted a model of images, got [${imageShape}] -> [${logitsShape}]`);
  }
  return { model, imageShape, levels: logitsShape[3] };
}

async function modelDirectory(directory) {
  if (existsSync(join(directory, 'model.json'))) return directory;
  const best = await checkpoints(join(directory, 'checkpoints')).best();
  if (best === null) return directory;
  const averaged = join(best.directory, 'average');
  return existsSync(averaged) ? averaged : join(best.directory, 'model');
}

/**
 * Throws where the images of a data set are not what the model takes.
 *
 * @param {(number | null)[]} modelShape
 * @param {{ name: string, test: import('pixelcnn-layers/data').ImageSet }} dataset
 */
export function checkFits(modelShape, { name, test }) {
  const [, ...imageShape] = test.shape;
  if (modelShape.every((size, i) => size === null || size === imageShape[i])) return;
  const wanted = modelShape.map((size) => size ?? 'any').join('x');
  throw new Error(`the model takes images of ${wanted}, ${name} has ${imageShape.join('x')}`);
}
