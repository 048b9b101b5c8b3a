// Draws pictures of masks, of what a model sees, and of the bits that it spends: `node examples/pictures.mjs --help`.

import { diagonalBiLSTMBlock, gatedPixelCNN, pixelCNN, receptiveField, rowLSTMBlock } from 'pixelcnn-layers';
import { sliceImages } from 'pixelcnn-layers/data';
import { DATASETS } from '../kit/data/datasets.mjs';
import { inLevels, readForModel } from '../kit/data/model-data.mjs';
import {
  command,
  givenFlags,
  oddNumber,
  oneOf,
  outputFile,
  stop,
  text,
  wanted,
  wholeNumber,
} from '../kit/flags.mjs';
import { checkClasses, classesTaken, loadImageModel } from '../kit/models/saved-model.mjs';
import { mean } from '../kit/models/statistics.mjs';
import { pngOf, svgOf } from '../kit/pictures/drawing.mjs';
import { bitsByPixel, heatMap } from '../kit/pictures/heat-map.mjs';
import { maskByColour, maskPlot } from '../kit/pictures/mask-plot.mjs';
import { fieldSvg, fieldText } from '../kit/pictures/receptive-field.mjs';
import { BACKENDS, useBackend } from '../kit/runs/backend.mjs';
import { prepareFile, writeWhole } from '../kit/runs/files.mjs';

/** The blocks of PixelRNN. */
const BLOCKS = { 'row-lstm': rowLSTMBlock, 'diagonal-bi-lstm': diagonalBiLSTMBlock };

const program = command('examples/pictures.mjs', 'Draws pictures of masks, receptive fields and bits.');

program
  .command('masks')
  .description(
    'Which weights a masked convolution uses, in blue: a row for each colour in, a column for each out.',
  )
  .option(
    '--kernel <n>',
    'rows and columns, odd; RxC where they differ (default: 7)',
    pair('x', oddNumber(31)),
  )
  .option('--type <type>', 'A hides the current value from itself, B does not', oneOf(['A', 'B']), 'A')
  .option('--channels <n>', 'of the image', wholeNumber(1, 9), 3)
  .option(
    '--features <in,out>',
    'that come in and go out, multiples of the channels; one number for both (default: the channels)',
    pair(',', wholeNumber(1, 4096)),
  )
  .option('--vertical', 'of a vertical stack, which sees rows above only')
  .option(
    '--out <path>',
    'writes PATH.svg and PATH.png (default: out/masks-7x7-A, as the mask is)',
    bothFiles,
  )
  .action(drawMask);

program
  .command('field')
  .description('Which pixels a model sees before it predicts one, and its blind spot.')
  .option('--blocks <n>', 'of an untrained PixelCNN', wholeNumber(0, 20), 3)
  .option('--gated', 'of an untrained Gated PixelCNN instead')
  .option('--block <name>', 'a block of PixelRNN in the PixelCNN', oneOf(Object.keys(BLOCKS)))
  .option('--first-kernel <n>', 'side of its first kernel, odd', oddNumber(31), 7)
  .option(
    '--height <n>',
    'of its images (default: so that there is a ring around what PixelCNN sees)',
    wholeNumber(1, 64),
  )
  .option('--width <n>', 'of its images (default: for the same reason)', wholeNumber(1, 64))
  .option('--model <dir>', 'a saved model instead', text('the directory of a model'))
  .option('--row <n>', 'of the pixel predicted, counted from 0 (default: the last)', wholeNumber(0))
  .option('--column <n>', 'of the pixel predicted, counted from 0 (default: the middle)', wholeNumber(0))
  .option('--out <file>', 'the picture', outputFile(), 'out/receptive-field.svg')
  .action(drawField);

program
  .command('bits')
  .description(
    'The first test images of a data set, each beside the bits that a model spends on its pixels; and where it spends most.',
  )
  .requiredOption(
    '--model <dir>',
    'a saved model, or a run of train.mjs or research/pytorch/train.py',
    text('the directory of a model'),
  )
  .requiredOption('--data <name>', 'a data set', oneOf(DATASETS))
  .option('--path <path>', 'where the data are, for data sets that are not found by themselves')
  .option('--images <n>', "of the data set's test images", wholeNumber(1, 256), 8)
  .option('--columns <n>', 'images side by side', wholeNumber(1, 256), 4)
  .option('--out <file>', 'the picture, a PNG', outputFile(), 'out/heat-map.png')
  .option('--backend <name>', 'of tfjs', oneOf(BACKENDS), 'wasm')
  .action(drawBits);

await program.parseAsync();

/** One number for rows and columns, or two. */
function pair(separator, parse) {
  return (value) => {
    const [first, second = first, ...rest] = value.split(separator);
    if (rest.length > 0) throw wanted(`one number, or two with '${separator}' between`, value);
    return [parse(first), parse(second)];
  };
}

/** The path of two pictures, which differ in their endings. */
function bothFiles(value) {
  const path = text('a path')(value).replace(/\.(svg|png)$/, '');
  for (const ending of ['svg', 'png']) outputFile()(`${path}.${ending}`);
  return path;
}

async function drawMask({
  kernel = [7, 7],
  type,
  channels,
  features = [channels, channels],
  vertical = false,
  out,
}) {
  const odd = features.find((count) => count % channels !== 0);
  if (odd) stop(`--features: wanted multiples of ${channels}, the channels, got '${odd}'`);
  const [featuresIn, featuresOut] = features;
  const args = {
    kernelSize: kernel,
    maskType: type,
    imageChannels: channels,
    featuresIn,
    featuresOut,
    vertical,
  };
  const path = out ?? `out/masks-${vertical ? 'vertical-' : ''}${kernel.join('x')}-${type}`;
  const drawing = maskPlot(args);
  await write(`${path}.svg`, svgOf(drawing));
  await write(`${path}.png`, pngOf(drawing));
  for (const [channel, row] of maskByColour(args).pairs.entries()) {
    const used = row.map((taps) => taps.reduce((sum, tap) => sum + tap, 0));
    console.log(
      `channel ${channel}: uses ${used.join(', ')} of ${kernel[0] * kernel[1]} weights of each kernel`,
    );
  }
  console.log(`written to ${path}.svg and ${path}.png`);
}

async function drawField(flags, field) {
  const ofUntrained = ['blocks', 'gated', 'block', 'first-kernel', 'height', 'width'];
  const other = flags.model && givenFlags(field).find((name) => ofUntrained.includes(name));
  if (other) stop(`--${other}: of an untrained model, and --model is given`);
  await useBackend('wasm');
  const { model, imageShape } =
    flags.model === undefined ? untrained(flags) : await loadImageModel(flags.model);
  if (imageShape.includes(null)) stop('--model: wanted a model of images of one size, got one of any size');
  const [height, width] = imageShape;
  const { row = height - 1, column = width >> 1, out } = flags;
  for (const [flag, place, size] of [
    ['--row', row, height],
    ['--column', column, width],
  ])
    if (place >= size) stop(`${flag}: wanted a whole number from 0 to ${size - 1}, got '${place}'`);

  const seen = await receptiveField(model, { row, column });
  const drawn = { ...seen, row, column, height, width };
  console.log(fieldText(drawn));
  console.log(
    `sees ${seen.seen.length} earlier values; ${seen.blindSpot.length} within the window are blind`,
  );
  await write(out, fieldSvg(drawn));
  console.log(`written to ${out}`);
}

/** A network with random weights, and its images, by default one ring more than its window. */
function untrained({ blocks, gated, block, firstKernel, height, width }) {
  if (gated && block !== undefined) stop('--block: of a PixelCNN, not of a gated one');
  const radius = (firstKernel >> 1) + blocks;
  const imageShape = [height ?? radius + 2, width ?? 2 * radius + 3, 1];
  const args = {
    imageShape,
    levels: 2,
    hiddenDim: 4,
    outDim: 4,
    numBlocks: blocks,
    firstKernelSize: firstKernel,
  };
  if (gated) return { model: gatedPixelCNN(args), imageShape };
  return { model: pixelCNN(block === undefined ? args : { ...args, block: BLOCKS[block] }), imageShape };
}

async function drawBits({ model: directory, data, path, images: count, columns, out, backend }) {
  await useBackend(backend);
  const loaded = await loadImageModel(directory);
  const { model, condition, palette } = loaded;
  const dataset = await readForModel(data, path, loaded);
  const numClasses = classesTaken(condition);
  if (numClasses !== null) checkClasses(numClasses, dataset);
  const [all] = dataset.test.shape;
  if (count > all) stop(`--images: ${data} has ${all} test images, got '${count}'`);
  const set = inLevels(sliceImages(dataset.test, 0, count), loaded);

  const bits = await bitsByPixel(model, set); // [N,H,W]
  if (!bits.every(Number.isFinite)) stop('the model gives bits that are not finite: its weights are broken');
  await write(out, pngOf(heatMap({ ...set, palette }, bits, columns)));
  const pixels = bits.length / count;
  for (let n = 0; n < count; n++) {
    const own = bits.subarray(n * pixels, (n + 1) * pixels);
    const most = own.indexOf(Math.max(...own));
    const place = `row ${Math.floor(most / set.shape[2])}, column ${most % set.shape[2]}`;
    console.log(`image ${n}: ${mean(own).toFixed(3)} bits/dim, at most ${own[most].toFixed(2)} at ${place}`);
  }
  console.log(`written to ${out}`);
  model.dispose();
}

async function write(file, contents) {
  await prepareFile(file);
  await writeWhole(file, contents);
}
