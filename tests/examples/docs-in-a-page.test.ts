import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { pixelCNN, toPortable } from 'pixelcnn-layers';
import { fileSystem } from 'pixelcnn-layers/node';
import { writePortable } from 'pixelcnn-layers/runtime';
import type { Browser, BrowserContext, Page } from 'playwright';
import { build, createServer, type InlineConfig, preview } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useBackend } from '../../kit/runs/backend.mjs';
import { chromiumPath } from '../support/browsers/chromium.mjs';
import { launchChromium, type Watch, watch } from '../support/browsers/pages';
import { docBlocks } from '../support/docs/doc-blocks';
import { installPackages } from '../support/node/installed';
import { PATIENCE } from '../support/patience.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The blocks of the README and the guides that need a page; the others run in Node, in tests/programs/docs-code.test.ts. */
const blocks = (await docBlocks()).filter(({ file, isForPage }) => isForPage && file.endsWith('.md'));
/** The code of a page's blocks, in order. */
const codeOf = (...page: string[]) => blocks.filter(({ file }) => file === join('docs', ...page)).map(({ code }) => code);
const [wasmPaths = ''] = codeOf('reference', 'backends.md');
const [imagePage = ''] = codeOf('learn', 'getting-started.md');
const [trainerOfPage = '', viteConfig = ''] = codeOf('learn', 'train-on-all-cores.md');
const [picturePage = ''] = codeOf('learn', 'your-own-pictures.md');
const [portablePage = '', poolOfPage = ''] = codeOf('guides', 'deploy.md');
const [storagePage = '', worker = '', workersPage = ''] = codeOf('guides', 'save.md');

/** What the model of these pages draws, whatever the seed: rows of 1 0 1 0 1 0 1 0. */
const STRIPES = Array.from({ length: 64 }, (_, i) => 1 - (i % 2));

/** Saves a model to which a pixel is what its left neighbour is not; beyond the edge all is 0. */
async function saveStripes(directory: string): Promise<void> {
  await useBackend('cpu');
  const model = pixelCNN({ imageShape: [8, 8, 1], levels: 2, hiddenDim: 1, outDim: 1, numBlocks: 1, firstKernelSize: 3 });
  const kept: Record<string, number[]> = {
    'input_conv/kernel': [0, 0, 0, 0, 0, 0, 1], // [3,3,1,2]: feature 0 is the left neighbour
    'output_conv1/kernel': [1],
    'output_conv2/kernel': [1],
    'final_conv/kernel': [0, -60],
    'final_conv/bias': [0, 30],
  };
  tf.tidy(() =>
    model.setWeights(
      model.weights.map(({ originalName, shape }) => {
        const values = new Float32Array(tf.util.sizeFromShape(shape as number[]));
        values.set(kept[originalName] ?? []);
        return tf.tensor(values, shape as number[]);
      }),
    ),
  );
  await model.save(fileSystem(directory));
  await writeFile(`${directory}.pixelcnn`, writePortable(await toPortable(model)));
  model.dispose();
}

const script = (code: string) => `<!doctype html>\n<script type="module">\n${code}</script>\n`;

/** What the docs leave to the reader, and what tells the tests what has become of it. */
const PAGES = {
  'index.html': imagePage,
  'portable.html': portablePage.replace('/mine.pixelcnn', '/squares.pixelcnn'),
  'pictures.html': picturePage.replace('mine.pixelcnn', 'squares.pixelcnn'),
  'models.html': script(`
    import { loadPortable } from 'pixelcnn-layers/runtime';
    import { modelURL } from 'pixelcnn-models';
    const { imageShape } = await loadPortable(modelURL('digits-28-background'));
    globalThis.outcome = imageShape;
  `),
  'storage.html': storagePage,
  'stored.html': script(`
    import * as tf from '@tensorflow/tfjs-core';
    globalThis.stored = async () => {
      const address = 'indexeddb://squares';
      const info = (await tf.io.listModels())[address];
      if (info === undefined) return null;
      const { weightData, trainingConfig } = await tf.io.getLoadHandlers(address)[0].load();
      return { saved: info.dateSaved.getTime(), weights: [...new Float32Array(weightData)], loss: trainingConfig?.loss };
    };
  `),
  'worker.html': script(`
    const answers = [];
    const drawn = [];
    const draw = (levels) => drawn.push([...levels]);
    ${workersPage}
    worker.addEventListener('message', ({ data }) => {
      answers.push(data);
      if (data.images) globalThis.outcome = { answers, drawn };
    });
  `),
  'pool.html': script(`
    import { readPortable } from 'pixelcnn-layers/runtime';
    ${poolOfPage}
    const file = await (await fetch('/squares.pixelcnn')).arrayBuffer();
    const { data } = await pool.sample(readPortable(new Uint8Array(file)), { numImages: 2 });
    globalThis.outcome = [...data];
  `),
  'wasm-paths.html': script(`
    import * as tf from '@tensorflow/tfjs-core';
    import './wasm-paths.ts';
    const isReady = await tf.setBackend('wasm');
    globalThis.outcome = { isReady, sum: [...(await tf.add(tf.tensor1d([1, 2]), 1).data())] };
  `),
};

/** A folder as a reader would have it, with this package as npm would install it. */
async function makeFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'docs-')));
  await installPackages(folder);
  await symlink(join(root, 'node_modules/@tensorflow'), join(folder, 'node_modules/@tensorflow'), 'junction');
  await mkdir(join(folder, 'public'));
  await writeFile(join(folder, 'public', 'favicon.ico'), ''); // which browsers ask for by themselves
  return folder;
}

/** A page that trains. It does not import tfjs-core itself, so Vite knows what workers import by its configuration alone. */
const TRAINING = script(`
  import '@tensorflow/tfjs-backend-cpu';
  import { bitsPerDim, pixelCNN } from 'pixelcnn-layers';
  import { imageBatches, imageSet } from 'pixelcnn-layers/data';
  import { startTrainer } from './trainer.ts';
  const data = Uint8Array.from({ length: 8 * 16 }, (_, i) => i % 2);
  const [batch] = imageBatches(imageSet({ data, shape: [8, 4, 4, 1], levels: 2 }), { batchSize: 8 });
  const model = pixelCNN({ imageShape: [4, 4, 1], levels: 2, hiddenDim: 2, outDim: 2, numBlocks: 1 });
  model.compile({ optimizer: 'adam', loss: bitsPerDim });
  const [wanted] = await model.evaluate(batch.xs, batch.ys).data();
  const loss = await startTrainer(model).then((trainer) => trainer.trainOnBatch(batch.xs, batch.ys)).catch(String);
  globalThis.outcome = { wanted, loss };
`);

async function makeTrainingProject(folder: string): Promise<void> {
  await writeFile(join(folder, 'index.html'), TRAINING);
  await writeFile(join(folder, 'trainer.ts'), trainerOfPage);
  await writeFile(join(folder, 'vite.config.js'), viteConfig);
}

async function makeProject(folder: string): Promise<void> {
  await saveStripes(join(folder, 'public', 'squares'));
  await cp(join(root, 'examples/vite/wasm.mjs'), join(folder, 'wasm.mjs'));
  for (const [name, code] of Object.entries(PAGES)) await writeFile(join(folder, name), code);
  await writeFile(join(folder, 'worker.js'), worker.replace("'@tensorflow/tfjs-backend-wasm'", "'./wasm.mjs'"));
  await writeFile(join(folder, 'wasm-paths.ts'), wasmPaths);
}

interface Served {
  address: string;
  close(): Promise<void>;
}

/** Where both servers listen. */
const HERE = { host: '127.0.0.1', port: 0 };

async function whileEdited(folder: string): Promise<Served> {
  const config: InlineConfig = { root: folder, logLevel: 'silent' };
  const server = await createServer({ ...config, server: { ...HERE, fs: { allow: [folder, root] } } });
  await server.listen();
  return { address: server.resolvedUrls?.local[0] ?? '', close: () => server.close() };
}

async function whenBuilt(folder: string): Promise<Served> {
  const config: InlineConfig = { root: folder, logLevel: 'silent' };
  const pages = (await readdir(folder)).filter((name) => name.endsWith('.html'));
  const input = pages.map((name) => join(folder, name));
  await build({ ...config, build: { rolldownOptions: { input } } });
  const server = await preview({ ...config, preview: HERE });
  return { address: server.resolvedUrls?.local[0] ?? '', close: () => server.close() };
}

it('knows every block of README and docs that needs a page', () => {
  const known = [
    'README html', // tests/examples/pages.test.ts
    'deploy html', 'deploy ts', 'save html', 'save js', 'save js', 'getting-started html',
    'getting-started html', // of script tags: tests/examples/script-tags.test.ts
    'train-on-all-cores ts', 'train-on-all-cores js', 'your-own-pictures html', 'backends ts',
    'typescript ts', // of script tags too: nothing to see but its types
  ]; // biome-ignore format: names
  expect(blocks.map(({ file, language }) => `${basename(file, '.md')} ${language}`)).toEqual(known);
  expect(worker).toMatch(/^import '@tensorflow\/tfjs-backend-wasm'; .*'\.\/wasm\.mjs' of examples\/vite/);
});

it('has the program of getting started save where its page loads: Vite serves public/squares as /squares', async () => {
  const text = await readFile(join(root, 'docs/learn/getting-started.md'), 'utf8');
  expect(text).toContain("fileSystem('public/squares')");
  expect(imagePage).toContain("loadModel('/squares/model.json')");
});

const servers = Object.entries({ 'while they are edited': whileEdited, 'when they are built': whenBuilt });

/** What a page says has come of it. */
async function outcomeOf<T>(page: Page): Promise<T> {
  const outcome = await page.waitForFunction(() => (globalThis as { outcome?: unknown }).outcome);
  return (await outcome.jsonValue()) as T;
}

describe.skipIf(chromiumPath === undefined)('the pages of the docs', () => {
  let folder: string;
  let browser: Browser;

  beforeAll(async () => {
    folder = await makeFolder();
    await makeProject(folder);
    browser = await launchChromium({ isOnGpu: true });
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  describe.each(servers)('%s', (_, start) => {
    let served: Served;
    let context: BrowserContext;
    let seen: Watch[];

    beforeAll(async () => {
      served = await start(folder);
    });
    afterAll(() => served?.close());
    beforeEach(async () => {
      context = await browser.newContext();
      context.setDefaultTimeout(PATIENCE);
      seen = [];
    });
    afterEach(async () => {
      await context.close();
      expect(seen.flatMap(({ complaints }) => complaints)).toEqual([]);
      const origins = seen.flatMap(({ requests }) => requests).map((url) => new URL(url).origin);
      expect([...new Set(origins)]).toEqual([new URL(served.address).origin]);
    });

    async function open(name: string): Promise<Page> {
      const page = await context.newPage();
      seen.push(watch(page));
      await page.goto(served.address + name);
      return page;
    }
    const grey = (level: number) => [255 * level, 255 * level, 255 * level, 255];
    it.each([
      ['with tfjs', ''],
      ['from a portable file', 'portable.html'],
      ['of any size, in colour', 'pictures.html'],
    ])('draws an image of the model on the canvas, %s', async (_, name) => {
      await context.addInitScript(() => {
        const { putImageData } = CanvasRenderingContext2D.prototype;
        CanvasRenderingContext2D.prototype.putImageData = function (...args: unknown[]) {
          Reflect.apply(putImageData, this, args);
          const outcome = [...this.getImageData(0, 0, 8, 8).data];
          Object.assign(globalThis, { outcome });
        };
      });
      const page = await open(name);
      expect(await outcomeOf(page)).toEqual(STRIPES.flatMap(grey));
    });

    it('loads a trained model by its name', async () => {
      expect(await outcomeOf(await open('models.html'))).toEqual([28, 28, 1]);
    });

    it('keeps the model in the database of the browser, and goes on with it in a later visit', async () => {
      interface Stored {
        saved: number;
        weights: number[];
        loss: string;
      }
      await context.addInitScript(() => {
        const { put } = IDBObjectStore.prototype;
        IDBObjectStore.prototype.put = function (...args) {
          if (this.name === 'models_store') {
            this.transaction.addEventListener('complete', () => Object.assign(globalThis, { outcome: 'saved' }));
          }
          return put.apply(this, args);
        };
      });
      const look = await open('stored.html');
      await look.waitForFunction(() => 'stored' in globalThis);
      const stored = () => look.evaluate(() => (globalThis as unknown as { stored(): Promise<Stored | null> }).stored());
      const visit = async () => {
        const page = await open('storage.html');
        expect(await outcomeOf(page)).toBe('saved');
        await page.close();
        return (await stored()) as Stored;
      };
      expect(await stored()).toBe(null);
      const first = await visit();
      expect(first.weights.some((weight) => weight !== 0)).toBe(true);
      expect(first.loss).toBe('bitsPerDim');
      const second = await visit(); // a model made anew would have weights of its own
      expect(second).toEqual({ ...first, saved: second.saved });
      expect(second.saved).toBeGreaterThan(first.saved);
    });

    it('draws in a worker, which tells how far it is', async () => {
      interface Answer {
        done?: number;
        total?: number;
        levels?: Record<string, number>;
        images?: Record<string, number>;
      }
      const page = await open('worker.html');
      const { answers, drawn } = await outcomeOf<{ answers: Answer[]; drawn: number[][] }>(page);
      const rows = [1, 2, 3, 4, 5, 6, 7, 8];
      expect(answers.map(({ done }) => done)).toEqual([...rows.map((row) => 8 * row), undefined]);
      expect(answers.map(({ total }) => total)).toEqual([...rows.map(() => 64), undefined]);
      const soFar = rows.map((row) => STRIPES.map((level, i) => (i < 8 * row ? level : 0)));
      expect(drawn).toEqual([...soFar, STRIPES]);
    });

    it('draws by a pool of workers, without tfjs', async () => {
      const page = await open('pool.html');
      expect(await outcomeOf(page)).toEqual([...STRIPES, ...STRIPES]);
      expect(page.workers().length).toBeGreaterThan(0);
    });

    it('finds the binaries of wasm', async () => {
      const page = await open('wasm-paths.html');
      expect(await outcomeOf(page)).toEqual({ isReady: true, sum: [2, 3] });
      expect(seen[0]?.requests.filter((url) => /\.wasm(\?|$)/.test(url))).not.toEqual([]);
    });
  });
});

// Alone, since from the scripts of other pages Vite would know what workers import.
describe.skipIf(chromiumPath === undefined)('the page that trains on all cores', () => {
  it.each(servers)('trains, %s', async (_, start) => {
    const folder = await makeFolder();
    await makeTrainingProject(folder);
    const served = await start(folder);
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      page.setDefaultTimeout(PATIENCE);
      const { complaints } = watch(page);
      await page.goto(served.address);
      const { loss, wanted } = await outcomeOf<{ loss: number; wanted: number }>(page);
      expect(loss).toBeCloseTo(wanted, 5);
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
      await served.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
