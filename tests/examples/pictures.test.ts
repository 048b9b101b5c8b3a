import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getMask, type MaskArgs } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { heatColour } from '../../kit/pictures/heat-map.mjs';
import { TAP } from '../../kit/pictures/mask-plot.mjs';
import { temporaryFolder } from '../support/node/temporary-folder';
import { readPng } from '../support/read-png';
import { itRefuses, runScript, runWell } from './run-script';
import { saveModel } from './save-model';

const directory = temporaryFolder();
let zero: string;
beforeAll(async () => {
  zero = join(directory, 'zero');
  await saveModel(zero, {}, true);
});

/** Squares of taps in an SVG, with the middle of each, and their colours. */
function tapsOf(svg: string) {
  const squares = svg.matchAll(/<rect x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)" fill="(#\w+)"\/>/g);
  const middle = (from?: string, size?: string) => Number(from) + (Number(size) >> 1);
  const taps = [...squares].map(([, x, y, width, height, fill = '']) => ({ x: middle(x, width), y: middle(y, height), fill }));
  return taps.filter(({ fill }) => Object.values(TAP).includes(fill));
}

/** Ones of the mask, counting each colour's first feature only: in all, and at the centre. */
function onesOf(args: MaskArgs) {
  const { shape, values } = getMask(args);
  const [rows, columns, featuresIn, featuresOut] = shape;
  const { imageChannels = 3 } = args;
  const count = { all: 0, centre: 0 };
  for (let tap = 0; tap < rows * columns; tap++) {
    for (let i = 0; i < featuresIn; i += featuresIn / imageChannels) {
      for (let o = 0; o < featuresOut; o += featuresOut / imageChannels) {
        const used = values[(tap * featuresIn + i) * featuresOut + o] as number;
        count.all += used;
        if (tap === (rows * columns) >> 1) count.centre += used;
      }
    }
  }
  return count;
}

const plots: [flags: string[], mask: MaskArgs][] = [
  [[], { kernelSize: 7, maskType: 'A', featuresIn: 3, featuresOut: 3 }],
  [['--kernel', '3x5', '--features', '15,24'], { kernelSize: [3, 5], maskType: 'A', featuresIn: 15, featuresOut: 24 }],
  [['--channels', '1', '--features', '4'], { kernelSize: 7, maskType: 'A', featuresIn: 4, featuresOut: 4, imageChannels: 1 }],
  [['--vertical', '--type', 'B'], { kernelSize: 7, maskType: 'B', featuresIn: 3, featuresOut: 3, vertical: true }],
];

it.each(plots)('draws as many filled squares as the mask has ones: %j', async (flags, mask) => {
  const out = join(directory, 'plots', 'mask');
  const { stdout } = await runWell('pictures.mjs', ['masks', ...flags, '--out', out]);
  expect(stdout).toContain(`written to ${out}.svg and ${out}.png`);
  expect(await readdir(join(directory, 'plots'))).toEqual(['mask.png', 'mask.svg']);
  const taps = tapsOf(await readFile(`${out}.svg`, 'utf8'));
  const { all, centre } = onesOf(mask);
  const { shape } = getMask(mask);
  const { imageChannels = 3 } = mask;
  expect(taps).toHaveLength(shape[0] * shape[1] * imageChannels ** 2);
  const filled = (...fills: string[]) => taps.filter(({ fill }) => fills.includes(fill)).length;
  expect(filled(TAP.used, TAP.centreUsed)).toBe(all);
  expect(filled(TAP.centreUsed)).toBe(centre);
  expect(filled(TAP.centreUsed, TAP.centreHidden)).toBe(imageChannels ** 2);
  const { hexAt } = readPng(await readFile(`${out}.png`));
  expect(taps.map(({ x, y }) => hexAt(x, y))).toEqual(taps.map(({ fill }) => fill));
});

it('names the rows by the colour that comes in, the columns by that which goes out', async () => {
  const out = join(directory, 'named.svg'); // an ending is taken off
  await runScript('pictures.mjs', ['masks', '--out', out]);
  const svg = await readFile(out, 'utf8');
  expect([...svg.matchAll(/>(\w (?:in|out))</g)].map(([, label]) => label)).toEqual(['R in', 'R out', 'G out', 'B out', 'G in', 'B in']);
});

describe('masks refuses', () => {
  const refusals: [flags: string[], answer: string][] = [
    [['--kernel', '3x3x3'], "--kernel: wanted one number, or two with 'x' between, got '3x3x3'"],
    [['--features', '3,5'], "--features: wanted multiples of 3, the channels, got '5'"],
    [['--out', 'package.json/in/masks'], '--out: ENOTDIR'],
    [['--out', 'DIRECTORY/taken'], '--out: wanted a file, DIRECTORY/taken.png is a directory'],
  ];
  beforeAll(() => mkdir(join(directory, 'taken.png')));
  itRefuses(
    refusals.map(([flags, answer]) => [answer, ['pictures.mjs', 'masks', ...flags]]),
    () => ({ DIRECTORY: directory }),
  );
});

it('shows the blind spot as text and as a picture', async () => {
  const { stdout } = await runWell('pictures.mjs', ['field', '--blocks', '2'], directory);
  // As the blog's stack with two blocks: # seen, o blind, @ the pixel predicted
  expect(stdout).toContain(
    ['.............', '.###########.', '.###########.', '.###########.', '.##########o.', '.#########oo.', '.#####@'].join('\n'),
  );
  expect(stdout).toContain('sees 57 earlier values; 3 within the window are blind');
  expect(stdout).toContain('written to out/receptive-field.svg\n');
  const svg = await readFile(join(directory, 'out/receptive-field.svg'), 'utf8');
  expect(svg.match(/#c0563b/g)).toHaveLength(3);
});

it('shows that a gated network sees all of its window', async () => {
  const out = join(directory, 'gated.svg');
  const flags = ['--gated', '--blocks', '2', '--first-kernel', '5', '--out', out];
  const { stdout } = await runWell('pictures.mjs', ['field', ...flags]);
  // 4 rows above of 9 columns, and 4 pixels to the left
  expect(stdout).toContain('sees 40 earlier values; 0 within the window are blind');
  expect(await readFile(out, 'utf8')).not.toContain('#c0563b');
});

it('shows what blocks of PixelRNN see, in images of a given size', async () => {
  const see = async (block: string) => {
    const flags = ['--blocks', '1', '--first-kernel', '3', '--height', '4', '--width', '9', '--block', block];
    const { stdout } = await runScript('pictures.mjs', ['field', ...flags], directory);
    return stdout.split('\n').slice(0, 4);
  };
  // Two pixels to the left by the two kernels 3x3, and from there on upwards a triangle.
  expect(await see('row-lstm')).toEqual(['########.', '#######o.', 'o#####oo.', 'oo##@']);
  expect(await see('diagonal-bi-lstm')).toEqual(['#########', '#########', '########o', '####@']);
  const { code, stderr } = await runScript('pictures.mjs', ['field', '--gated', '--block', 'row-lstm']);
  expect([code, stderr]).toEqual([1, '--block: of a PixelCNN, not of a gated one\n']);
});

it('counts rows and columns of a saved model from 0', async () => {
  const model = join(directory, 'model');
  await saveModel(model, {}); // 8x8 pixels; a first kernel of 3 and a block of 3
  const flags = ['--model', model, '--row', '1', '--column', '0', '--out', join(directory, 'model.svg')];
  const { stdout } = await runWell('pictures.mjs', ['field', ...flags]);
  expect(stdout).toMatch(/^##\.{6}\n@\n/); // in the row above, what the first kernel sees, and no more: its block looks to the left there
});

it('shows images with their bits beside them, the same bytes each time', async () => {
  const out = join(directory, 'made', 'map.png');
  const flags = ['--model', zero, '--data', 'digits', '--images', '3', '--columns', '2', '--out', out];
  const { stdout } = await runWell('pictures.mjs', ['bits', ...flags]);
  // To zero weights all 17 levels are alike.
  expect(stdout.match(/^image \d: 4\.087 bits\/dim, at most 4\.09 at row 0, column 0$/gm)).toHaveLength(3);
  expect(stdout).toContain(`written to ${out}`);
  const bytes = await readFile(out);
  const { hexAt } = readPng(bytes);
  for (const pixel of [0, 3, 7]) expect(hexAt(12 + 80 + 6 + 10 * pixel + 5, 12 + 5)).toBe(heatColour(1));
  await runScript('pictures.mjs', ['bits', ...flags]);
  expect((await readFile(out)).equals(bytes)).toBe(true);
});
