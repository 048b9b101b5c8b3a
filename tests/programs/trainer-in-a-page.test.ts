import { cp, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath } from '../support/browsers/chromium.mjs';
import { visitBuilt } from '../support/browsers/visit-built';
import { esbuild } from '../support/node/esbuild.mjs';
import { installPackages } from '../support/node/installed';
import { temporaryFolder } from '../support/node/temporary-folder';

// A trainer in a page, with memory that is shared, where the page is cross-origin isolated, and without.

const root = fileURLToPath(new URL('../..', import.meta.url));

const PAGE = `
  import '@tensorflow/tfjs-backend-cpu';
  import * as tf from '@tensorflow/tfjs-core';
  import { bitsPerDim, createTrainer, gatedPixelCNN } from 'pixelcnn-layers';
  const wasmPaths = { 'tfjs-backend-wasm-simd.wasm': new URL('./simd.wasm', location.href).href };
  const levels = tf.randomUniform([11, 6, 6, 1], 0, 3, 'int32', 4);
  const sizes = { imageShape: [6, 6, 1], levels: 3, hiddenDim: 4, outDim: 6, numBlocks: 2 };
  globalThis.train = async (workers) => {
    const model = gatedPixelCNN({ ...sizes, seed: 2, dropout: 0.2 });
    model.compile({ optimizer: tf.train.adam(0.01), loss: bitsPerDim });
    const createWorker = () => new Worker(new URL('./worker.js', location.href), { type: 'module' });
    const trainer = await createTrainer(model, { workers, createWorker, wasmPaths });
    await trainer.fit(levels, { epochs: 2, batchSize: 8, shuffle: false, verbose: 0 });
    const weights = (await Promise.all(model.getWeights().map((weight) => weight.data()))).map((x) => [...x]);
    await trainer.dispose();
    model.dispose();
    return weights.flat();
  };
  document.title = crossOriginIsolated ? 'isolated' : 'plain';
`;

describe.skipIf(chromiumPath === undefined)('a trainer in a page', () => {
  const folder = temporaryFolder();
  beforeAll(async () => {
    await installPackages(folder);
    await symlink(join(root, 'node_modules/@tensorflow'), join(folder, 'node_modules/@tensorflow'), 'junction');
    await writeFile(join(folder, 'main.js'), PAGE);
    await writeFile(join(folder, 'worker.js'), "import 'pixelcnn-layers/train-worker';");
    const built = join(folder, 'built');
    const entryPoints = ['main.js', 'worker.js'].map((name) => join(folder, name));
    await esbuild.build({ entryPoints, outdir: built, bundle: true, format: 'esm', logLevel: 'error' });
    const wasm = 'node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm';
    await cp(join(root, wasm), join(built, 'simd.wasm'));
    await writeFile(join(built, 'index.html'), '<script type="module" src="./main.js"></script>');
  });

  it('gives the same bits for any number of workers, whether memory is shared or not', async () => {
    const all: number[][] = [];
    for (const [path, title] of Object.entries({ isolated: 'isolated', 'some/folder': 'plain' }))
      await visitBuilt(
        join(folder, 'built'),
        async (tab, requests) => {
          await tab.waitForFunction("document.title !== ''");
          expect(await tab.title()).toBe(title);
          expect(await tab.evaluate('typeof SharedArrayBuffer')).toBe(title === 'isolated' ? 'function' : 'undefined');
          for (const workers of [1, 3]) all.push(await tab.evaluate(`train(${workers})`));
          await expect.poll(() => tab.workers()).toEqual([]);
          expect(requests).toContain(new URL('simd.wasm', tab.url()).href); // the model is on cpu, the workers are not
        },
        { path: `/${path}/` },
      );
    expect(all[0]?.length).toBeGreaterThan(100);
    for (const other of all) expect(other).toEqual(all[0]);
  });
});
