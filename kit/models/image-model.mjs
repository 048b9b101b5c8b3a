import * as tf from '@tensorflow/tfjs-core';
import { paletteOfText, textOfPalette } from '../pictures/palette.mjs';

/**
 * A model of images, of tfjs or from a `.pixelcnn` file, with symmetries or without.
 *
 * @typedef {import('pixelcnn-layers').AutoregressiveModel | import('pixelcnn-layers').SymmetricModel |
 *   import('pixelcnn-layers/runtime').PortableModel} ImageModel
 * @typedef {{ data: ArrayLike<number>, shape: number[] }} Levels [N,H,W,C]
 */

/** @param {ImageModel} model */
export const isPortable = (model) => 'nodes' in model;

/** Whether images of a model have no single order. @param {ImageModel} model */
export const isSymmetric = (model) => model.symmetry !== undefined;

/** A model without its symmetries. @param {ImageModel} model */
export const networkOf = (model) =>
  isPortable(model) ? { ...model, symmetry: undefined } : (model.model ?? model);

/**
 * Images as `sample` and `logProb` take them: a tensor, for the caller to dispose of, with a model of tfjs, else as they are.
 *
 * @param {ImageModel} model
 * @param {Levels} images
 */
export const givenTo = (model, { data, shape }) =>
  isPortable(model) ? { data, shape } : tf.tensor4d(Int32Array.from(data), shape, 'int32'); // [N,H,W,C]; tfjs takes no Uint16Array

/**
 * The numbers that `sample` and `logProb` return, of a tensor, which is then disposed of, or of arrays.
 *
 * @param {import('@tensorflow/tfjs-core').Tensor | { data: ArrayLike<number> } | Float64Array} result
 * @returns {Promise<ArrayLike<number>>}
 */
export async function numbersOf(result) {
  if (!(result instanceof tf.Tensor)) return result.data ?? result;
  const numbers = await result.data();
  result.dispose();
  return numbers;
}

/**
 * The conditions that a model takes from callers: a class without the orientation that it also tells.
 *
 * @param {ImageModel} model
 * @returns {readonly import('pixelcnn-layers').ConditionShape[]}
 */
export function conditionsOf(model) {
  if (!isPortable(model)) return model.conditions ?? (model.condition ? [model.condition] : []);
  const { conditions, symmetry } = model;
  if (!symmetry?.asCondition) return conditions;
  return conditions.flatMap((condition) => {
    const numClasses = condition.numClasses / numElements(symmetry);
    return condition.kind !== 'class' ? condition : numClasses > 1 ? { ...condition, numClasses } : [];
  });
}

/**
 * How many elements symmetries generate: each doubles them, also the other flip, which transposing makes of one.
 *
 * @param {import('pixelcnn-layers').SymmetryShape} symmetry
 */
export function numElements({ symmetries }) {
  const all = new Set(symmetries);
  const flips = ['flipRows', 'flipColumns'];
  if (all.has('transpose') && flips.some((flip) => all.has(flip))) for (const flip of flips) all.add(flip);
  return 2 ** all.size;
}

/**
 * What the levels of a model look like, if it says so: [L,1] or [L,3]. A model of tfjs carries that in its metadata, as text.
 *
 * @param {ImageModel} model
 * @param {number} levels of the model
 * @returns {Uint8Array | undefined}
 */
export function paletteOf(model, levels) {
  if (isPortable(model)) return model.palette;
  const { palette: text } = model.getUserDefinedMetadata() ?? {};
  if (text === undefined) return undefined;
  const palette = paletteOfText('palette of the model', text);
  if (palette.length !== 3 * levels)
    throw new Error(`palette of the model: wanted ${levels} colours, got ${palette.length / 3}`);
  return palette;
}

/**
 * Has a model of tfjs carry a palette, through all that saves and loads it.
 *
 * @param {import('pixelcnn-layers').AutoregressiveModel} model
 * @param {Uint8Array} palette [L,3]
 */
export const carryPalette = (model, palette) => carry(model, { palette: textOfPalette(palette) });

/**
 * Has a model of tfjs carry how many orientations it is conditioned on, as a palette.
 *
 * @param {import('pixelcnn-layers').AutoregressiveModel} model
 * @param {4 | 8} orientations
 */
export const carryOrientations = (model, orientations) => carry(model, { orientations });

const carry = (model, noted) => model.setUserDefinedMetadata({ ...model.getUserDefinedMetadata(), ...noted });

/** @param {ImageModel} model */
export function numParams(model) {
  if (!isPortable(model)) return networkOf(model).countParams();
  return [...model.weights.values()].reduce((sum, { data }) => sum + data.length, 0);
}

/** Releases all memory of a model. @param {ImageModel} model */
export function disposeOf(model) {
  if (!isPortable(model)) networkOf(model).dispose();
}
