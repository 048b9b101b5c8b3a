import { cp, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as tfCore from '@tensorflow/tfjs-core';
import type * as tfLayers from '@tensorflow/tfjs-layers';
import type * as library from 'pixelcnn-layers';
import type { Browser, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import packageJson from '../../package.json';
import { answerOfCdn, CDN } from '../support/browsers/cdn';
import { chromiumPath } from '../support/browsers/chromium.mjs';
import { launchChromium, serve, type Watch, watch } from '../support/browsers/pages';
import { docBlocks } from '../support/docs/doc-blocks';
import { temporaryFolder } from '../support/node/temporary-folder';
import { PATIENCE } from '../support/patience.mjs';

declare const tf: typeof tfCore & typeof tfLayers;
declare const pixelcnn: typeof library;

const root = fileURLToPath(new URL('../..', import.meta.url));
const script = 'pixelcnn-layers.min.js';
const [page] = (await docBlocks()).filter(({ isForPage, code }) => isForPage && code.includes(script));

it('is what CDNs give out', () => {
  const { unpkg, jsdelivr } = packageJson;
  expect([unpkg, jsdelivr]).toEqual([`./dist/${script}`, `./dist/${script}`]);
});

describe.skipIf(chromiumPath === undefined)('script tags', () => {
  const folder = temporaryFolder();
  let browser: Browser;
  let server: Server;
  let origin: string;
  let tab: Page;
  let seen: Watch;

  beforeAll(async () => {
    await writeFile(join(folder, 'index.html'), page?.code ?? '');
    await writeFile(join(folder, 'alone.html'), `<!doctype html>\n<script src="${script}"></script>\n`);
    await cp(join(root, 'dist', script), join(folder, script));
    ({ server, origin } = await serve(folder));
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });
  beforeEach(async () => {
    tab = await browser.newPage();
    tab.setDefaultTimeout(PATIENCE);
    seen = watch(tab);
    await tab.route(`${CDN}**`, async (route) => route.fulfill(await answerOfCdn(route.request().url())));
  });
  afterEach(() => tab.close());

  it('train and draw in the page of the docs, in our own kernels on its wasm', async () => {
    await tab.addInitScript(() => {
      const { putImageData } = CanvasRenderingContext2D.prototype;
      CanvasRenderingContext2D.prototype.putImageData = function (...args: unknown[]) {
        Reflect.apply(putImageData, this, args);
        Object.assign(globalThis, { drawn: [...this.getImageData(0, 0, 8, 8).data] });
      };
    });
    await tab.goto(`${origin}/some/folder/`);
    const drawn = await tab.waitForFunction(() => (globalThis as { drawn?: number[] }).drawn);
    const stripes = Array.from({ length: 64 }, (_, i) => [...Array(3).fill(255 * (i % 2)), 255]);
    expect(await drawn.jsonValue()).toEqual(stripes.flat());
    expect(await tab.evaluate(() => [tf.getBackend(), pixelcnn.kernelsInUse()])).toEqual(['wasm', true]);
    expect(seen.complaints).toEqual([]);
  });

  it("use the page's own tfjs: its tensors, its classes of layers, its saved models", async () => {
    await tab.goto(`${origin}/some/folder/`);
    const outcome = await tab.evaluate(async () => {
      await tf.setBackend('wasm');
      const sizes = { levels: 4, hiddenDim: 2, outDim: 4, numBlocks: 1 };
      const model = pixelcnn.gatedPixelCNN({ ...sizes, imageShape: [4, 4, 1], numClasses: 2 });
      await model.save('localstorage://model');
      const loaded = await tf.loadLayersModel('localstorage://model');
      const [one, other] = [model, loaded].map((of) => pixelcnn.sample(of, { seed: 1, condition: 1 }));
      const same = tf.equal((await one) as tfCore.Tensor, (await other) as tfCore.Tensor);
      return {
        isOurs: loaded instanceof pixelcnn.AutoregressiveModel && loaded instanceof tf.LayersModel,
        same: [...(await tf.all(same).data())],
      };
    });
    expect(outcome).toEqual({ isOurs: true, same: [1] });
  });

  it('have all functions in one file, but for trainers, whose workers are modules', async () => {
    await tab.goto(`${origin}/some/folder/`);
    const outcome = await tab.evaluate(async () => {
      const { createTrainer, fitToEnergy, initializeFromData, logPartition, pixelCNNPlusPlus, receptiveField } = pixelcnn;
      await tf.setBackend('wasm');
      const model = pixelCNNPlusPlus({ imageShape: [4, 4, 1], levels: 2, filters: 2, numResnets: 1 });
      await initializeFromData(model, tf.randomUniform([8, 4, 4, 1], 0, 2, 'int32', 1));
      const { causal } = await pixelcnn.checkCausality(model);
      const { seen } = await receptiveField(model, { row: 1, column: 0 });
      const energy = (_: unknown, count: number) => new Float64Array(count); // of which log Z is 16 ln 2
      const { bound } = await fitToEnergy(model, energy, { steps: 2, numImages: 4, seed: 1 });
      const { logZ } = await logPartition(model, energy, { numImages: 100, seed: 1 });
      const refusal = await createTrainer(model).catch(({ message }: Error) => message);
      return { causal, seen: seen.length, bound: bound.length, logZ, refusal };
    });
    const refusal = "createTrainer: wanted the package's ES modules, got the file for script tags";
    expect(outcome).toEqual({ causal: true, seen: 4, bound: 2, logZ: expect.closeTo(16 * Math.LN2, 0), refusal });
  });

  it('say what is missing where they come before tfjs', async () => {
    await tab.goto(`${origin}/some/folder/alone.html`);
    await expect.poll(() => seen.complaints).toEqual(['pixelcnn-layers: load the scripts of tfjs, with layers, before this one']);
  });
});
