import { binarizedMnist } from './datasets/binarized-mnist.mjs';
import { cifar10 } from './datasets/cifar-10.mjs';
import { digits } from './datasets/digits.mjs';
import { emoji } from './datasets/emoji.mjs';
import { folder } from './datasets/folder.mjs';
import { fashionMnist, mnist } from './datasets/mnist.mjs';
import { npy } from './datasets/npy.mjs';

const READERS = {
  digits,
  'fashion-mnist': fashionMnist,
  mnist,
  'binarized-mnist': binarizedMnist,
  'cifar-10': cifar10,
  emoji,
  folder,
  npy,
};
const EMBEDDED = ['digits', 'emoji'];

/** The names that {@link readDataset} takes. */
export const DATASETS = Object.keys(READERS);

/**
 * Reads a data set by name: training images, test images, validation images if it has its own, and their source.
 *
 * @typedef {import('pixelcnn-layers/data').ImageSet} ImageSet
 *
 * @param {string} name one of {@link DATASETS}
 * @param {object} [options]
 * @param {string} [options.path] directory of its files; `digits` and `emoji` are embedded and take none, `fashion-mnist`
 * has one by default where its Debian package is installed; `npy` takes a file too
 * @param {number} [options.levels] the number of levels, for `npy`, whose files do not contain it
 * @param {boolean} [options.hasPalette] whether its colours become those of a palette
 * @returns {Promise<{ name: string, train: ImageSet, test: ImageSet, validation?: ImageSet, about: string }>}
 */
export async function readDataset(name, { path, levels, hasPalette = false } = {}) {
  if (!DATASETS.includes(name)) throw new Error(`data set: wanted ${DATASETS.join(', ')}, got '${name}'`);
  if (path !== undefined && EMBEDDED.includes(name)) throw new Error(`${name}: is embedded, takes no --path`);
  try {
    return { name, ...(await READERS[name](path, levels, hasPalette)) };
  } catch (error) {
    throw new Error(`${name}: ${error.message}`, { cause: error });
  }
}
