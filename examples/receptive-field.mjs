// Shows the receptive field and the blind spot of a model at a pixel, as text and as a picture:
// `node examples/receptive-field.mjs --blocks 3 --gated`, or `--model DIR`.

import { diagonalBiLSTMBlock, gatedPixelCNN, pixelCNN, receptiveField, rowLSTMBlock } from 'pixelcnn-layers';
import { oddNumber, oneOf, outputFile, parseFlags, pathTo, stop, wholeNumber } from '../kit/flags/flags.mjs';
import { loadImageModel } from '../kit/models/saved-model.mjs';
import { fieldSvg, fieldText } from '../kit/pictures/receptive-field.mjs';
import { useBackend } from '../kit/runs/backend.mjs';
import { prepareFile, writeWhole } from '../kit/runs/files.mjs';

const HELP = `Shows which pixels a model sees before it predicts one.

Usage: node examples/receptive-field.mjs [flags]

  --blocks N         of an untrained PixelCNN (3)
  --gated            of an untrained Gated PixelCNN instead
  --block NAME       row-lstm or diagonal-bi-lstm: a block of PixelRNN in the PixelCNN
  --first-kernel N   side of its first kernel, odd (7)
  --height N         of its images (so that there is a ring around what PixelCNN sees)
  --width N          (the same)
  --model DIR        a saved model instead
  --row N            of the pixel predicted, counted from 0 (the last)
  --column N         of the pixel predicted, counted from 0 (the middle)
  --out FILE         the picture (out/receptive-field.svg)
  --help             prints this
`;
const text = (fallback) => ({ type: 'string', ...(fallback === undefined ? {} : { default: fallback }) });
const flags = parseFlags(
  {
    blocks: text('3'),
    gated: { type: 'boolean', default: false },
    block: text(),
    'first-kernel': text('7'),
    height: text(),
    width: text(),
    model: text(),
    row: text(),
    column: text(),
    out: text('out/receptive-field.svg'),
    help: { type: 'boolean', default: false },
  },
  HELP,
  process.argv.slice(2),
);

const BLOCKS = { 'row-lstm': rowLSTMBlock, 'diagonal-bi-lstm': diagonalBiLSTMBlock };

const out = outputFile('--out', flags.out);

await useBackend('wasm');
const { model, imageShape } =
  flags.model === undefined
    ? untrained()
    : await loadImageModel(pathTo('the directory of a model', '--model', flags.model));
if (imageShape.includes(null)) stop('--model: wanted a model of images of one size, got one of any size');
const [height, width] = imageShape;
const row = flags.row === undefined ? height - 1 : wholeNumber('--row', flags.row, 0, height - 1);
const column = flags.column === undefined ? width >> 1 : wholeNumber('--column', flags.column, 0, width - 1);

function untrained() {
  const numBlocks = wholeNumber('--blocks', flags.blocks, 0, 20);
  const firstKernelSize = oddNumber('--first-kernel', flags['first-kernel'], 31);
  const radius = (firstKernelSize >> 1) + numBlocks;
  const size = (name, fallback) =>
    flags[name] === undefined ? fallback : wholeNumber(`--${name}`, flags[name], 1, 64);
  const imageShape = [size('height', radius + 2), size('width', 2 * radius + 3), 1]; // one ring more than the window
  const args = { imageShape, levels: 2, hiddenDim: 4, outDim: 4, numBlocks, firstKernelSize };
  if (flags.block === undefined)
    return { model: flags.gated ? gatedPixelCNN(args) : pixelCNN(args), imageShape };
  if (flags.gated) stop('--block: of a PixelCNN, not of a gated one');
  const block = BLOCKS[oneOf('--block', flags.block, Object.keys(BLOCKS))];
  return { model: pixelCNN({ ...args, block }), imageShape };
}

const field = await receptiveField(model, { row, column });
const drawn = { ...field, row, column, height, width };
console.log(fieldText(drawn));
console.log(
  `sees ${field.seen.length} earlier values; ${field.blindSpot.length} within the window are blind`,
);
await prepareFile(out);
await writeWhole(out, fieldSvg(drawn));
console.log(`written to ${out}`);
