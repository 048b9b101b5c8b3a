// Plots which weights a masked convolution may use, from each colour to each: `node examples/plot-masks.mjs
// --kernel 7 --type A`.

import { oneOf, outputFile, parseFlags, pathTo, stop, wholeNumber } from '../kit/flags/flags.mjs';
import { pngOf, svgOf } from '../kit/pictures/drawing.mjs';
import { maskByColour, maskPlot } from '../kit/pictures/mask-plot.mjs';
import { prepareFile, writeWhole } from '../kit/runs/files.mjs';

const HELP = `Plots a mask: a row of kernels for each colour that comes in, a column for each that goes out. Blue weights are used.

Usage: node examples/plot-masks.mjs [flags]

  --kernel N           rows and columns, odd; RxC where they differ (7)
  --type A|B           A hides the current value from itself, B does not (A)
  --channels N         of the image (3)
  --features IN,OUT    features that come in and go out, multiples of the channels; one number for both (the channels)
  --vertical           of a vertical stack, which sees rows above only
  --out PATH           writes PATH.svg and PATH.png (out/masks-7x7-A, as the mask is)
  --help               prints this
`;
const flags = parseFlags(
  {
    kernel: { type: 'string', default: '7' },
    type: { type: 'string', default: 'A' },
    channels: { type: 'string', default: '3' },
    features: { type: 'string' },
    vertical: { type: 'boolean', default: false },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
  HELP,
  process.argv.slice(2),
);

const imageChannels = wholeNumber('--channels', flags.channels, 1, 9);
const kernelSize = pair('--kernel', flags.kernel, 'x', readKernel);
const [featuresIn, featuresOut] = pair('--features', flags.features ?? flags.channels, ',', readFeatures);
const maskType = oneOf('--type', flags.type, ['A', 'B']);
const { vertical } = flags;

/** Two numbers, or one for both. */
function pair(flag, text, separator, read) {
  const [first, second = first, ...rest] = text.split(separator);
  if (rest.length > 0) stop(`${flag}: wanted one number, or two with '${separator}' between, got '${text}'`);
  return [read(flag, first), read(flag, second)];
}

function readKernel(flag, text) {
  const size = wholeNumber(flag, text, 1, 31);
  return size % 2 === 1 ? size : stop(`${flag}: wanted odd numbers, got '${text}'`);
}

function readFeatures(flag, text) {
  const features = wholeNumber(flag, text, 1, 4096);
  return features % imageChannels === 0
    ? features
    : stop(`${flag}: wanted multiples of ${imageChannels}, the channels, got '${text}'`);
}

const args = { kernelSize, featuresIn, featuresOut, maskType, imageChannels, vertical };
const name = `masks-${vertical ? 'vertical-' : ''}${kernelSize.join('x')}-${maskType}`;
const out = pathTo('a path', '--out', flags.out ?? `out/${name}`).replace(/\.(svg|png)$/, '');
const [svg, png] = ['svg', 'png'].map((ending) => outputFile('--out', `${out}.${ending}`));
const drawing = maskPlot(args);
for (const [file, contents] of [
  [svg, svgOf(drawing)],
  [png, pngOf(drawing)],
]) {
  await prepareFile(file);
  await writeWhole(file, contents);
}
for (const [i, row] of maskByColour(args).pairs.entries()) {
  const used = row.map((taps) => taps.reduce((sum, tap) => sum + tap, 0));
  console.log(
    `channel ${i}: uses ${used.join(', ')} of ${kernelSize[0] * kernelSize[1]} weights of each kernel`,
  );
}
console.log(`written to ${svg} and ${png}`);
