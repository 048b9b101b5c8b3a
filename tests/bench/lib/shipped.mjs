// Test images for the models that come with the repository.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { imageSet } from 'pixelcnn-layers/data';
import { readDataset } from '../../../kit/data/datasets.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));

export const readModelFile = (file) => readFile(join(root, 'examples', 'models', file));

const testImages = (name) => async () => (await readDataset(name)).test;

/** The test images that come with the repository of a set that does not. */
const pageImages = (name, imageShape, levels) => async () => {
  const [data, labels] = await Promise.all(
    ['images', 'labels'].map((part) => readFile(join(root, 'kit', 'data', 'sets', `${name}-test-${part}.u8`)).catch(() => null)),
  );
  const shape = [data.length / imageShape.reduce((a, b) => a * b), ...imageShape];
  return imageSet({ data: Uint8Array.from(data), shape, levels, ...(labels && { labels: Uint8Array.from(labels) }) });
};

/** Images, and the file of the model that is measured with them. */
export const SHIPPED = [
  { title: 'digits 8x8, 17 levels', file: 'digits.pixelcnn', read: testImages('digits') },
  { title: 'clothes 28x28, 16 levels', file: 'clothes.pixelcnn', read: testImages('fashion-mnist') },
  { title: 'emoji 16x16 RGB, 32 levels', file: 'emoji.pixelcnn', read: testImages('emoji') },
  { title: 'emoji 32x32 RGB, 256 levels', file: 'emoji-32.pixelcnn', read: pageImages('emoji-32', [32, 32, 3], 256) },
];

/** Those of which only the few images of the page are here. */
export const OF_THE_PAGE = [
  { title: 'digits 8x8 by class', file: 'digits-conditional.pixelcnn', read: testImages('digits') },
  { title: 'digits 28x28, 16 levels', file: 'digits-28.pixelcnn', read: pageImages('digits-28', [28, 28, 1], 16) },
  { title: 'characters 24x24', file: 'characters.pixelcnn', read: pageImages('characters', [24, 24, 1], 2) },
];

/** The classes of the images, for a model that is told them. */
export const conditionOf = (model, { labels }, numImages) =>
  model.conditions.length === 0 ? {} : { condition: Array.from(labels.subarray(0, numImages)) };
