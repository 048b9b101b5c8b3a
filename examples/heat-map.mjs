// Shows how many bits each pixel of test images costs a model: `node examples/heat-map.mjs --model DIR --data NAME`.

import { sliceImages } from 'pixelcnn-layers/data';
import { DATASETS } from '../kit/data/datasets.mjs';
import { inLevels, readForModel } from '../kit/data/model-data.mjs';
import { oneOf, outputFile, parseFlags, pathTo, stop, wholeNumber } from '../kit/flags/flags.mjs';
import { checkClasses, classesTaken, loadImageModel } from '../kit/models/saved-model.mjs';
import { pngOf } from '../kit/pictures/drawing.mjs';
import { bitsByPixel, heatMap } from '../kit/pictures/heat-map.mjs';
import { BACKENDS, useBackend } from '../kit/runs/backend.mjs';
import { prepareFile, writeWhole } from '../kit/runs/files.mjs';

const HELP = `Shows the first test images of a data set, each with the bits that a model spends on its pixels beside it, and tells
where it spends most. Images, rows and columns are counted from 0.

Usage: node examples/heat-map.mjs --model DIR --data NAME [flags]

  --model DIR     a saved model, or a run of train.mjs or pytorch/train.py
  --data NAME     ${DATASETS.join(', ')}
  --path PATH     where the data are, for data sets that are not found by themselves
  --images N      of the data set's test images (8)
  --columns N     images side by side (4)
  --out FILE      the picture, a PNG (out/heat-map.png)
  --backend NAME  ${BACKENDS.join(', ')} (wasm)
  --help          prints this
`;
const flags = parseFlags(
  {
    model: { type: 'string' },
    data: { type: 'string' },
    path: { type: 'string' },
    images: { type: 'string', default: '8' },
    columns: { type: 'string', default: '4' },
    out: { type: 'string', default: 'out/heat-map.png' },
    backend: { type: 'string', default: 'wasm' },
    help: { type: 'boolean', default: false },
  },
  HELP,
  process.argv.slice(2),
);
const directory = pathTo('the directory of a model', '--model', flags.model);
if (flags.data === undefined) stop(`--data: wanted one of ${DATASETS.join(', ')}; --help lists the flags`);
const name = oneOf('--data', flags.data, DATASETS);
const count = wholeNumber('--images', flags.images, 1, 256);
const columns = wholeNumber('--columns', flags.columns, 1, 256);
const out = outputFile('--out', flags.out);

await useBackend(oneOf('--backend', flags.backend, BACKENDS));
const loaded = await loadImageModel(directory);
const { model, condition, palette } = loaded;
const set = await readTestImages();

async function readTestImages() {
  const dataset = await readForModel(name, flags.path, loaded);
  const { test } = dataset;
  const numClasses = classesTaken(condition);
  if (numClasses !== null) checkClasses(numClasses, dataset);
  if (count > test.shape[0]) {
    throw new Error(`--images: ${name} has ${test.shape[0]} test images, got '${count}'`);
  }
  return inLevels(sliceImages(test, 0, count), loaded);
}

await prepareFile(out);
const bits = await bitsByPixel(model, set);
if (!bits.every(Number.isFinite)) stop('the model gives bits that are not finite: its weights are broken');
await writeWhole(out, pngOf(heatMap({ ...set, palette }, bits, columns)));
const pixels = bits.length / count;
for (let n = 0; n < count; n++) {
  const own = bits.subarray(n * pixels, (n + 1) * pixels);
  const mean = own.reduce((sum, value) => sum + value, 0) / pixels;
  const most = own.indexOf(Math.max(...own));
  const place = `row ${Math.floor(most / set.shape[2])}, column ${most % set.shape[2]}`;
  console.log(`image ${n}: ${mean.toFixed(3)} bits/dim, at most ${own[most].toFixed(2)} at ${place}`);
}
console.log(`written to ${out}`);
model.dispose();
