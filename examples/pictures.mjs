// Draws pictures of masks, of what a model sees, and of the bits that it spends: `node examples/pictures.mjs --help`.

import { InvalidArgumentError } from 'commander';
import { diagonalBiLSTMBlock, gatedPixelCNN, pixelCNN, receptiveField, rowLSTMBlock } from 'pixelcnn-layers';
import { sliceImages } from 'pixelcnn-layers/data';
import { DATASETS } from '../kit/data/datasets.mjs';
import { inLevels, readForModel } from '../kit/data/model-data.mjs';
import { command, oddNumber, oneOf, outputFile, stop, text, wanted, wholeNumber } from '../kit/flags.mjs';
import { checkClasses, classesTaken, loadImageModel } from '../kit/models/saved-model.mjs';
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
  .description('Which weights a masked convolution uses, in blue: a row for each colour in, a column for each out.')
  .option('--kernel <n>', 'rows and columns, odd; RxC where they differ', pair('x', kernel), [7, 7])
  .option('--type <type>', 'A hides the current value from itself, B does not', oneOf(['A', 'B']), 'A')
  .option('--channels <n>', 'of the image', wholeNumber(1, 9), 3)
  .option('--features <in,out>', 'that come in and go out, multiples of the channels; one number for both (the channels)', pair(',', wholeNumber(1, 4096)))
  .option('--vertical', 'of a vertical stack, which sees rows above only', false)
  .option('--out <path>', 'writes PATH.svg and PATH.png (out/masks-7x7-A, as the mask is)', text('a path'))
  .action(drawMask);

program
  .command('field')
  .description('Which pixels a model sees before it predicts one, and its blind spot.')
  .option('--blocks <n>', 'of an untrained PixelCNN', wholeNumber(0, 20), 3)
  .option('--gated', 'of an untrained Gated PixelCNN instead', false)
  .option('--block <name>', 'a block of PixelRNN in the PixelCNN', oneOf(Object.keys(BLOCKS)))
  .option('--first-kernel <n>', 'side of its first kernel, odd', oddNumber(31), 7)
  .option('--height <n>', 'of its images (so that there is a ring around what PixelCNN sees)', wholeNumber(1, 64))
  .option('--width <n>', '(the same)', wholeNumber(1, 64))
  .option('--model <dir>', 'a saved model instead', text('the directory of a model'))
  .option('--row <n>', 'of the pixel predicted, counted from 0 (the last)')
  .option('--column <n>', 'of the pixel predicted, counted from 0 (the middle)')
  .option('--out <file>', 'the picture', outputFile(), 'out/receptive-field.svg')
  .action(drawField);

program
  .command('bits')
  .description('The first test images of a data set, each beside the bits that a model spends on its pixels; and where it spends most.')
  .requiredOption('--model <dir>', 'a saved model, or a run of train.mjs or pytorch/train.py', text('the directory of a model'))
  .requiredOption('--data <name>', 'a data set', oneOf(DATASETS))
  .option('--path <path>', 'where the data are, for data sets that are not found by themselves')
  .option('--images <n>', "of the data set's test images", wholeNumber(1, 256), 8)
  .option('--columns <n>', 'images side by side', wholeNumber(1, 256), 4)
  .option('--out <file>', 'the picture, a PNG', outputFile(), 'out/heat-map.png')
  .option('--backend <name>', 'of tfjs', oneOf(BACKENDS), 'wasm')
  .action(drawBits);

await program.parseAsync();
