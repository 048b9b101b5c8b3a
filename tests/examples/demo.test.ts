import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { logProb, sample } from 'pixelcnn-layers';
import type { Browser, BrowserContext, Locator, Page } from 'playwright';
import { PNG } from 'pngjs';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useBackend } from '../../examples/lib/backend.mjs';
import { readDigits } from '../../examples/lib/digits.mjs';
import { loadImageModel } from '../../examples/lib/saved-model.mjs';
import { chromiumPath } from '../support/chromium.mjs';
import { launchChromium, serve, serveEdited, type Watch, watch } from '../support/pages';

const EXAMPLE = fileURLToPath(new URL('../../examples/demo', import.meta.url));
const MODELS = fileURLToPath(new URL('../../examples/models', import.meta.url));

/** Keeps what the page's workers say in `window.answers`. */
function recordAnswers() {
  const answers: unknown[] = [];
  Object.assign(globalThis, { answers });
  globalThis.Worker = class extends Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      this.addEventListener('message', ({ data }) => answers.push(data));
    }
  };
}

/** How many tensors tfjs held after each job, or those whose results have that key. */
const tensorCounts = (page: Page, key = '') =>
  page.evaluate(
    (key) =>
      (globalThis as unknown as { answers: { tensors?: number; result?: Record<string, unknown> }[] }).answers
        .filter(({ result }) => result !== undefined && (key === '' || result[key] != null))
        .map(({ tensors }) => tensors),
    key,
  );

/** The colours of a canvas, as text, to compare. */
const pixels = (canvas: Locator) => canvas.evaluate((element: HTMLCanvasElement) => element.toDataURL());

/** One colour of a canvas, at a place from 0 to 1. */
const colourAt = (canvas: Locator, x: number, y: number) =>
  canvas.evaluate(
    (element: HTMLCanvasElement, [x, y]) => {
      const { width, height } = element;
      const context = element.getContext('2d');
      return [...(context?.getImageData(Math.floor(x * width), Math.floor(y * height), 1, 1).data ?? [])];
    },
    [x, y] as const,
  );

const status = (panel: Locator) => panel.locator('.report').getByRole('status');
const button = (panel: Locator, name: string) => panel.getByRole('button', { name, exact: true });
/** Waits until the panel says so. */
const says = (panel: Locator, text: string | RegExp) =>
  status(panel).filter({ hasText: text }).waitFor({ timeout: 20_000 });

describe.skipIf(chromiumPath === undefined)('the demo', () => {
  let folder: string;
  let built: string;
  let server: Server;
  let browser: Browser;
  let origin: string;
  let address: string;
  let context: BrowserContext;
  let page: Page;
  let seen: Watch;
  const panel = (id: string) => page.locator(`#${id}`);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'demo-'));
    built = join(folder, 'built');
    await build({ root: EXAMPLE, build: { outDir: built }, logLevel: 'silent' });
    ({ server, origin } = await serve(built));
    address = `${origin}/some/folder/`;
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    context = await browser.newContext({ reducedMotion: 'reduce' });
    page = await context.newPage();
    seen = watch(page);
    await page.addInitScript(recordAnswers);
  });
  afterEach(() => context.close());

  /** Nothing was asked of another host, nothing went wrong. */
  function expectClean() {
    expect(seen.complaints).toEqual([]);
    const origins = seen.requests.filter((url) => !url.startsWith('blob:')).map((url) => new URL(url).origin);
    expect([...new Set(origins)]).toEqual([origin]);
  }

  it('is small, but for tfjs, the library and data', async () => {
    const own = /^(?!tfjs|backend-|pixelcnn-layers|loss-chart|_virtual_emoji|rolldown-runtime).*\.js$/;
    const files = (await readdir(join(built, 'assets'))).filter((name) => own.test(name));
    const sizes = await Promise.all(
      files.map(async (name) => (await stat(join(built, 'assets', name))).size),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(60_000);
  });

  it('says of its models what their cards say', async () => {
    const { MODELS: catalogue } = await import(/* @vite-ignore */ `${EXAMPLE}/catalogue.mjs`);
    for (const [name, { note, testBits }] of Object.entries<{ note: string; testBits: number | null }>(
      catalogue,
    )) {
      const card = await readFile(join(MODELS, name, 'README.md'), 'utf8');
      expect(note).toContain(/([\d,]+) parameters/.exec(card)?.[1]);
      if (testBits !== null) expect(card).toContain(`${testBits.toFixed(3)} bits/dim on the`);
    }
  });

  it('has the pictures and figures that the library gives in Node', async () => {
    await page.goto(address);
    await panel('sampling').scrollIntoViewIfNeeded();
    await says(panel('sampling'), 'Drew 16');
    await panel('likelihood').scrollIntoViewIfNeeded();
    await panel('likelihood').getByText('bits for 64 values').waitFor();
    const drawn = await page.evaluate(() => {
      const { answers } = globalThis as unknown as {
        answers: { result?: { passSeconds?: number; levels: Int32Array } }[];
      };
      return [...(answers.find(({ result }) => result?.passSeconds != null)?.result?.levels ?? [])];
    });
    const [bits] = (await panel('likelihood').locator('.headline').textContent())?.match(/\d\.\d\d/) ?? [];

    await useBackend('cpu');
    const { model } = await loadImageModel(join(MODELS, 'digits'));
    expect(drawn).toEqual([...(await (await sample(model, { numImages: 16, seed: 1 })).data())]);
    const first = tf.tensor4d((await readDigits('test')).images.subarray(0, 64), [1, 8, 8, 1], 'int32');
    const [nats = 0] = await (await logProb(model, first)).data();
    expect(bits).toBe((-nats / (64 * Math.LN2)).toFixed(2));
  });

  it('draws ten digits as it opens, loading no more than that needs', async () => {
    const start = performance.now();
    await page.goto(address);
    await says(panel('hero'), 'Drawn just now');
    console.log(`the demo: first digits after ${((performance.now() - start) / 1000).toFixed(2)} s`);
    expectClean();
    expect(seen.requests.filter((url) => /backend-(cpu|webg)|loss-chart|emoji-test/.test(url))).toEqual([]);
    const before = await pixels(panel('hero').locator('canvas'));
    await button(panel('hero'), 'Draw ten others').click();
    await expect.poll(() => pixels(panel('hero').locator('canvas'))).not.toBe(before);
  });

  it('runs where the page may share memory, and tfjs would start threads', async () => {
    await page.goto(`${origin}/isolated/`);
    await says(panel('hero'), 'Drawn just now');
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    expectClean();
  });

  it('fits a phone, names every control, and has each id once', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto(address);
    for (const id of ['masks', 'sampling', 'completing', 'likelihood', 'training']) {
      await panel(id).scrollIntoViewIfNeeded();
    }
    await says(panel('completing'), 'Six ways');
    await panel('likelihood').getByText('bits per dimension').first().waitFor();
    await panel('training').locator('.uplot').waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    const found = await page.evaluate(() => {
      const all = [...document.querySelectorAll<HTMLElement>('*')];
      const ids = all.map(({ id }) => id).filter((id) => id !== '');
      const textOf = (ids: string | null) =>
        (ids ?? '')
          .split(' ')
          .map((id) => document.getElementById(id)?.textContent ?? '')
          .join('');
      const nameOf = (element: HTMLElement) =>
        element.getAttribute('aria-label') ||
        textOf(element.getAttribute('aria-labelledby')) ||
        [...((element as HTMLInputElement).labels ?? [])].map(({ textContent }) => textContent).join('') ||
        element.textContent;
      const controls =
        'a, button, input, select, progress, canvas:not([aria-hidden]), [tabindex], [role=application]';
      return {
        twice: ids.filter((id, i) => ids.indexOf(id) !== i),
        unnamed: [...document.querySelectorAll<HTMLElement>(controls)]
          .filter((element) => element.closest('[aria-hidden=true], .u-over, .u-wrap') === null)
          .filter((element) => !nameOf(element)?.trim())
          .map(({ outerHTML }) => outerHTML),
        missing: all
          .flatMap((element) =>
            ['aria-labelledby', 'aria-describedby'].map((name) => element.getAttribute(name)),
          )
          .flatMap((ids) => ids?.split(' ') ?? [])
          .filter((id) => document.getElementById(id) === null),
        headings: [...document.querySelectorAll('h1, h2')].map(({ tagName }) => tagName),
      };
    });
    expect(found).toEqual({
      twice: [],
      unnamed: [],
      missing: [],
      headings: ['H1', 'H2', 'H2', 'H2', 'H2', 'H2'],
    });
    expectClean();
  });

  describe('sampling', () => {
    const sampling = () => panel('sampling');
    const figures = () => sampling().locator('dl').textContent();

    beforeEach(async () => {
      await page.goto(address);
      await sampling().scrollIntoViewIfNeeded();
      await says(sampling(), 'Drew 16 images on wasm');
    });

    it('draws what is asked for, the same for the same seed, and says what it took', async () => {
      const canvas = sampling().locator('canvas');
      const first = await pixels(canvas);
      await sampling().getByLabel('Seed', { exact: true }).fill('2');
      await sampling().getByLabel('Seed', { exact: true }).press('Enter');
      await expect.poll(() => pixels(canvas)).not.toBe(first);
      await sampling().getByLabel('Seed', { exact: true }).fill('1');
      await button(sampling(), 'Draw').press('Space');
      await expect.poll(() => pixels(canvas)).toBe(first);
      await says(sampling(), 'Drew 16');
      await expect
        .poll(() => button(sampling(), 'Draw').evaluate((draw) => draw === document.activeElement))
        .toBe(true);
      expect(await figures()).toMatch(/Time taken[\d.]+ m?s/);
      expect(await figures()).toMatch(
        /≈ [\d.]+ m?san estimate: one warm pass, [\d.]+ m?s here, times 64 values/,
      );

      const counts = await tensorCounts(page, 'passSeconds');
      expect(new Set(counts.slice(-3)).size).toBe(1);
      expectClean();
    });

    it('takes classes, temperature and top-k, and gives a PNG', async () => {
      expect(await sampling().getByLabel('Class').isVisible()).toBe(false);
      await sampling().getByLabel('Model', { exact: true }).selectOption('Digits by class');
      await sampling().getByLabel('Class', { exact: true }).selectOption('3');
      await sampling().getByLabel('Images', { exact: true }).fill('4');
      await sampling().getByLabel('Temperature').fill('0');
      await sampling().getByLabel('Top-k').fill('1');
      expect(await sampling().getByText('the likeliest level').isVisible()).toBe(true);
      await button(sampling(), 'Draw').click();
      await says(sampling(), 'Drew 4 images');

      const download = page.waitForEvent('download');
      await button(sampling(), 'Download PNG').click();
      const file = await download;
      expect(file.suggestedFilename()).toBe('digits-conditional.png');
      const { width, height, data } = PNG.sync.read(await readFile(await file.path()));
      const rows = data.length / height;
      const tile = (column: number) =>
        Array.from({ length: 128 }, (_, y) => [
          ...data.subarray(
            (13 + y) * rows + 4 * (13 + 141 * column),
            (13 + y) * rows + 4 * (141 + 141 * column),
          ),
        ]);
      expect([width, height]).toEqual([295, 295]);
      expect(tile(0)).toEqual(tile(1)); // the likeliest three, twice
      expect(new Set(tile(0).flat()).size).toBeGreaterThan(2);
      expectClean();
    });

    it('stops when cancelled, and draws again', async () => {
      await sampling().getByLabel('Model', { exact: true }).selectOption('Emoji');
      await sampling().getByLabel('Images', { exact: true }).fill('64');
      await button(sampling(), 'Draw').click();
      await button(sampling(), 'Cancel').click();
      await says(sampling(), 'Cancelled');
      expect(await button(sampling(), 'Cancel').isDisabled()).toBe(true);
      await sampling().getByLabel('Images', { exact: true }).fill('2');
      await button(sampling(), 'Draw').click();
      await says(sampling(), 'Drew 2 images on wasm');
      expectClean();
    });

    it('shows rows as they are drawn', async () => {
      await sampling().getByLabel('Model', { exact: true }).selectOption('Emoji');
      await sampling().getByLabel('Images', { exact: true }).fill('64');
      await button(sampling(), 'Draw').click();
      await says(sampling(), 'Drew 64');
      const done = await page.evaluate(() => {
        const { answers } = globalThis as unknown as {
          answers: { id: number; report?: { done: number; levels: { length: number } } }[];
        };
        return answers.flatMap(({ report }) => (report?.levels.length === 64 * 768 ? [report.done] : []));
      });
      const rows = done.map((values) => values / 48);
      expect(rows.some((row) => row > 0 && row < 16)).toBe(true);
      expect(rows.every(Number.isInteger)).toBe(true);
    });

    it('does not draw what a browser would not take', async () => {
      await sampling().getByLabel('Images', { exact: true }).fill('65');
      await button(sampling(), 'Draw').click();
      expect(
        await sampling()
          .getByLabel('Images', { exact: true })
          .evaluate((field: HTMLInputElement) => field.validity.rangeOverflow),
      ).toBe(true);
      expect(await status(sampling()).textContent()).toMatch('Drew 16');
    });

    it('runs on cpu too', async () => {
      await sampling().getByLabel('Images', { exact: true }).fill('1');
      await sampling().getByLabel('Backend').selectOption('cpu');
      await button(sampling(), 'Draw').click();
      await says(sampling(), 'Drew 1 image on cpu');
      expectClean();
    });
  });

  describe('what is missing', () => {
    it('is greyed, with the reason, where a browser lacks a backend', async () => {
      await page.addInitScript(() => {
        Object.defineProperty(navigator, 'gpu', { value: undefined });
        Object.assign(globalThis, {
          OffscreenCanvas: class {
            getContext() {
              return null;
            }
          },
        });
      });
      await page.goto(address);
      const options = panel('sampling').getByLabel('Backend').locator('option');
      await expect
        .poll(() => options.allTextContents())
        .toEqual([
          'wasm: processor, WebAssembly',
          'webgl: no WebGL 2 in this browser',
          'webgpu: no WebGPU in this browser',
          'cpu: plain JavaScript',
        ]);
      expect(
        await options.evaluateAll((all: HTMLOptionElement[]) => all.map(({ disabled }) => disabled)),
      ).toEqual([false, true, true, false]);
    });

    it('is said in words where a backend cannot be loaded, and others go on', async () => {
      await page.route('**/backend-cpu-*.js', (route) => route.abort());
      await page.goto(address);
      const sampling = panel('sampling');
      await sampling.scrollIntoViewIfNeeded();
      await says(sampling, 'Drew 16');
      await sampling.getByLabel('Backend').selectOption('cpu');
      await button(sampling, 'Draw').click();
      const alert = sampling.getByRole('alert');
      await alert.waitFor();
      expect(await alert.textContent()).toMatch(/^This did not work: The backend cpu could not be loaded/);
      await sampling.getByLabel('Backend').selectOption('wasm');
      await button(sampling, 'Draw').click();
      await says(sampling, 'Drew 16 images on wasm');
      expect(await alert.isVisible()).toBe(false);
    });

    it('is said in words where a model or an image cannot be read', async () => {
      await page.route('**/*.{bin,u8}', (route) => route.fulfill({ status: 404 }));
      await page.goto(address);
      await panel('hero').getByRole('alert').waitFor();
      expect(await panel('hero').getByRole('alert').textContent()).toMatch(/cannot be read: 404/);
      await panel('likelihood').scrollIntoViewIfNeeded();
      await panel('likelihood').getByRole('alert').waitFor();
      expect(await panel('likelihood').getByRole('alert').textContent()).toMatch(
        /digits cannot be read: 404/,
      );
    });

    it('is said in words where a part of the page cannot be loaded', async () => {
      await page.route('**/{mask-explorer,loss-chart}-*.js', (route) => route.abort());
      await page.goto(address);
      await panel('masks').getByRole('alert').waitFor();
      expect(await panel('masks').getByRole('alert').textContent()).toMatch(
        /^The panel about masks could not be loaded/,
      );
      await panel('training').scrollIntoViewIfNeeded();
      await panel('training').getByRole('alert').waitFor();
      expect(await button(panel('training'), 'Train').isEnabled()).toBe(true);
    });

    it('is said in words where the worker cannot start', async () => {
      await page.addInitScript(() => {
        const { Worker } = globalThis;
        globalThis.Worker = class extends Worker {
          constructor(_: string | URL, options?: WorkerOptions) {
            super(new URL('missing.js', location.href), options);
          }
        };
      });
      await page.goto(address);
      await panel('hero').getByRole('alert').waitFor();
      expect(await panel('hero').getByRole('alert').textContent()).toMatch(
        /The worker that computes has stopped/,
      );
      expect(await button(panel('hero'), 'Draw ten others').isEnabled()).toBe(true);
    });
  });

  describe('completing', () => {
    const completing = () => panel('completing');
    const grid = () => completing().getByRole('application', { name: 'Image to complete' });
    const readout = () => completing().locator('.readout').textContent();
    const variants = () => completing().getByRole('img');

    beforeEach(async () => {
      await page.goto(address);
      await completing().scrollIntoViewIfNeeded();
      await says(completing(), 'Six ways');
    });

    it('rubs out and paints by keys, and fills in the rest only', async () => {
      await button(completing(), 'Reset').click();
      expect(await button(completing(), 'Fill in').isDisabled()).toBe(true);
      expect(await button(completing(), 'Reset').isDisabled()).toBe(true);
      await grid().focus();
      for (const key of ['ArrowRight', 'ArrowDown', 'ArrowDown', 'ArrowLeft', 'ArrowLeft'])
        await page.keyboard.press(key);
      expect(await readout()).toMatch(/^Row 3, column 1: level \d+ of 0 to 16$/);
      await page.keyboard.press('Space');
      expect(await readout()).toBe('Row 3, column 1: rubbed out');
      await page.keyboard.press('Space');
      expect(await readout()).toMatch('level');
      await page.keyboard.press('Space');
      await completing().getByLabel('ink', { exact: true }).check();
      await grid().focus();
      await page.keyboard.press('Home');
      await page.keyboard.press('ArrowUp');
      await page.keyboard.press('Space');
      expect(await readout()).toBe('Row 2, column 1: level 16 of 0 to 16');

      await button(completing(), 'Fill in').click();
      await says(completing(), 'Six ways');
      // The first pixel of the second row of the first variant: its tile begins at 13 of 436, and a pixel is 16 wide.
      expect(await colourAt(variants(), (13 + 8) / 436, (13 + 24) / 295)).toEqual([24, 24, 24, 255]);
      expectClean();
    });

    it('rubs out by pointer, in strokes, and all at once', async () => {
      await button(completing(), 'Reset').click();
      await grid().scrollIntoViewIfNeeded();
      const box = await grid().boundingBox();
      if (box === null) throw new Error('the grid is not seen');
      const cell = box.width / 8;
      await page.mouse.move(box.x + cell / 2, box.y + cell / 2);
      await page.mouse.down();
      await page.mouse.move(box.x + 7.5 * cell, box.y + cell / 2, { steps: 20 });
      expect(await readout()).toBe('Row 1, column 8: rubbed out');
      await page.mouse.up();
      await grid().focus();
      for (const column of [7, 6, 5, 4, 3, 2, 1]) {
        await page.keyboard.press('ArrowLeft');
        expect(await readout()).toBe(`Row 1, column ${column}: rubbed out`);
      }
      const before = await pixels(variants());
      await button(completing(), 'Rub out all').click();
      await button(completing(), 'Fill in').click();
      await expect.poll(() => pixels(variants())).not.toBe(before);
      await says(completing(), 'Six ways');
      expectClean();
    });

    it('completes emoji', async () => {
      await completing().getByLabel('Emoji').check();
      await completing().getByText('108 of 191').waitFor();
      await button(completing(), 'Previous').click();
      await completing().getByText('107 of 191').waitFor();
      expect(await completing().getByLabel('orange', { exact: true }).count()).toBe(1);
      await button(completing(), 'Rub out the lower half').click();
      await button(completing(), 'Fill in').click();
      await says(completing(), 'Six ways');
      await button(completing(), 'Fill in').click();
      await says(completing(), 'Six ways');
      const counts = await tensorCounts(page);
      expect(counts.at(-1)).toBe(counts.at(-2));
      expectClean();
    });
  });

  describe('how likely', () => {
    const likelihood = () => panel('likelihood');
    const map = () => likelihood().getByRole('application', { name: 'Bits of each pixel' });
    const readout = () => likelihood().locator('.map .readout').textContent();
    const headline = () => likelihood().locator('.headline').textContent();
    const bitsOf = (text: string | null) => Number(text?.match(/(\d+\.\d+) bits/)?.[1]);

    beforeEach(async () => {
      await page.goto(address);
      await likelihood().scrollIntoViewIfNeeded();
      await likelihood().getByText('bits per dimension').first().waitFor();
      await expect.poll(headline).toMatch(/^\d/);
    });

    it('tells the bits of the image and of each pixel', async () => {
      await map().focus();
      let sum = 0;
      for (let row = 0; row < 8; row++) {
        for (let column = 0; column < 8; column++) {
          sum += bitsOf(await readout());
          await page.keyboard.press('ArrowRight');
        }
        await page.keyboard.press('Home');
        await page.keyboard.press('ArrowDown');
      }
      expect(Math.abs(sum / 64 - bitsOf(await headline()))).toBeLessThan(0.02);
      expect(await headline()).toMatch(/Knowing nothing takes 262/);
      expect(await likelihood().getByText('uniform 4.1').isVisible()).toBe(true);
      expectClean();
    });

    it('measures again what is drawn by hand', async () => {
      const before = bitsOf(await headline());
      await button(likelihood(), 'Blank').click();
      await expect.poll(async () => bitsOf(await headline())).not.toBe(before);
      const blank = bitsOf(await headline());
      await likelihood().getByRole('application', { name: 'Image to measure' }).focus();
      await page.keyboard.press('Space');
      await expect.poll(async () => bitsOf(await headline())).toBeGreaterThan(blank);
      await button(likelihood(), 'Reset').click();
      await expect.poll(async () => bitsOf(await headline())).toBe(before);
      expect(await button(likelihood(), 'Reset').isDisabled()).toBe(true);
      expect(new Set(await tensorCounts(page, 'bits')).size).toBe(1);
      expectClean();
    });

    it('tells the bits by channel', async () => {
      await likelihood().getByLabel('Emoji').check();
      await expect.poll(headline).toMatch(/768 values/);
      await map().focus();
      const [mean, ...channels] = (await readout())?.match(/\d+\.\d+/g)?.map(Number) ?? [];
      expect(channels.length).toBe(3);
      expect(channels.reduce((sum, bits) => sum + bits, 0) / 3).toBeCloseTo(mean ?? 0, 1);
      await likelihood().getByLabel('Green', { exact: true }).check();
      await map().focus();
      expect(bitsOf(await readout())).toBe(channels[1]);
      expectClean();
    });
  });

  it.each(['PixelCNN', 'Gated PixelCNN'])(
    'trains %s, saves it, and goes on after a reload',
    async (network) => {
      const training = () => panel('training');
      const open = async () => {
        await page.goto(address);
        await training().scrollIntoViewIfNeeded();
        await expect.poll(() => button(training(), 'Train').isEnabled()).toBe(true);
      };
      const stepOf = async () =>
        Number((await training().locator('.report').textContent())?.match(/step (\d+)/)?.[1]);
      await open();
      expect(await button(training(), 'Load').isDisabled()).toBe(true);
      await training().getByLabel(network, { exact: true }).check();
      await button(training(), 'Train').click();
      await training().getByText('step 50', { exact: true }).waitFor({ timeout: 20_000 });
      expect(await button(training(), 'Save').isDisabled()).toBe(true);
      await button(training(), 'Stop').click();
      await says(training(), 'Stopped');
      const label = await training()
        .getByRole('img', { name: /^Loss curve/ })
        .getAttribute('aria-label');
      expect(Number(label?.match(/([\d.]+) bits/)?.[1])).toBeLessThan(Math.log2(17) - 0.5);
      const stopped = await stepOf();
      await button(training(), 'Save').click();
      await says(training(), `Saved in this browser: step ${stopped}`);
      const drawn = await pixels(training().locator('.latest canvas'));
      await button(training(), 'Draw others').click();
      await says(training(), 'Drew 16 others');
      expect(await pixels(training().locator('.latest canvas'))).not.toBe(drawn);

      await open();
      await says(training(), `A model is saved in this browser: step ${stopped}`);
      await button(training(), 'Load').click();
      await says(training(), `Loaded: step ${stopped}`);
      expect(await training().getByLabel(network, { exact: true }).isChecked()).toBe(true);
      const counts = await tensorCounts(page);
      await button(training(), 'Continue').click();
      await expect.poll(stepOf, { timeout: 20_000 }).toBeGreaterThan(stopped + 20);
      await button(training(), 'Stop').click();
      await says(training(), 'Stopped');
      const after = await tensorCounts(page);
      expect(after.at(-1)).toBe(counts.at(-1));
      await button(training(), 'Start anew').click();
      await expect.poll(() => button(training(), 'Train').isEnabled()).toBe(true);
      expect((await tensorCounts(page)).at(-1)).toBe(0);
      expectClean();
    },
  );

  it('runs while it is edited', async () => {
    const vite = await serveEdited(EXAMPLE, join(folder, 'cache'));
    try {
      await page.goto(vite.href);
      await says(panel('hero'), 'Drawn just now');
      await panel('likelihood').scrollIntoViewIfNeeded();
      await panel('likelihood').getByText('bits per dimension').first().waitFor();
      await panel('training').scrollIntoViewIfNeeded();
      await panel('training').locator('.uplot').waitFor();
      expect(seen.complaints).toEqual([]);
    } finally {
      await vite.close();
    }
  });
});
