import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readDataset } from '../../kit/data/datasets.mjs';
import { replaceBy } from '../../kit/runs/files.mjs';
import { npyOf } from '../../kit/weights/npy.mjs';
import { encode } from './vq-vae.mjs';

/**
 * The codes of a data set, with its classes. They are saved as NumPy files, which other programs
 * take by `--data npy`, and read again if all of them exist.
 *
 * @typedef {import('pixelcnn-layers/data').ImageSet} ImageSet
 *
 * @param {string} directory
 * @param {import('@tensorflow/tfjs-layers').LayersModel} model a VQ-VAE
 * @param {{ train: ImageSet, test: ImageSet }} dataset
 * @returns {Promise<{ train: ImageSet, test: ImageSet }>} [N,h,w,1], of as many levels as the codebook has entries
 */
export async function codesOf(directory, model, dataset) {
  const unfinished = `${directory}.tmp`;
  await rm(unfinished, { recursive: true, force: true }); // left by a killed run
  if (!existsSync(directory)) {
    await writeCodes(unfinished, model, dataset);
    await replaceBy(unfinished, directory);
  }
  const { numEntries } = model.getLayer('codebook');
  return readDataset('npy', { path: directory, levels: numEntries });
}

async function writeCodes(directory, model, dataset) {
  await mkdir(directory);
  for (const part of ['train', 'test']) {
    const { data, shape, labels } = await encode(model, dataset[part]);
    await writeFile(join(directory, `${part}.npy`), npyOf(data, shape));
    await writeFile(join(directory, `${part}-labels.npy`), npyOf(labels, [labels.length]));
  }
}
