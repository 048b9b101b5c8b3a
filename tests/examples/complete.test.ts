import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { logProb, sample } from 'pixelcnn-layers/runtime';
import { PNG } from 'pngjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { readDigits } from '../../kit/data/digits.mjs';
import { shippedModel } from '../support/models/shipped';
import { temporaryFolder } from '../support/node/temporary-folder';
import { readGrid } from './read-grid';
import { cellsOf, itRefuses, runScript, runWell } from './run-script';

const directory = temporaryFolder();
beforeAll(async () => {
  await writeFile(join(directory, 'file'), '');
});

const bitsOf = (nats: ArrayLike<number>) => (-Array.from(nats).reduce((sum, one) => sum + one) / (64 * nats.length * Math.LN2)).toFixed(3);

/** A digit's levels, 0 to 16, and whether each is shown as given: then white is bluish. */
function digitOf(colours: [number, number, number][]) {
  const isGiven = colours.map(([red, , blue]) => blue - red > 20);
  const levels = colours.map(([red], i) => {
    const [paper, ink] = isGiven[i] ? [219, 20] : [255, 24];
    return Math.round((16 * (paper - red)) / (paper - ink));
  });
  return { levels, isGiven };
}

describe('complete.mjs look-ahead', () => {
  let stdout: string;
  const nats = (name: string) =>
    [...stdout.matchAll(new RegExp(`^${name}: (\\S+) nats, log p of what is given later, with (\\d+) particles$`, 'gm'))].map((match) => [
      Number(match[1]),
      Number(match[2]),
    ]);

  beforeAll(async () => {
    const ended = await runScript('complete.mjs', ['look-ahead', '--particles', '4', '--maps', '3', '--out', directory]);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    ({ stdout } = ended);
  });

  it('counts the roads that lead to a tile', async () => {
    const rows = [...stdout.matchAll(/^ +(\d+) +(\d+) %(?: +(-\d+\.\d\d))? *$/gm)].map((match) => match.slice(1));
    expect(rows.map(([particles]) => particles)).toEqual(['0', '16', '64', '256']);
    const model = await shippedModel('tiles');
    const place = 5 * 32 + 31;
    const at = (value: number) => Uint8Array.from({ length: 3 * 1024 }, (_, i) => (i % 1024 === place ? value : 0));
    const shape = [3, 32, 32, 1];
    const given = { initial: { data: at(8), shape }, known: { data: at(1), shape } }; // 8 is a road, and 9 a bridge
    for (const [particles, share, estimate] of rows) {
      const lookAhead = Number(particles);
      const { images, logGiven } = await sample(model, { ...given, seed: 1, lookAhead, withLogProb: true });
      const leads = [0, 1, 2].filter((n) =>
        [-32, -1].some((step) => [8, 9].includes(images.data[1024 * n + place + step] as number)),
      ).length;
      expect(share).toBe(((100 * leads) / 3).toFixed(0));
      const p = logGiven?.reduce((sum, one) => sum + Math.exp(one) / 3, 0);
      expect(estimate).toBe(p === undefined ? undefined : Math.log(p).toFixed(2));
    }
  });

  it.each([
    ['digits-hole', (row: number, column: number) => row < 2 || row > 5 || column < 2 || column > 5],
    ['digits-lower', (row: number) => row >= 4],
  ] as const)('completes digits: %s', async (name, isKnown) => {
    const { columns, rows, colours } = await readGrid(join(directory, `${name}.png`));
    expect({ columns, rows }).toEqual({ columns: 7, rows: 8 });
    const images = colours.map(digitOf);
    const known = Array.from({ length: 64 }, (_, i) => isKnown(Math.floor(i / 8), i % 8));
    const test = (await readDigits('test')).images;
    const said = nats(name);
    expect(said.map(([, particles]) => particles)).toEqual([0, 4]);
    const model = await shippedModel('digits');
    const first = known.indexOf(false);
    const sums = [0, 0];
    for (const [n, { levels, isGiven }] of images.entries()) {
      const row = Math.floor(n / 7);
      const at = 64 * Math.floor(((Math.floor(row / 2) + 0.5) * test.length) / 64 / 4);
      const original = [...test.subarray(at, at + 64)];
      if (n % 7 === 0) {
        expect(levels).toEqual(original);
        continue;
      }
      expect(isGiven).toEqual(known);
      expect(levels.filter((_, i) => known[i])).toEqual(original.filter((_, i) => known[i]));
      const perValue = await logProb(model, { data: levels, shape: [1, 8, 8, 1] }, { perValue: true });
      const later = perValue.filter((_, i) => i > first && known[i]).reduce((sum, one) => sum + one, 0);
      sums[row % 2] = (sums[row % 2] as number) + later / 24;
    }
    expect(said.map(([sum]) => sum)).toEqual(sums.map((sum) => Number(sum.toFixed(1))));
  });
});

it('complete.mjs beam draws the likeliest completions of a digit, the likeliest first', async () => {
  const file = join(directory, 'beam.png');
  const { stdout } = await runWell('complete.mjs', ['beam', '--out', file]);
  const { columns, rows, colours } = await readGrid(file);
  expect({ columns, rows }).toEqual({ columns: 8, rows: 1 });
  const images = colours.map(digitOf);
  const digit = (await readDigits('test')).images.subarray(0, 32);
  for (const { levels, isGiven } of images) {
    expect(levels.slice(0, 32)).toEqual([...digit]);
    expect(isGiven).toEqual(Array.from({ length: 64 }, (_, i) => i < 32));
  }
  const data = images.flatMap(({ levels }) => levels);
  const nats = [...(await logProb(await shippedModel('digits'), { data, shape: [8, 8, 8, 1] }))];
  expect(stdout).toBe(`${nats.map((one) => one.toFixed(2)).join(' ')} nats, written to ${file}\n`);
  expect([...nats].sort((a, b) => b - a)).toEqual(nats);
  expect(new Set(images.map(({ levels }) => String(levels))).size).toBe(8);
});

it('complete.mjs orders says what missing pixels cost, exactly in the orientations that leave them to the end', async () => {
  const out = join(directory, 'orders.png');
  const flags = ['orders', '--images', '3', '--particles', '2', '--out', out];
  const { stdout, stderr } = await runScript('complete.mjs', flags);
  expect(stderr).toBe('');
  const figures = (title: string) => cellsOf(stdout, title);
  const model = await shippedModel('digits-orders');
  const { images: digits } = await readDigits('test');
  const testImages = (count: number) => ({ data: digits.slice(0, count * 64), shape: [count, 8, 8, 1] });
  const all = testImages(297);
  expect(figures('averaged over all')?.[0]).toBe(bitsOf(await logProb(model, all)));
  // The upper half comes first where columns are flipped, or nothing is.
  const images = testImages(3);
  const mirrored = { ...images, data: images.data.map((_, i, levels) => levels[i - (i % 8) + 7 - (i % 8)] as number) };
  const { symmetry, ...network } = model;
  const nats = await Promise.all([images, mirrored].map((given, k) => logProb(network, given, { condition: 2 * k, perValue: true })));
  const sums = (perValue: Float64Array, size: number) =>
    [0, 1, 2].map((n) => perValue.subarray(64 * n, 64 * n + size).reduce((sum, one) => sum + one, 0));
  const logSum = (size: number, n: number) => Math.log(nats.reduce((sum, of) => sum + Math.exp(sums(of, size)[n] as number), 0));
  const missing = [0, 1, 2].map((n) => logSum(64, n) - logSum(32, n));
  const later = [0, 1, 2].map((n) => (sums(nats[0] as Float64Array, 64)[n] as number) - (sums(nats[0] as Float64Array, 32)[n] as number));
  /** The mean of three numbers of bits for each of 32 missing values, and its standard error. */
  const cell = (natsOfImages: number[]) => {
    const [a, b, c] = natsOfImages.map((one) => -one / (32 * Math.LN2)) as [number, number, number];
    const mean = (a + b + c) / 3;
    const error = Math.sqrt(((a - mean) ** 2 + (b - mean) ** 2 + (c - mean) ** 2) / (3 * 2));
    return `${mean.toFixed(3)} +- ${error.toFixed(3)}`;
  };
  expect(figures('upper half')).toEqual([missing, later, later].map(cell));
  for (const part of ['lower half', 'left half', 'right half', 'all but a quarter, left']) expect(figures(part)).toHaveLength(3);
  const { width, height } = PNG.sync.read(await readFile(out));
  expect([width, height]).toEqual([15 * 72 + 8, 5 * 72 + 8]);
});

it('complete.mjs halves draws the lower halves of digits from all over the test images', async () => {
  const file = join(directory, 'halves.png');
  await runWell('complete.mjs', ['halves', '--images', '3', '--out', file]);
  const { columns, rows, colours } = await readGrid(file);
  expect({ columns, rows }).toEqual({ columns: 8, rows: 3 });
  const test = (await readDigits('test')).images;
  const digits = [49, 148, 247].map((n) => [...test.subarray(64 * n, 64 * (n + 1))]); // of 297
  for (const [n, { levels, isGiven }] of colours.map(digitOf).entries()) {
    const digit = digits[Math.floor(n / 8)] as number[];
    const numGiven = n % 8 === 0 ? 64 : 32;
    expect(levels.slice(0, numGiven)).toEqual(digit.slice(0, numGiven));
    expect(isGiven).toEqual(digit.map((_, i) => i < numGiven));
  }
  expect(new Set(colours.map(String)).size).toBeGreaterThan(20);
});

describe('complete.mjs refuses', () => {
  const refusals: [answer: string, flags: string][] = [
    ["unknown command 'halfs' (Did you mean halves?)", 'halfs'],
    ["--images: wanted a whole number from 2 to 297, got '1'", 'orders --images 1'],
    ["--images: wanted a whole number from 1 to 297, got '298'", 'halves --images 298'],
    ["--model: 'nowhere.pixelcnn' does not exist", 'orders --model nowhere.pixelcnn'],
  ]; // biome-ignore format: a line each
  itRefuses(
    refusals.map(([answer, flags]) => [answer, ['complete.mjs', ...flags.split(' ')]]),
    () => ({ DIR: directory }),
  );
});
