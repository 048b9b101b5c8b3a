/**
 * Makes the test images that the page shows: some of each class of Fashion-MNIST and of MNIST (in 16 levels), which are too large to be here whole,
 * and some of the characters that research/glyphs/make-data.py makes. Fashion-MNIST is found where its Debian package has it. Those whose directory is not given
 * stay as they are.
 *
 *     node kit/data/sets/make-page-images.mjs [--characters data/characters-24] [--mnist DIR] [--fashion-mnist DIR]
 */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { quantize } from 'pixelcnn-layers/data';
import { writeWhole } from '../../runs/files.mjs';
import { readDataset } from '../datasets.mjs';

const text = { type: 'string' };
const flags = parseArgs({ options: { characters: text, mnist: text, 'fashion-mnist': text } }).values;

const clothes = await readDataset('fashion-mnist', { path: flags['fashion-mnist'] });
await write('clothes', quantize(clothes.test, 16), 10, 10);
if (flags.mnist !== undefined) {
  const digits = await readDataset('mnist', { path: flags.mnist });
  await write('digits-28', quantize(digits.test, 16), 10, 5);
}
if (flags.characters !== undefined) {
  const { test } = await readDataset('npy', { path: flags.characters, levels: 2 });
  await writeImages('characters', test.data.subarray(0, 60 * 24 * 24));
}

/** Writes the first `each` images of each class, a round of all classes after the other. */
async function write(name, { data, shape: [, ...imageShape], labels }, numClasses, each) {
  const size = imageShape.reduce((product, side) => product * side, 1);
  const byClass = Array.from({ length: numClasses }, (_, k) =>
    [...labels.keys()].filter((i) => labels[i] === k).slice(0, each),
  );
  assert(byClass.every((own) => own.length === each));
  const chosen = Array.from({ length: each }, (_, round) => byClass.map((own) => own[round])).flat();
  const images = Buffer.concat(chosen.map((i) => data.subarray(i * size, (i + 1) * size)));
  await writeImages(name, images);
  const own = Uint8Array.from(chosen, (i) => labels[i]);
  await writeWhole(fileURLToPath(new URL(`${name}-test-labels.u8`, import.meta.url)), own);
}

async function writeImages(name, images) {
  await writeWhole(fileURLToPath(new URL(`${name}-test-images.u8`, import.meta.url)), images);
  console.log(`${name}: ${images.length} bytes`);
}
