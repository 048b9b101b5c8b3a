import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { toPortable } from 'pixelcnn-layers';
import { fileSystem } from 'pixelcnn-layers/node';
import { readPortable } from 'pixelcnn-layers/runtime';
import { checkpoints } from '../runs/checkpoints.mjs';
import { conditionsOf, disposeOf, isPortable, paletteOf } from './image-model.mjs';
import { inAllOrientations } from './orientations.mjs';
import { isPyTorchRun, loadPyTorchRun } from './pytorch-run.mjs';

/**
 * Loads a model of images: a saved one, the best of a run of train.mjs, or the model of a run of
 * research/pytorch/train.py, with averaged weights if the run has them.
 *
 * @param {string} directory the value of `--model`
 * @returns {Promise<{ model: import('@tensorflow/tfjs-layers').LayersModel, imageShape: (number | null)[], levels: number,
 *   condition: import('pixelcnn-layers').ConditionShape | null, palette?: Uint8Array, orientations?:
 *   import('pixelcnn-layers').SymmetricModel }>} `imageShape` has null for a size that may vary; `palette`, [L,1] or [L,3], is what
 *   levels look like; `orientations` is the symmetric model, if the condition tells orientations
 */
export async function loadImageModel(directory) {
  const model = isPyTorchRun(directory) ? await loadPyTorchRun(directory) : await loadSaved(directory);
  const [[, ...imageShape], ...others] = model.inputs.map(({ shape }) => shape);
  const [, ...outputShape] = model.outputs[0].shape;
  const levels = model.levels ?? outputShape[3]; // for a graph not saved as an AutoregressiveModel, from its logits [N,H,W,C,L]
  const condition = model.condition ?? null;
  const isWhole = others.length === (condition === null ? 0 : 1); // no input is unknown
  if (imageShape.length !== 3 || (model.levels === undefined && outputShape.length !== 4) || !isWhole) {
    const inputs = model.inputs.map(({ shape: [, ...shape] }) => `[${shape}]`).join(', ');
    throw new Error(`${directory}: wanted a model of images, got ${inputs} -> [${outputShape}]`);
  }
  const orientations = inAllOrientations(model, model.getUserDefinedMetadata() ?? {});
  return { model, imageShape, levels, condition, palette: paletteOf(model, levels), orientations };
}

async function loadSaved(directory) {
  const source = fileSystem(await modelDirectory(directory));
  return loadLayersModel(source).catch((cause) => {
    const [, name] = /^Unknown layer: (.*?)\. This may/.exec(cause.message) ?? [];
    if (name === undefined) throw cause;
    const cure = 'if it is your own, run node --import ./my-layers.mjs …, with a module that registers it';
    throw new Error(`--model: '${directory}' has a layer ${name}, which is not registered: ${cure}`, {
      cause,
    });
  });
}

/**
 * Loads a model of images from a directory, as {@link loadImageModel}, or a `.pixelcnn` file, with its orientations if it
 * has any.
 *
 * @param {string} path the value of `--model`
 * @returns {Promise<{ model: import('./image-model.mjs').ImageModel, imageShape: readonly (number | null)[], levels: number,
 *   condition: import('pixelcnn-layers').ConditionShape | null, palette?: Uint8Array }>}
 */
export async function loadAnyModel(path) {
  const { model, imageShape, levels, palette } = await loadSymmetric(path);
  const [condition = null, ...others] = conditionsOf(model);
  if (others.length > 0)
    throw new Error(`--model: '${path}' takes several conditions: only classes are taken here`);
  return { model, imageShape, levels, condition, palette };
}

/**
 * Loads any model, as {@link loadAnyModel}, for the runtime.
 *
 * @param {string} path the value of the flag
 */
export async function loadPortable(path, flag = '--model') {
  const { model } = await loadAnyModel(path).catch((cause) => {
    throw new Error(cause.message.replace(/^--model/, flag), { cause });
  });
  if (isPortable(model)) return model;
  const portable = await toPortable(model);
  disposeOf(model);
  return portable;
}

async function loadSymmetric(path) {
  if (!path.endsWith('.pixelcnn')) {
    const { orientations, ...loaded } = await loadImageModel(path);
    return { ...loaded, ...(orientations && { model: orientations }) };
  }
  const model = await readFile(path)
    .then(readPortable)
    .catch((error) => {
      const problem = error.code === 'ENOENT' ? 'does not exist' : `cannot be read: ${error.message}`;
      throw new Error(`--model: '${path}' ${problem}`, { cause: error });
    });
  return { model, ...model };
}

async function modelDirectory(directory) {
  if (!existsSync(directory)) throw new Error(`--model: '${directory}' does not exist`);
  if (existsSync(join(directory, 'model.json'))) return directory;
  const run = join(directory, 'checkpoints');
  const best = existsSync(run) ? await checkpoints(run).best() : null;
  if (best === null) {
    throw new Error(
      `--model: wanted a directory with a model.json, or a run of train.mjs or research/pytorch/train.py that has evaluated its model, as it does every --every steps; ${directory} has neither`,
    );
  }
  const averaged = join(best.directory, 'average');
  return existsSync(averaged) ? averaged : join(best.directory, 'model');
}

/** Names of conditions for messages. */
const TAKEN = { vector: 'vectors', map: 'maps', codes: 'coarser codes' };

/**
 * How many classes a model is conditioned on; null if it takes no condition. Throws for other conditions.
 *
 * @param {import('pixelcnn-layers').ConditionShape | null} condition
 */
export function classesTaken(condition) {
  if (condition === null) return null;
  if (condition.kind === 'class') return condition.numClasses;
  throw new Error(
    `the model is conditioned on ${TAKEN[condition.kind]}: only classes are taken here; a program of your own passes others as condition`,
  );
}

/**
 * Checks that a model takes the classes of a data set's test images.
 *
 * @param {number} numClasses
 * @param {{ name: string, test: import('pixelcnn-layers/data').ImageSet }} dataset
 */
export function checkClasses(numClasses, { name, test: { labels } }) {
  if (labels === undefined) throw new Error(`the model is conditioned on classes, ${name} has none`);
  const most = labels.reduce((high, label) => Math.max(high, label), 0);
  if (most >= numClasses)
    throw new Error(`the model has classes 0 to ${numClasses - 1}, ${name} has ${most}`);
}
