import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadPortable, logProb } from 'pixelcnn-layers/runtime';
import { type ModelName, models, modelURL } from 'pixelcnn-models';
import { describe, expect, it } from 'vitest';
import { MODELS as MODELS_OF_PAGE } from '../../demo/catalogue.mjs';
import { shippedImages, shippedModel } from '../support/models/shipped';
import { temporaryFolder } from '../support/node/temporary-folder';
import { runScript, runWell } from './run-script';

const MODELS = fileURLToPath(new URL('../../models', import.meta.url));
const names = (await readdir(MODELS, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
const readCard = (name: string) => readFile(`${MODELS}/${name}.md`, 'utf8');
const folder = temporaryFolder();

describe.each(names)('the trained model %s', (name) => {
  const directory = `${MODELS}/${name}`;

  it('reaches the figure on its card', async () => {
    const card = await readCard(name);
    const [, figure] = /\| figure \| (\d\.\d{3}) bits\/dim/.exec(card) as RegExpExecArray;
    const rights = /; (\d+) of them are most likely under their own class/.exec(card)?.[1];
    const data = name.split('-')[0] as string;
    const flags = ['--model', directory, '--data', data, ...(rights === undefined ? [] : ['--classify'])];
    const { stdout } = await runWell('evaluate.mjs', flags);
    expect(/^model +(\d\.\d{3})/m.exec(stdout)?.[1]).toBe(figure);
    if (rights !== undefined) expect(stdout).toContain(`(${rights} of `);
  });

  it('is smaller than a megabyte', async () => {
    const files = await readdir(directory);
    const sizes = await Promise.all(files.map(async (file) => (await stat(`${directory}/${file}`)).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(1e6);
  });

  it('is also there as one file, as convert.mjs makes it', async () => {
    const made = join(folder, 'made.pixelcnn');
    const precision = name === 'digits-conditional' ? 'int8' : 'float16'; // of the page
    await runWell('convert.mjs', ['--model', directory, '--to', made, '--precision', precision]);
    const { info: _, ...shipped } = await shippedModel(name);
    expect(await loadPortable(made)).toEqual(shipped); // whose file also says of which run it is
  });
});

describe.each(Object.entries(models))('modelURL of %s', (name, card) => {
  it('leads to the model that its card tells of', async () => {
    const url = modelURL(name as ModelName);
    const { imageShape, levels, conditions, symmetry, info = {} } = await loadPortable(url);
    const [condition] = symmetry === undefined ? conditions : []; // else the class is an orientation
    const classes = condition?.kind === 'class' && { classes: condition.numClasses };
    const { bitsPerDim, licence, ...rest } = card;
    expect(rest).toEqual({ imageShape, levels, bytes: (await stat(url)).size, ...classes });
    expect(licence).toBe('MIT');
    for (const said of ['program', 'data', 'steps', 'seed', 'settings', 'commit']) expect(info[said]).toMatch(/./);
    if (!name.startsWith('magnet')) expect(Number(/[\d.]+$/.exec(info['bits/dim'] ?? '')?.[0])).toBeCloseTo(bitsPerDim, 3);
    const [, figure] = /\| figure \|.*?(\d\.\d{3}) bits\/dim/.exec(await readCard(name).catch(() => '')) ?? [];
    if (figure !== undefined) expect(bitsPerDim).toBe(Number(figure));
  });
});

it('modelURL refuses a name that there is not, and says which there are', () => {
  expect(() => modelURL('faces' as ModelName)).toThrow(/^modelURL: name: wanted characters, .*, magnet-4, got "faces"$/);
});

/** The bits per dimension that a model takes for each of the test images that come with it, given its class. */
async function bitsOfTestImages(name: string, imageShape: readonly number[]) {
  const [data, labels] = [
    await shippedImages(name),
    await readFile(new URL(`../../kit/data/sets/${name}-test-labels.u8`, import.meta.url)),
  ];
  const nats = await logProb(await shippedModel(name), { data, shape: [labels.length, ...imageShape] }, { condition: Array.from(labels) });
  return Array.from(nats, (value) => (-value * labels.length) / (data.length * Math.LN2));
}

/** How many fewer bits per dimension images take, as of their likeliest class, than by the background model, and which of them the page calls unusual. */
async function verdictsOn(name: string, images: Uint8Array) {
  const [model, background] = [await shippedModel(name), await shippedModel(`${name}-background`)];
  const count = images.length / 784;
  const given = { data: images, shape: [count, 28, 28, 1] };
  const beside = await logProb(background, given);
  const own = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  for (let condition = 0; condition < 10; condition++) {
    const nats = await logProb(model, given, { condition });
    for (const [i, value] of nats.entries()) own[i] = Math.max(own[i] as number, value);
  }
  const [least, most] = (MODELS_OF_PAGE[name as keyof typeof MODELS_OF_PAGE] as { usualRatio: [number, number] }).usualRatio;
  const fewer = Array.from(own, (nats, i) => (nats - (beside[i] as number)) / (784 * Math.LN2));
  return { own, fewer, areUnusual: fewer.map((one) => one < least || one > most) };
}

describe.each(['clothes', 'digits-28'])('the page, of %s,', (name) => {
  it('finds hardly any of the test images unusual, and paper that is blank, or of squares', async () => {
    const blank = new Uint8Array(784);
    const squares = blank.map((_, i) => 15 * (((i % 28) + Math.floor(i / 28)) % 2));
    const images = Uint8Array.from([...blank, ...squares, ...(await shippedImages(name)).subarray(0, 15 * 784)]);
    const [isBlank, isSquares, ...others] = (await verdictsOn(name, images)).areUnusual;
    expect([isBlank, isSquares]).toEqual([true, true]);
    expect(others.filter(Boolean).length).toBeLessThan(4); // 1 is to be expected of 15
  });
});

it('the model of digits in every order reaches the figures on its card, averaged and in one order', async () => {
  const card = await readCard('digits-orders');
  const [, all, one] = /\| figure \| (\d\.\d{3}) bits\/dim.*; (\d\.\d{3}) in one order/.exec(card) as RegExpExecArray;
  const { stdout } = await runScript('evaluate.mjs', ['--model', `${MODELS}/digits-orders.pixelcnn`, '--data', 'digits']);
  const figures = stdout.replaceAll(/^\d+ of \d+ images\n/gm, ''); // which a slow machine prints between them
  expect(figures).toMatch(new RegExp(`^model +${all}\nin one order +${one}\n`, 'm'));
});

const CARDS = Object.keys(models).filter((name) => existsSync(`${MODELS}/${name}.md`)) as ModelName[];

it.each(CARDS)('the model %s has a card with data, recipe, steps, figure and licence, and at most 8 MB', async (name) => {
  const card = await readCard(name);
  for (const line of ['data', 'recipe', 'steps', 'figure', 'licence']) expect(card).toContain(`| ${line} |`);
  expect(models[name].bytes).toBeLessThan(8e6);
});

it.each(['clothes', 'digits-28'] as const)(
  'the portable model %s reaches the figure that its card gives for the test images that come with it',
  async (name) => {
    const card = await readCard(name);
    const [, figure, count] = /(\d\.\d{3}) on the (\d+) that come with/.exec(card) as RegExpExecArray;
    const bits = await bitsOfTestImages(name, [28, 28, 1]);
    expect(bits).toHaveLength(Number(count));
    expect((bits.reduce((sum, one) => sum + one) / bits.length).toFixed(3)).toBe(figure);
  },
);
