import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getMask, type MaskArgs } from 'pixelcnn-layers';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TAP } from '../../kit/pictures/mask-plot.mjs';
import { itRefuses, runScript } from './run-script';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'masks-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** Squares of taps in an SVG, with the middle of each, and their colours. */
function tapsOf(svg: string) {
  const squares = svg.matchAll(/<rect x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)" fill="(#\w+)"\/>/g);
  return [...squares]
    .map(([, x, y, width, height, fill]) => ({
      x: Number(x) + (Number(width) >> 1),
      y: Number(y) + (Number(height) >> 1),
      fill: fill as string,
    }))
    .filter(({ fill }) => Object.values(TAP).includes(fill));
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
  [['--kernel', '3', '--type', 'B'], { kernelSize: 3, maskType: 'B', featuresIn: 3, featuresOut: 3 }],
  [['--kernel', '3x5', '--features', '15,24'], { kernelSize: [3, 5], maskType: 'A', featuresIn: 15, featuresOut: 24 }], // biome-ignore format: one line
  [['--channels', '1', '--features', '4'], { kernelSize: 7, maskType: 'A', featuresIn: 4, featuresOut: 4, imageChannels: 1 }], // biome-ignore format: one line
  [['--vertical', '--type', 'B'], { kernelSize: 7, maskType: 'B', featuresIn: 3, featuresOut: 3, vertical: true }], // biome-ignore format: one line
];

it.each(plots)('draws as many filled squares as the mask has ones: %j', async (flags, mask) => {
  const out = join(directory, 'plots', 'mask');
  const { code, stdout } = await runScript('plot-masks.mjs', [...flags, '--out', out]);
  expect(code).toBe(0);
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

  const { width, data } = PNG.sync.read(await readFile(`${out}.png`));
  const hex = (x: number, y: number) => `#${data.subarray((y * width + x) * 4, (y * width + x) * 4 + 3).toString('hex')}`; // biome-ignore format: one line
  expect(taps.map(({ x, y }) => hex(x, y))).toEqual(taps.map(({ fill }) => fill));
});

it('names the rows by the colour that comes in, the columns by that which goes out', async () => {
  const out = join(directory, 'named.svg'); // an ending is taken off
  await runScript('plot-masks.mjs', ['--out', out]);
  const svg = await readFile(out, 'utf8');
  expect([...svg.matchAll(/>(\w (?:in|out))</g)].map(([, label]) => label)).toEqual(
    ['R in', 'R out', 'G out', 'B out', 'G in', 'B in'],
  ); // biome-ignore format: one line
});

describe('refuses', () => {
  const refusals: [flags: string[], answer: string][] = [
    [['--kernel', '4'], "--kernel: wanted odd numbers, got '4'"],
    [['--kernel', '3x3x3'], "--kernel: wanted one number, or two with 'x' between, got '3x3x3'"],
    [['--type', 'C'], "--type: wanted A, B, got 'C'"],
    [['--features', '4'], "--features: wanted multiples of 3, the channels, got '4'"],
    [['--features', '3,5'], "--features: wanted multiples of 3, the channels, got '5'"],
    [['--channels', '0'], "--channels: wanted a whole number from 1 to 9, got '0'"],
    [['--out', ''], "--out: wanted a path, got ''"],
    [['--out', '/dev/null/masks'], '--out: ENOTDIR'],
    [['--out', 'DIRECTORY/taken'], '--out: wanted a file, DIRECTORY/taken.png is a directory'],
  ];
  beforeAll(() => mkdir(join(directory, 'taken.png')));
  itRefuses(
    refusals.map(([flags, answer]) => [answer, ['plot-masks.mjs', ...flags]]),
    () => ({ DIRECTORY: directory }),
  );
});
