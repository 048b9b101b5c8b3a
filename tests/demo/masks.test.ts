import * as tf from '@tensorflow/tfjs-core';
import { gatedPixelCNN, pixelCNN, receptiveField } from 'pixelcnn-layers';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { kindsOf, layersToSee } from '../../demo/mask-explorer/field.mjs';
import { maskOf } from '../../demo/mask-explorer/mask.mjs';
import { weightWords } from '../../demo/mask-explorer/mask-words.mjs';
import { useBackend } from '../../kit/runs/backend.mjs';
import { pixels, useDemo } from './open-page';

const indices = (length: number) => Array.from({ length }, (_, i) => i);

describe('a weight in words', () => {
  it.each([
    ['plain', 'A', [0, 2], 'used, because it is drawn before'],
    ['plain', 'A', [1, 2], 'hidden, because it is drawn later'],
    ['plain', 'A', [2, 0], 'hidden, because it is drawn later'],
    ['plain', 'A', [1, 1], 'hidden, because this is the pixel to predict'],
    ['plain', 'B', [1, 1], 'used, because features here do not know the pixel itself'],
    ['vertical', 'A', [1, 0], 'hidden, because the horizontal stack reads this row'],
    ['vertical', 'B', [1, 2], 'used, because features here know only rows above'],
  ] as const)('of a %s stack with mask %s at %o', (stack, maskType, [row, column], words) => {
    expect(weightWords(maskOf(stack, maskType, 3), stack, row, column)).toBe(words);
  });
});

const networks = [['plain', false, pixelCNN], ['gated', true, gatedPixelCNN]] as const; // biome-ignore format: a line
describe.each(networks)('what a pixel sees, %s', (_, isGated, model) => {
  beforeAll(() => useBackend('cpu'));

  it.each([
    { numBlocks: 2, height: 5, width: 9, at: [4, 3] },
    { numBlocks: 1, height: 4, width: 7, at: [3, 6] },
    { numBlocks: 0, height: 4, width: 6, at: [2, 0] },
  ])('is what the library finds by changing values: %o', async ({ numBlocks, height, width, at }) => {
    const [row, column] = at as [number, number];
    const built = model({ imageShape: [height, width, 1], levels: 2, hiddenDim: 2, outDim: 2, firstKernelSize: 3, numBlocks });
    const scale = isGated ? 0.5 : 1; // so that no gate saturates
    const weights = built.getWeights().map((weight) => tf.mul(tf.add(tf.abs(weight), 0.05), scale));
    built.setWeights(weights);
    const { seen, blindSpot } = await receptiveField(built, { row, column, channel: 0 });
    tf.dispose(weights);
    built.dispose();

    const [place, size, numLayers] = [{ row, column }, { height, width }, numBlocks + 1];
    const kinds = kindsOf(layersToSee(isGated, numLayers, place, size), numLayers, place, size);
    const placesOf = (wanted: string) =>
      indices(height * width)
        .filter((pixel) => kinds[pixel] === wanted)
        .map((pixel) => [Math.floor(pixel / width), pixel % width, 0]);
    expect(placesOf('seen')).toEqual(seen);
    expect(placesOf('blind')).toEqual(blindSpot);
  });
});

describe('masks in the demo', () => {
  const demo = useDemo();
  const panel = () => demo.panel('masks');
  const choose = (group: string, name: string) =>
    panel().getByRole('group', { name: group }).getByRole('radio', { name, exact: true }).check();
  const kernel = () => panel().locator('.kernel');
  const mask = () => kernel().locator('canvas').getAttribute('aria-label');
  const words = async () => (await kernel().locator('.mask-words span:visible').allTextContents()).join(' ').replace(/\s+/g, ' ');
  const readout = () => kernel().getByRole('status').textContent();

  beforeEach(async () => {
    await demo.open('masks');
    await kernel().locator('canvas').waitFor();
  });

  it('show which weights are used, in words too, and say why to the keyboard and the pointer', async () => {
    expect(await mask()).toBe('Mask, row by row: 1 1 1, 1 0 0, 0 0 0');
    expect(await words()).toContain('4 of 9 weights are used. Mask A');
    const before = await pixels(kernel().locator('canvas'));
    await choose('Mask type', 'B');
    expect(await mask()).toBe('Mask, row by row: 1 1 1, 1 1 0, 0 0 0');
    expect(await pixels(kernel().locator('canvas'))).not.toBe(before);

    await kernel().locator('canvas').focus();
    for (const key of ['ArrowDown', 'ArrowRight']) await demo.page.keyboard.press(key);
    expect(await readout()).toBe('Row 2, column 2: used, because features here do not know the pixel itself');
    const canvas = kernel().locator('canvas');
    await canvas.hover({ position: { x: 5, y: 5 } });
    expect(await readout()).toBe('Row 1, column 1: used, because it is drawn before');
  });

  it.each([1280, 390])('are of any size and stack, in the same room, on a screen of %i', async (width) => {
    await demo.page.setViewportSize({ width, height: 844 });
    const { height } = (await kernel().boundingBox()) ?? {};
    await choose('Kernel', '5×5');
    await choose('Stack', 'horizontal');
    expect(await mask()).toBe('Mask, row by row: 1 1 0 0 0');
    await choose('Stack', 'vertical');
    expect(await mask()).toBe('Mask, row by row: 1 1 1 1 1, 1 1 1 1 1, 0 0 0 0 0, 0 0 0 0 0, 0 0 0 0 0');
    expect(await words()).toContain('The vertical stack');
    await choose('Mask type', 'B');
    for (const stack of ['horizontal', 'vertical', 'plain']) {
      await choose('Stack', stack);
      await kernel().locator('canvas').hover();
      expect(await readout()).toContain('features here');
      expect((await kernel().boundingBox())?.height).toBe(height);
    }
  });

  it('show what a pixel sees, by one stack and by two, layer by layer and from any place', async () => {
    const grid = panel().getByRole('application', { name: 'What the network sees' });
    const says = (words: string) => panel().getByText(words).isVisible();
    const readout = () => panel().locator('.layers .grid').getByRole('status').textContent();
    const press = async (...keys: string[]) => {
      for (const key of keys) await demo.page.keyboard.press(key);
    };
    expect([await says('Wrong: “?” is black'), await says('Right: two stacks see')]).toEqual([true, false]);
    await grid.focus();
    await press(...Array(8).fill('ArrowRight'), ...Array(9).fill('ArrowDown'));
    expect(await readout()).toBe('Row 10, column 9: never seen, through however many layers');
    await choose('Network', 'Two stacks');
    expect([await says('Wrong: “?” is black'), await says('Right: two stacks see')]).toEqual([false, true]);
    await grid.focus();
    expect(await readout()).toBe('Row 10, column 9: seen through 2 layers');
    const before = await pixels(grid);
    await panel().getByRole('slider').fill('1');
    expect(await pixels(grid)).not.toBe(before);
    await grid.focus();
    expect(await readout()).toBe('Row 10, column 9: too far away for these layers');
    await press('Space');
    expect(await readout()).toBe('Row 10, column 9: the pixel being guessed');
    expect([await says('Right: two stacks see'), await says('Together they see everything')]).toEqual([false, true]);
    await press('ArrowUp', 'ArrowRight');
    expect(await readout()).toBe('Row 9, column 10: seen through 1 layer');
    await press('ArrowDown');
    expect(await readout()).toBe('Row 10, column 10: drawn later');

    const { width = 0, height = 0 } = (await grid.boundingBox()) ?? {};
    await grid.click({ position: { x: (6.5 / 16) * width, y: (10.5 / 12) * height } });
    expect(await readout()).toBe('Row 11, column 7: the pixel being guessed');
    expect(await says('Right: two stacks see')).toBe(true);
  });
});
