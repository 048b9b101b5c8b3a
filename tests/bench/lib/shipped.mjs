// Test images for the models that come with the repository.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { imageSet } from 'pixelcnn-layers/data';
import { loadPortable, sample } from 'pixelcnn-layers/runtime';
import { modelURL } from 'pixelcnn-models';
import { makeMaps } from '../../../examples/tiles/generator.mjs';
import { readDataset } from '../../../kit/data/datasets.mjs';

const at = (path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

const testImages = (name, options) => async () => (await readDataset(name, options)).test;

const setOf = (data, imageShape, levels, labels) =>
  imageSet({ data, shape: [data.length / imageShape.reduce((a, b) => a * b), ...imageShape], levels, ...(labels && { labels }) });

/** The few test images that come with the repository of a set that does not. */
const ofThePage = (name, imageShape, levels) => async () => {
  const read = async (part) => Uint8Array.from(await readFile(at(`kit/data/sets/${name}-test-${part}.u8`)));
  return setOf(await read('images'), imageShape, levels, await read('labels').catch(() => undefined));
};
const characters = ofThePage('characters', [24, 24, 1], 2);
const columns = async () => {
  const { data } = await characters();
  const place = (i) => i - (i % 576) + 24 * (i % 24) + Math.floor((i % 576) / 24); // of the same pixel, rows and columns exchanged
  return setOf(
    data.map((_, i) => data[place(i)]),
    [24, 24, 1],
    2,
  );
};

/** What a model draws itself: a magnet learns from no images, and the syllables' images are made of fonts. */
const ownImages = (name) => async () => {
  const model = await loadPortable(modelURL(name));
  const [condition] = model.conditions;
  const parts = condition && Float32Array.from({ length: NUM_OWN * condition.size }, (_, i) => isPart(i, condition.size));
  const given = condition && { condition: { data: parts, shape: [NUM_OWN, condition.size] } };
  const { data } = await sample(model, { numImages: NUM_OWN, seed: 1, ...given });
  return { ...setOf(data, model.imageShape, model.levels), given };
};
const NUM_OWN = 300;
/** Whether syllable n has a part: its vector has a one among 19 parts, among 21, and among 28. */
const isPart = (i, size) => {
  const [n, part] = [Math.floor(i / size), i % size];
  return part === n % 19 || part === 19 + (n % 21) || part === 40 + (n % 28) ? 1 : 0;
};

/** Images that the codecs are compared on, and the model that codes them. Those of `data/emoji-32`, kit/data/sets/make-emoji-32.mjs makes. */
export const CODED = [
  { title: 'digits 8x8, 17 levels', name: 'digits', read: testImages('digits') },
  { title: 'clothes 28x28, 16 levels', name: 'clothes', read: testImages('fashion-mnist') },
  { title: 'emoji 16x16 RGB, 32 levels', name: 'emoji', read: testImages('emoji') },
  { title: 'emoji 32x32 RGB, 256 levels', name: 'emoji-32', read: testImages('npy', { path: at('data/emoji-32'), levels: 256 }) },
];

/** Every model, and images of its kind. */
export const SHIPPED = [
  ...CODED,
  { name: 'digits-conditional', read: testImages('digits') },
  { name: 'digits-orders', read: testImages('digits') },
  { name: 'digits-28', read: ofThePage('digits-28', [28, 28, 1], 16) },
  { name: 'digits-28-background', read: ofThePage('digits-28', [28, 28, 1], 16) },
  { name: 'clothes-background', read: testImages('fashion-mnist') },
  { name: 'characters', read: characters },
  { name: 'characters-small', read: characters },
  { name: 'characters-columns', read: columns },
  { name: 'tiles', read: async () => setOf(makeMaps(192, 2), [32, 32, 1], 12) },
  ...['binarized-mnist', 'syllables-16', 'syllables-gated'].map((name) => ({ name, read: ownImages(name), isOwn: true })),
  ...[1.5, 1.8, 2.1, 2.27, 2.5, 2.8, 3.3, 4]
    .map((temperature) => `magnet-${temperature}`)
    .map((name) => ({ name, read: ownImages(name), isOwn: true })),
];

/** What a model is told of the first images of a set. */
export const conditionOf = ({ conditions: [condition], symmetry }, { labels, given }, numImages) => {
  if (symmetry !== undefined) return {};
  if (condition?.kind === 'vector') return firstOf(given.condition, numImages);
  return condition ? { condition: Array.from(labels.subarray(0, numImages)) } : {};
};
const firstOf = ({ data, shape: [, size] }, count) => ({ condition: { data: data.subarray(0, count * size), shape: [count, size] } });
