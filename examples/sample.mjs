// Draws images from a saved model, or completes images of a data set: `node examples/sample.mjs --help`.
//
// The picture is a grid of new images; or a row for each class of a model by class; or a row for each of several temperatures, from the
// same noise, so that columns show what changes. With --complete, a row is a test image and seven completions of its upper half; at
// several temperatures, a row of test images and a row of their completions at each.

import { readFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import { sample } from 'pixelcnn-layers';
import { sliceImages } from 'pixelcnn-layers/data';
import { DATASETS } from '../kit/data/datasets.mjs';
import { inLevels, readForModel } from '../kit/data/model-data.mjs';
import {
  command,
  decimal,
  listOf,
  oneOf,
  outputFile,
  positiveNumber,
  stop,
  text,
  wholeNumber,
} from '../kit/flags.mjs';
import { disposeOf, givenTo, numbersOf } from '../kit/models/image-model.mjs';
import { checkClasses, classesTaken, loadAnyModel } from '../kit/models/saved-model.mjs';
import { gridPng } from '../kit/pictures/png.mjs';
import { BACKENDS, useBackend } from '../kit/runs/backend.mjs';
import { prepareFile, writeWhole } from '../kit/runs/files.mjs';
import { npyOf, parseNpy } from '../kit/weights/npy.mjs';

const COMPLETIONS = 7; // of each image, next to the image itself

const flags = command('examples/sample.mjs', 'Draws images from a saved model.')
  .requiredOption(
    '--model <path>',
    'a saved model, a run of train.mjs or research/pytorch/train.py, or a .pixelcnn file',
    text('a model'),
  )
  .option(
    '--images <n>',
    'how many to draw (default: 64; of each class, at each temperature, or to complete: 8)',
    wholeNumber(1),
  )
  .option(
    '--class <k>',
    'draws this class only; a model conditioned on classes else draws a row of N images each',
    wholeNumber(0),
  )
  .option(
    '--codes <file>',
    'of a prior over finer codes: the coarser maps, a .npy [N,h,w] or [N,h,w,1]; draws an image for each',
  )
  .option('--seed <n>', 'same seed and backend, same images', wholeNumber(0), 1)
  .option('--temperature <x>', 'divides the logits; 0 takes the most likely level (default: 1)', decimal())
  .option(
    '--temperatures <x,y,z>',
    'a row each of N images, drawn from the same noise; of one --class where the model has classes',
    listOf(decimal()),
  )
  .option('--top-k <n>', 'draws only among the N most likely levels', wholeNumber(1))
  .option('--top-p <x>', 'draws only among the fewest levels that have probability X', positiveNumber(1))
  .option(
    '--complete <name>',
    'draws the lower halves of N test images again, a row each: the image, then 7 completions; with --temperatures, a row of the images, then a row of completions each; of its own class, or of --class, where the model has classes',
    oneOf(DATASETS),
  )
  .option('--path <path>', 'where the data are, for data sets that are not found by themselves')
  .option(
    '--out <file>',
    'the picture, a PNG; or, with a name that ends in .npy, the levels of its images, row by row, for NumPy',
    outputFile(),
    'out/samples.png',
  )
  .option('--backend <name>', 'what computes', oneOf(BACKENDS), 'wasm')
  .parse()
  .opts();
if (flags.temperature !== undefined && flags.temperatures !== undefined)
  stop('--temperatures: comes without --temperature');
for (const name of ['images', 'class', 'complete'])
  if (flags.codes !== undefined && flags[name] !== undefined) stop(`--${name}: comes without --codes`);
if (flags.path !== undefined && flags.complete === undefined) stop('--path: comes with --complete');
const { seed, topK, topP, out } = flags;
const temperatures = flags.temperatures ?? [flags.temperature ?? 1];

await useBackend(flags.backend);
const loaded = await loadAnyModel(flags.model);
const { model, imageShape, levels, condition, palette } = loaded;
const codes = await readCodes();
const numClasses = codes === null ? await readClasses() : null;
const isOfEachClass = numClasses !== null && flags.class === undefined && flags.complete === undefined;
const isInRows = flags.temperatures !== undefined || flags.complete !== undefined || isOfEachClass;
const images = codes?.shape[0] ?? flags.images ?? (isInRows ? 8 : 64);
const originals = flags.complete === undefined ? null : await readOriginals();
if (originals === null && imageShape.includes(null)) {
  stop('the model takes images of any size: --complete draws those of a data set');
}
await prepareFile(out);
const size = originals?.shape.slice(1) ?? imageShape;
const [height, width, channels] = size;
const values = height * width * channels; // of an image

/** The coarser maps of codes for a model that is conditioned on them, else null. */
async function readCodes() {
  if (condition?.kind !== 'codes') {
    if (flags.codes !== undefined) throw new Error('--codes: the model takes no coarser codes');
    return null;
  }
  if (flags.codes === undefined) {
    throw new Error(`--codes: wanted a .npy with a map of codes [${condition.shape}] for each image`);
  }
  try {
    return parseNpy(await readFile(flags.codes));
  } catch (error) {
    const problem = error.code === 'ENOENT' ? 'does not exist' : `cannot be read: ${error.message}`;
    throw new Error(`--codes: '${flags.codes}' ${problem}`, { cause: error });
  }
}

/** Checks the flags of classes, and returns how many classes the model takes, null for none. */
async function readClasses() {
  const count = classesTaken(condition);
  const { class: only, complete } = flags;
  if (count === null) {
    if (only !== undefined) throw new Error('--class: the model takes no classes');
  } else if (only !== undefined) {
    if (only >= count) throw new Error(`--class: the model has classes 0 to ${count - 1}, got '${only}'`);
  } else if (flags.temperatures !== undefined && complete === undefined) {
    throw new Error('--temperatures: requires --class, since the model is conditioned on classes');
  }
  return count;
}

/** The test images to complete, in the model's levels. */
async function readOriginals() {
  const dataset = await readForModel(flags.complete, flags.path, loaded);
  if (numClasses !== null && flags.class === undefined) checkClasses(numClasses, dataset);
  const { shape } = dataset.test;
  if (images > shape[0])
    throw new Error(`--images: ${dataset.name} has ${shape[0]} test images, got '${images}'`);
  return inLevels(sliceImages(dataset.test, 0, images), loaded);
}

// Drawing, which Ctrl-C ends between two pixels.

const abort = new AbortController();
process.once('SIGINT', () => abort.abort());

/** Draws levels of images at a temperature: a number of images, or with given classes or parts. */
async function draw(temperature, { initial, known, ...given }) {
  const onProgress = ({ done, total }) => {
    const at = flags.temperatures ? `temperature ${temperature}: ` : '';
    const row = (done / total) * height;
    if (Number.isInteger(row)) console.log(`${at}row ${row} of ${height}`); // in several orientations there are steps within rows
  };
  const options = { seed, temperature, topK, topP, imageShape: size, signal: abort.signal, onProgress };
  const parts = initial && { initial: givenTo(model, initial), known: givenTo(model, known) };
  try {
    return await numbersOf(await sample(model, { ...options, ...given, ...parts }));
  } finally {
    tf.dispose(parts ?? []);
  }
}

/** New images: a row each class, a row each temperature, or one grid. */
async function newImages() {
  const classes = Array.from({ length: numClasses * images }, (_, i) => Math.floor(i / images));
  const condition = isOfEachClass ? classes : (codes ?? flags.class);
  const given = isOfEachClass ? { condition } : { numImages: images, condition };
  const rows = [];
  for (const temperature of temperatures) rows.push(await draw(temperature, given));
  return { rows, columns: isInRows ? images : Math.ceil(Math.sqrt(images)) };
}

const isUpper = (place) => place % values < Math.floor(height / 2) * width * channels;

/** Completions: a row each image, or a row each temperature, with the originals first. */
async function completions() {
  const copies = flags.temperatures ? 1 : 1 + COMPLETIONS;
  const shape = [images * copies, ...size];
  const repeated = new Int32Array(originals.data.length * copies);
  for (let i = 0; i < images * copies; i++) {
    const image = Math.floor(i / copies) * values;
    repeated.set(originals.data.subarray(image, image + values), i * values);
  }
  const classOf = (_, i) => flags.class ?? originals.labels[Math.floor(i / copies)];
  const classes = numClasses === null ? undefined : Array.from({ length: images * copies }, classOf);
  const isOriginal = (place) => !flags.temperatures && Math.floor(place / values) % copies === 0;
  const given = Int32Array.from(repeated, (_, place) => Number(isOriginal(place) || isUpper(place)));
  const initial = { data: repeated, shape };
  const known = { data: given, shape };

  const rows = flags.temperatures ? [originals.data] : [];
  const knownRows = flags.temperatures ? [new Int32Array(originals.data.length).fill(1)] : [];
  for (const temperature of temperatures) {
    rows.push(await draw(temperature, { initial, known, condition: classes }));
    knownRows.push(given);
  }
  return { rows, knownRows, columns: flags.temperatures ? images : copies };
}

const flat = (rows) => rows.flatMap((levels) => Array.from(levels));
try {
  const { rows, knownRows, columns } = await (originals ? completions() : newImages());
  const all = flat(rows);
  const picture = () =>
    gridPng({
      images: all,
      ...(knownRows && { known: flat(knownRows) }),
      imageShape: size,
      levels,
      palette,
      columns,
      scale: Math.max(1, Math.round(80 / height)),
    });
  const array = () =>
    npyOf(levels <= 256 ? Uint8Array.from(all) : Uint16Array.from(all), [all.length / values, ...size]); // [N,H,W,C]
  await writeWhole(out, out.endsWith('.npy') ? array() : picture());
  console.log(`written to ${out}`);
} catch (error) {
  if (!abort.signal.aborted) throw error;
  process.stderr.write('interrupted: nothing is written\n');
  process.exitCode = 130; // the exit code of shells for Ctrl-C
} finally {
  disposeOf(model);
}
