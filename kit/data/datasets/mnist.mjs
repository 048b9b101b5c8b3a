import { existsSync } from 'node:fs';
import { idxImages } from 'pixelcnn-layers/data';
import { readFiles, wantedFiles } from './files.mjs';

const FILES = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
];

/** The directory of Debian's package dataset-fashion-mnist. */
const FASHION_INSTALLED = '/usr/share/datasets/fashion-mnist';

/** @param {string} [path] directory of the four IDX files */
export async function mnist(path) {
  return { ...(await readParts(path)), about: 'handwritten digits (MNIST)' };
}

/** @param {string} [path] directory of the four IDX files, else those of the Debian package */
export async function fashionMnist(path) {
  if (path === undefined && !existsSync(FASHION_INSTALLED)) {
    throw new Error(`${wantedFiles(FILES)}; or on Debian, apt-get install dataset-fashion-mnist`);
  }
  const parts = await readParts(path ?? FASHION_INSTALLED);
  return { ...parts, about: 'articles of clothing (Fashion-MNIST, Zalando SE, MIT)' };
}

async function readParts(path) {
  const [trainImages, trainLabels, testImages, testLabels] = await readFiles(path, FILES);
  return { train: idxImages(trainImages, trainLabels), test: idxImages(testImages, testLabels) };
}
