import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { gatedPixelCNN, pixelCNN, receptiveField } from 'pixelcnn-layers';
import type { Browser, Page } from 'playwright';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fieldOf } from '../../examples/demo/mask-explorer/field.mjs';
import { kernelSquares } from '../../examples/demo/mask-explorer/kernel-squares.mjs';
import { lookAt, sentenceOf } from '../../examples/demo/mask-explorer/look.mjs';
import { maskWords, squareWords } from '../../examples/demo/mask-explorer/mask-words.mjs';
import { gatedNetwork, plainNetwork } from '../../examples/demo/mask-explorer/networks.mjs';
import { indexOf, placeAt, placeByKey } from '../../examples/demo/mask-explorer/order.mjs';
import { useBackend } from '../support/backends';
import { chromiumPath } from '../support/chromium.mjs';
import { launchChromium } from '../support/pages';

const PANEL = fileURLToPath(new URL('../../examples/demo/mask-explorer/index.mjs', import.meta.url));
const ADDRESS = 'http://page.test/';
const IMAGE = { height: 9, width: 13, channels: 3 };
const NETWORKS = [
  ['plain', plainNetwork, pixelCNN],
  ['gated', gatedNetwork, gatedPixelCNN],
] as const;

describe('a kernel in words', () => {
  const plain = { kernelSize: 3, maskType: 'A', vertical: false, imageChannels: 3, features: 1 } as const;
  const say = (choice: Parameters<typeof squareWords>[1], [from, to, y, x]: number[]) =>
    squareWords(kernelSquares(choice)[from as number]?.[to as number]?.[y as number]?.[x as number] as never, choice); // biome-ignore format: one line

  it.each([
    [
      plain,
      [1, 0, 0, 0],
      'Green, one row above and one pixel to the left, may be seen when red is computed. It is drawn before.',
    ],
    [
      plain,
      [1, 0, 1, 2],
      'Green, one pixel to the right, is hidden when red is computed. It is drawn later.',
    ],
    [
      plain,
      [0, 2, 1, 1],
      'Red, at this very pixel, may be seen when blue is computed. Within a pixel, red is drawn before blue.',
    ],
    [
      plain,
      [2, 0, 1, 1],
      'Blue, at this very pixel, is hidden when red is computed. Within a pixel, blue is drawn after red.',
    ],
    [
      plain,
      [1, 1, 1, 1],
      'Green, at this very pixel, is hidden when green is computed. It is the very value that has to be predicted.',
    ],
    [
      { ...plain, maskType: 'B' },
      [1, 1, 1, 1],
      'Green, at this very pixel, may be seen when green is computed. A later layer reads features here, and mask A has kept the value of green out of them.',
    ],
    [
      { ...plain, features: 2 },
      [3, 2, 1, 1],
      'Feature 2 of green, at this very pixel, is hidden when feature 1 of green is computed. It may know the value of green, and that has to be predicted.',
    ],
    [
      { ...plain, imageChannels: 1, features: 2 },
      [1, 0, 2, 1],
      'Feature 2 of grey, one row below, is hidden when feature 1 of grey is computed. It is drawn later.',
    ],
    [
      { ...plain, vertical: true },
      [2, 0, 0, 2],
      'Blue, one row above and one pixel to the right, may be seen when red is computed. Rows above are seen whole, in every colour.',
    ],
    [
      { ...plain, vertical: true, maskType: 'B' },
      [2, 0, 1, 2],
      'Blue, one pixel to the right, may be seen when red is computed. Here the vertical stack reads its own features, and those know rows above only.',
    ],
  ] as const)('says what a square of %o is', (choice, at, words) => {
    // biome-ignore format: a table
    expect(say(choice, [...at])).toBe(words);
  });

  it('tells A from B in terms of what is chosen', () => {
    expect(maskWords(plain).join(' ')).toContain(
      'red sees nothing, green sees red, blue sees red and green.',
    );
    const grey = maskWords({ ...plain, maskType: 'B', imageChannels: 1 }).join(' ');
    expect(grey).toContain('At the current pixel, grey sees grey.');
    expect(maskWords({ ...plain, kernelSize: 1, vertical: true }).join(' ')).toContain('nothing is left');
  });
});

describe('the drawing order', () => {
  it.each([
    ['ArrowUp', [3, 4, 1]],
    ['ArrowDown', [5, 4, 1]],
    ['ArrowLeft', [4, 3, 1]],
    ['ArrowRight', [4, 5, 1]],
    ['n', [4, 4, 2]],
    ['P', [4, 4, 0]],
    ['Home', [0, 0, 0]],
    ['End', [8, 12, 2]],
  ])('leads by %s to %o', (key, [row, column, channel]) => {
    expect(placeByKey({ row: 4, column: 4, channel: 1 }, key, IMAGE)).toEqual({ row, column, channel });
  });

  it('ends at the first and the last value, and leaves other keys alone', () => {
    const [first, last] = [placeAt(0, IMAGE), placeAt(9 * 13 * 3 - 1, IMAGE)];
    expect(placeByKey(first, 'p', IMAGE)).toEqual(first);
    expect(placeByKey(last, 'n', IMAGE)).toEqual(last);
    expect(placeByKey(last, 'ArrowDown', IMAGE)).toEqual(last);
    expect(placeByKey(placeAt(12 * 3 + 2, IMAGE), 'n', IMAGE)).toEqual({ row: 1, column: 0, channel: 0 });
    expect(placeByKey(first, 'Tab', IMAGE)).toBeNull();
  });
});

describe.each(NETWORKS)('the receptive field, %s', (name, network, model) => {
  beforeAll(() => useBackend('cpu'));

  it.each([
    { firstKernelSize: 3, numBlocks: 2, height: 5, width: 9, channels: 1, at: [4, 3, 0] },
    { firstKernelSize: 5, numBlocks: 1, height: 4, width: 7, channels: 3, at: [3, 2, 1] },
    { firstKernelSize: 7, numBlocks: 0, height: 4, width: 6, channels: 2, at: [2, 5, 1] },
  ])(
    'is what the library finds by changing values: %o',
    async ({ at, height, width, channels, ...choice }) => {
      const size = { height, width, channels };
      const [row, column, channel] = at as [number, number, number];
      const args = { imageShape: [height, width, channels] as [number, number, number], levels: 2, hiddenDim: 2, outDim: 2 }; // biome-ignore format: one line
      const built = model({ ...args, ...choice });
      const scale = name === 'gated' ? 0.5 : 1; // so that no gate saturates
      const weights = built.getWeights().map((weight) => tf.mul(tf.add(tf.abs(weight), 0.05), scale));
      built.setWeights(weights);
      const found = await receptiveField(built, { row, column, channel });
      tf.dispose(weights);
      built.dispose();

      const shown = network({ channels, ...choice });
      const place = { row, column, channel };
      const field = fieldOf(shown, place, size);
      const isSeen = (index: number) => (field.layers[index] as number) > 0;
      const seen = Array.from(field.layers.keys())
        .filter(isSeen)
        .map((index) => placeAt(index, size));
      expect(seen.map(({ row, column, channel }) => [row, column, channel])).toEqual(found.seen);
      const { picture } = lookAt(shown, field, { place, size, layer: choice.numBlocks + 1, asked: null });
      const whole = found.blindSpot.filter(([r, c]) => r !== row || c !== column); // pixels, without the channels to come
      expect(picture.blind * channels).toBe(whole.length);
    },
  );

  it.each([0, 1, 2, 3, 4, 5, 6])('is blind to a triangle or to nothing, %i blocks', (numBlocks) => {
    const radius = 3 + numBlocks;
    const size = { height: radius + 2, width: 2 * radius + 3, channels: 1 };
    const place = { row: radius + 1, column: radius + 1, channel: 0 };
    const shown = network({ channels: 1, firstKernelSize: 7, numBlocks });
    const { picture } = lookAt(shown, fieldOf(shown, place, size), { place, size, layer: numBlocks + 1, asked: null }); // biome-ignore format: one line
    expect(picture.blind).toBe(name === 'plain' ? (numBlocks * (numBlocks + 1)) / 2 : 0);
    expect(picture.seen + picture.blind).toBe(radius * (2 * radius + 1) + radius);
  });

  it('sees earlier pixels whole, nothing that is to come, and never what is blind, at every value and layer', () => {
    const shown = network({ channels: 3, firstKernelSize: 5, numBlocks: 4 });
    const size = { height: 6, width: 8, channels: 3 };
    for (let index = 0; index < 6 * 8 * 3; index++) {
      const place = placeAt(index, size);
      const field = fieldOf(shown, place, size);
      expect(field.layers.slice(index).every((layer) => layer === 0)).toBe(true);
      const start = index - place.channel;
      for (let i = 0; i < start; i += 3) expect(new Set(field.layers.slice(i, i + 3)).size).toBe(1);
      expect(field.layers.slice(start, index).every((layer) => layer === 1)).toBe(true);
      for (let layer = 1; layer <= 5; layer++) {
        const { picture } = lookAt(shown, field, { place, size, layer, asked: null });
        picture.pixels.forEach(({ kind }, pixel) => {
          if (kind === 'blind')
            expect([field.layers[3 * pixel], pixel % 8 > place.column]).toEqual([0, true]);
        });
      }
    }
  });

  it('gives a way to each pixel, of one stop a layer, along weights that masks allow', () => {
    const shown = network({ channels: 1, firstKernelSize: 3, numBlocks: 3 });
    const size = { height: 6, width: 9, channels: 1 };
    const place = { row: 5, column: 4, channel: 0 };
    const field = fieldOf(shown, place, size);
    field.layers.forEach((count, index) => {
      const path = field.pathTo(index);
      expect(path).toHaveLength(count === 0 ? 0 : count + 1);
      path.slice(1).forEach((stop, hop) => {
        const above = path[hop] as (typeof path)[number];
        const isRead = shown.layers[count - 1 - hop]?.some(
          ({ to, from, taps }) =>
            to === above.stack &&
            from === Math.max(stop.stack, 0) &&
            taps[0]?.some(({ row, column }) => above.row + row === stop.row && above.column + column === stop.column), // biome-ignore format: one line
        );
        expect(isRead).toBe(true);
      });
      if (count === 0) return;
      expect(path[0]).toEqual({ row: 5, column: 4, stack: 0 });
      expect(indexOf({ row: 0, column: 0, channel: 0, ...path.at(-1) }, size)).toBe(index);
    });
  });
});

it('says in words what both networks see', () => {
  const choice = { channels: 3, firstKernelSize: 7, numBlocks: 2 };
  const options = { size: IMAGE, layer: 3, numLayers: 3, asked: { row: 6, column: 11 } };
  const say = (place: ReturnType<typeof placeAt>) => {
    const [plain, gated] = [plainNetwork, gatedNetwork].map((network) =>
      lookAt(network(choice), fieldOf(network(choice), place, IMAGE), { ...options, place }),
    ) as [ReturnType<typeof lookAt>, ReturnType<typeof lookAt>];
    return [sentenceOf(plain, gated, { ...options, place }), plain.answer, gated.answer];
  };
  expect(say({ row: 7, column: 6, channel: 2 })).toEqual([
    'Blue of row 7, column 6, is computed: value 294 of 351. After all 3 layers, the plain stack sees 57 of 60 earlier pixels in its window; 3 are never seen. The gated network sees all 60 earlier pixels in its window. Both also see red and green of the pixel itself.',
    'Row 6, column 11, is never seen: it stands five columns to the right, but just one row above, and a layer reads to the right only in rows above.',
    'Row 6, column 11, is seen through three layers, by way of row 7, column 8 (the vertical stack); row 7, column 7 (the vertical stack).',
  ]);
  expect(say({ row: 0, column: 0, channel: 0 })[0]).toContain('sees no other pixel: none is drawn yet.');
});

describe.skipIf(chromiumPath === undefined)('the panel', () => {
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const options = (group: string) => page.getByRole('group', { name: group, exact: true });
  const choose = (group: string, name: string) => options(group).getByRole('radio', { name, exact: true }).check(); // biome-ignore format: one line
  const textOf = (selector: string) => page.locator(selector).textContent();
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));

  beforeAll(async () => {
    const lib = { entry: PANEL, formats: ['es' as const], fileName: 'panel', cssFileName: 'panel' };
    const built = await build({
      configFile: false,
      logLevel: 'silent',
      build: { write: false, minify: false, lib },
    });
    const [{ output }] = built as unknown as [{ output: { fileName: string; code?: string; source?: string }[] }]; // biome-ignore format: one line
    const files = new Map(output.map(({ fileName, code, source }) => [`/${fileName}`, code ?? source ?? '']));
    files.set(
      '/',
      `<!doctype html><html lang="en"><title>Masks</title><link rel="icon" href="data:,"><link rel="stylesheet" href="panel.css">
      <main id="root"></main>
      <script type="module">import { mountMaskExplorer } from './panel.js'; mountMaskExplorer(document.getElementById('root'));</script>`,
    );
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 360, height: 800 } });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    await page.route('**/*', (route) => {
      const { pathname } = new URL(route.request().url());
      const contentType = pathname.endsWith('.js') ? 'text/javascript' : pathname.endsWith('.css') ? 'text/css' : 'text/html'; // biome-ignore format: one line
      const body = files.get(pathname);
      return route.fulfill(body === undefined ? { status: 404 } : { body, contentType });
    });
    await page.goto(ADDRESS);
    await page.getByRole('heading', { name: 'Masks: what a value may see' }).waitFor();
  });
  afterAll(() => browser?.close());

  it('shows the mask chosen, square by square, to the keyboard too', async () => {
    expect(await textOf('.mask-count')).toBe('4 of 9 weights are used.'); // one gray channel at first
    await choose('Image channels', '3');
    expect(await textOf('.mask-count')).toBe('39 of 81 weights are used.'); // 9 * 4 and 3 of the current pixel
    expect(await page.locator('.mask-kernel').count()).toBe(9);
    await page.getByRole('grid', { name: 'red looked at, red computed' }).locator('[tabindex="0"]').focus();
    expect(await focused()).toBe('at this very pixel: hidden');
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key); // into the next plot
    expect(await textOf('.mask-meaning')).toBe(
      'Red, at this very pixel, may be seen when green is computed. Within a pixel, red is drawn before green.',
    );
    expect(await focused()).toBe('at this very pixel: used');

    await choose('Mask type', 'B');
    expect(await textOf('.mask-count')).toBe('42 of 81 weights are used.');
    expect(await textOf('.mask-explanation')).toContain('green sees red and green');
    await choose('Stack', 'vertical');
    await choose('Kernel', '5×5');
    await choose('Image channels', '1');
    await choose('Features per channel', '2');
    expect(await textOf('.mask-count')).toBe('60 of 100 weights are used.');
    await page.getByRole('grid', { name: 'grey 2 looked at, grey 1 computed' }).getByRole('gridcell').nth(24).hover(); // biome-ignore format: one line
    expect(await textOf('.mask-meaning')).toBe(
      'Feature 2 of grey, two rows below and two pixels to the right, is hidden when feature 1 of grey is computed. It is drawn later.',
    );
  });

  it('steps through values by buttons and keys, and through layers', async () => {
    const sentence = () => textOf('.mask-sentence');
    const click = (name: string) => page.getByRole('button', { name, exact: true }).click();
    expect(await sentence()).toContain('Grey of row 7, column 6, is computed: value 98 of 117.');
    await choose('Image', 'colour');
    expect(await sentence()).toContain('Red of row 7, column 6, is computed: value 292');
    await click('Next value');
    expect(await sentence()).toContain(
      'Green of row 7, column 6, is computed: value 293 of 351. After all 4 layers',
    );
    expect(await sentence()).toContain(
      'the plain stack sees 78 of 84 earlier pixels in its window; 6 are never seen.',
    );
    await click('Next value');
    expect(await sentence()).toContain('Blue of row 7, column 6, is computed: value 294');
    await click('Next value');
    expect(await sentence()).toContain('Red of row 7, column 7, is computed: value 295');
    await click('First value');
    expect(await sentence()).toContain('value 1 of 351.');
    expect(await sentence()).toContain('none is drawn yet');
    await click('Last value');
    await click('Previous value');
    expect(await sentence()).toContain('Green of row 8, column 12, is computed: value 350');

    const grid = page.getByRole('grid', { name: 'Plain stack' });
    await grid.locator('[tabindex="0"]').focus();
    for (const key of ['ArrowUp', 'ArrowLeft', 'ArrowLeft', 'p']) await page.keyboard.press(key);
    expect(await sentence()).toContain('Red of row 7, column 10, is computed');
    expect(await focused()).toBe('row 7, column 10: computed now');
    await grid.getByRole('gridcell', { name: 'row 6, column 3:' }).click();
    expect(await sentence()).toContain('Red of row 6, column 3, is computed');

    await page.getByRole('slider').fill('1');
    expect(await sentence()).toContain('After layer 1 of 4, the plain stack sees all 24 earlier pixels');
    expect(await textOf('.mask-slider')).toContain('the first convolution, 7×7, mask A');
    expect(await grid.locator('.mask-seen').count()).toBe(24);
    expect(await grid.locator('.mask-blind').count()).toBe(0);
    await page.getByRole('slider').fill('4');
    await choose('First kernel', '3×3');
    await choose('Blocks of 3×3', '5');
    await choose('Image', 'grey');
    expect(await sentence()).toContain(
      'Grey of row 6, column 3, is computed: value 82 of 117. After all 6 layers',
    );
    expect(await grid.locator('.mask-blind').count()).toBe(15);
    expect(await page.getByRole('grid', { name: 'Gated network' }).locator('.mask-blind').count()).toBe(0);
  });

  it('answers about a pixel, and shows the way to it', async () => {
    await choose('Clicks and arrow keys', 'ask about one');
    const grid = page.getByRole('grid', { name: 'Gated network' });
    await grid.locator('[tabindex="0"]').focus();
    for (const key of ['ArrowUp', 'ArrowRight', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key);
    expect(await focused()).toBe('row 5, column 6: seen through 3 layers');
    const answers = await page.locator('.mask-answer').allTextContents();
    expect(answers[0]).toContain('Row 5, column 6, is never seen: it stands three columns to the right');
    expect(answers[1]).toContain(
      'is seen through three layers, by way of row 6, column 5 (the vertical stack)',
    );
    expect(await textOf('.mask-sentence')).toContain('Grey of row 6, column 3, is computed');
  });

  it('fits a narrow screen, and the browser has nothing to complain about', async () => {
    await choose('Image channels', '4');
    await choose('Features per channel', '3');
    await choose('Kernel', '7×7');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    expect(complaints).toEqual([]);
  });
});
