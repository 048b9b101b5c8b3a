import { quantize } from 'pixelcnn-layers/data';
import { toPalette } from '../pictures/palette.mjs';
import { readDataset } from './datasets.mjs';

/**
 * Data sets as a model knows images.
 *
 * @typedef {import('pixelcnn-layers/data').ImageSet} ImageSet
 * @typedef {{ levels: number, palette?: Uint8Array }} Levels of a model; with a palette [L,3] it takes RGB images
 */

/** @param {Levels} levels */
const isOfColours = ({ levels, palette }) => palette?.length === 3 * levels;

/**
 * Reads a data set for a model, and checks that the model takes its images.
 *
 * @param {string} name
 * @param {string | undefined} path
 * @param {Levels & { imageShape: readonly (number | null)[] }} model null for a size that may vary
 * @returns {ReturnType<typeof readDataset>}
 */
export async function readForModel(name, path, { imageShape, levels, palette }) {
  const hasPalette = isOfColours({ levels, palette });
  const dataset = await readDataset(name, { path, levels, hasPalette });
  const { shape, levels: present } = dataset.test;
  const [, ...size] = shape;
  const own = hasPalette && size[2] === 3 ? [...imageShape.slice(0, 2), 3] : imageShape;
  if (!own.every((length, i) => length === null || length === size[i])) {
    const wanted = own.map((length) => length ?? 'any').join('x');
    throw new Error(`the model takes images of ${wanted}, ${name} has ${size.join('x')}`);
  }
  if (levels > present && own === imageShape)
    throw new Error(`the model has ${levels} levels, ${name} only ${present}`);
  return dataset;
}

/**
 * Images in the levels of a model: RGB ones as the nearest colours of its palette, others quantized.
 *
 * @param {ImageSet} set
 * @param {Levels} model
 * @returns {ImageSet}
 */
export function inLevels(set, { levels, palette }) {
  const isRgb = isOfColours({ levels, palette }) && set.shape[3] === 3;
  return isRgb ? toPalette(set, palette) : quantize(set, levels);
}
