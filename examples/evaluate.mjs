// Measures a saved model on the test images of a data set: `node examples/evaluate.mjs --help`.
//
// Bits per dimension (one dimension is one channel of one pixel) are the mean of -log2 of the probability that the model gives to each
// value, given all values before it; of RGB images also for each channel, and of a model of orientations also in one order. Images are
// quantized to the model's levels, or become the nearest colours of its palette. Beside the figure stand, for the same images:
//   uniform     all levels are equally likely;
//   histogram   the frequency of each level in its channel of the training set, ignoring neighbours;
//   PNG         one file of all images in a grid without gaps, the smallest of six: no filter, Paeth's, or the best of each row, each with
//               two strategies of zlib at its highest level. Unlike the model, PNG has learnt nothing beforehand.
// Below stand nats an image, with the standard error over images, and what a .pixelcnn file says of the run that its model is of.
// A model by class is given the class of each image; with --classify, all classes are equally frequent a priori.

import { sliceImages } from 'pixelcnn-layers/data';
import { DATASETS } from '../kit/data/datasets.mjs';
import { inLevels, readForModel } from '../kit/data/model-data.mjs';
import { command, oneOf, stop, text, wholeNumber } from '../kit/flags.mjs';
import { histogramBitsByChannel, uniformBits } from '../kit/models/baselines.mjs';
import { bitsByChannel, bitsOf, natsByImage } from '../kit/models/channel-bits.mjs';
import { mostLikelyClasses, rightByClass } from '../kit/models/classify.mjs';
import { disposeOf, isPortable, isSymmetric, numParams } from '../kit/models/image-model.mjs';
import { inOneOrder } from '../kit/models/orientations.mjs';
import { checkClasses, classesTaken, loadAnyModel } from '../kit/models/saved-model.mjs';
import { mean, standardError, sum } from '../kit/models/statistics.mjs';
import { smallestPng } from '../kit/pictures/png.mjs';
import { BACKENDS, useBackend } from '../kit/runs/backend.mjs';

const flags = command(
  'examples/evaluate.mjs',
  'Measures a saved model on the test images of a data set, in bits per dimension, beside models that see no neighbours and PNG.',
)
  .requiredOption(
    '--model <path>',
    'a saved model, a run of train.mjs or research/pytorch/train.py, or a .pixelcnn file',
    text('a model'),
  )
  .requiredOption('--data <name>', 'the data set', oneOf(DATASETS))
  .option('--path <path>', 'where the data are, for data sets that are not found by themselves')
  .option(
    '--levels <n>',
    'how many levels the model should have; the data are quantized to them',
    wholeNumber(2, 65_536),
  )
  .option('--images <n>', 'measures the first N test images (default: all)', wholeNumber(1))
  .option('--batch <n>', 'images at a time', wholeNumber(1), 64)
  .option(
    '--classify',
    'also tells how many images have their own class as the one under which they are most likely',
  )
  .option('--backend <name>', 'what computes', oneOf(BACKENDS), 'wasm')
  .parse()
  .opts();

await useBackend(flags.backend);
const loaded = await loadAnyModel(flags.model);
const { model, levels, condition } = loaded;
if (flags.levels !== undefined && flags.levels !== levels) {
  stop(`--levels: the model has ${levels} levels, got '${flags.levels}'`);
}
if (flags.classify && condition === null) stop('--classify: the model takes no classes');

// Data, in the model's levels, with classes if the model takes them

const dataset = await readFitting();
async function readFitting() {
  const numClasses = classesTaken(condition);
  const read = await readForModel(flags.data, flags.path, loaded);
  if (numClasses !== null) checkClasses(numClasses, read);
  return read;
}

const has = dataset.test;
const images = flags.images ?? has.shape[0];
if (images > has.shape[0]) stop(`--images: ${dataset.name} has ${has.shape[0]} test images, got '${images}'`);
const train = inLevels(dataset.train, loaded);
const test = inLevels(sliceImages(has, 0, images), loaded);
const [, ...size] = test.shape;
const channels = size[2];
console.log(`${dataset.about}: ${images} test images of ${size.join('x')}, ${levels} levels`);

// Figures, in bits per dimension

const start = performance.now();
let shown = start;
const inBatches = {
  batchSize: flags.batch,
  onProgress(done) {
    if (performance.now() - shown < 5000) return;
    shown = performance.now();
    console.log(`${done} of ${images} images`);
  },
};
const values = test.data.length / images;
const nats = await natsByImage(model, test, inBatches); // [N][C]
const bits = bitsOf(nats, values);
const seconds = (performance.now() - start) / 1000;
if (!bits.every(Number.isFinite)) stop(`the model gives ${bits.join(', ')} bits/dim: its weights are broken`);
const png = smallestPng({ images: test.data, imageShape: size });

const names = channels === 3 ? ['red', 'green', 'blue'] : [];
const row = (name, cells) => console.log(name.padEnd(12) + cells.map((cell) => cell.padStart(8)).join(''));
const figures = (name, byChannel) => {
  row(
    name,
    [mean(byChannel), ...(byChannel.length > 1 ? byChannel : [])].map((value) => value.toFixed(3)),
  );
};
row('bits/dim', ['all', ...names]);
figures('uniform', new Array(channels).fill(uniformBits(levels)));
figures('histogram', histogramBitsByChannel(train.data, test.data, levels, channels));
row('PNG', [((8 * png.length) / test.data.length).toFixed(3)]);
figures('model', bits);
if (isSymmetric(model)) figures('in one order', await bitsByChannel(...inOneOrder(model, test), inBatches));
const ofImages = nats.map(sum);
const error = images > 1 ? ` ± ${standardError(ofImages).toFixed(2)}` : '';
console.log(`${mean(ofImages).toFixed(2)}${error} nats an image, of ${values} values`);
for (const [name, value] of Object.entries(model.info ?? {})) console.log(`${name}: ${value}`);
console.log(`PNG: the same images in one file of ${png.length} bytes, without gaps`);
console.log(
  `${numParams(model)} parameters, ${isPortable(model) ? 'without tfjs' : flags.backend}, ${seconds.toFixed(1)} s`,
);

// Classes

if (flags.classify) {
  const found = await mostLikelyClasses(model, test, inBatches);
  const byClass = rightByClass(test.labels, found, condition.numClasses);
  const right = byClass.reduce((sum, of) => sum + of.right, 0);
  const share = (right / images).toFixed(3);
  row('accuracy', [share, `  (${right} of ${images} by the most likely class)`]);
  row('class', ['images', 'right']);
  for (const [label, of] of byClass.entries()) row(String(label), [String(of.images), String(of.right)]);
}

disposeOf(model);
