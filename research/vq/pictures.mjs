import { sample } from 'pixelcnn-layers';
import { pickImages } from '../../kit/data/pick-images.mjs';
import { gridPng } from '../../kit/pictures/png.mjs';
import { decode } from './vq-vae.mjs';

/** Images of each class that are shown, where the class has so many. */
const MAX_PAIRS = 3;

/**
 * Test images over their reconstructions, a column for each class.
 *
 * @typedef {import('pixelcnn-layers/data').ImageSet} ImageSet
 *
 * @param {import('@tensorflow/tfjs-layers').LayersModel} model a VQ-VAE
 * @param {ImageSet} images
 * @param {ImageSet} codes of the images
 * @param {number} numClasses
 * @returns {Promise<Buffer>} a PNG
 */
export async function reconstructionsPng(model, images, codes, numClasses) {
  const columns = Array.from({ length: numClasses }, (_, label) =>
    [...images.labels.keys()].filter((i) => images.labels[i] === label),
  );
  const numPairs = Math.min(MAX_PAIRS, ...columns.map(({ length }) => length));
  const rows = Array.from({ length: numPairs }, (_, row) => columns.map((column) => column[row]));
  const pairs = [];
  for (const row of rows) {
    const decoded = await decode(model, pickImages(codes, row), images.levels);
    pairs.push(pickImages(images, row).data, decoded);
  }
  return grid(
    images,
    pairs.flatMap((row) => [...row]),
    numClasses,
  );
}

/**
 * Images drawn through prior and decoder, a column for each class.
 *
 * @param {import('@tensorflow/tfjs-layers').LayersModel} model a VQ-VAE
 * @param {import('pixelcnn-layers').AutoregressiveModel} prior
 * @param {ImageSet} images whose shape and levels the drawn ones have
 * @param {{ rows: number, numClasses: number, seed: number, temperature: number }} options
 * @returns {Promise<Buffer>} a PNG
 */
export async function samplesPng(model, prior, images, { rows, numClasses, seed, temperature }) {
  const condition = Array.from({ length: rows * numClasses }, (_, i) => i % numClasses);
  const codes = await sample(prior, { numImages: condition.length, condition, seed, temperature }); // [n,h,w,1]
  const drawn = await decode(model, { shape: codes.shape, data: await codes.data() }, images.levels);
  codes.dispose();
  return grid(images, drawn, numClasses);
}

const grid = ({ shape: [, ...imageShape], levels }, images, columns) =>
  gridPng({ images, imageShape, levels, columns, scale: 2, gap: 2 });
