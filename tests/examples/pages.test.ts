import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadPortable, picture, sample } from 'pixelcnn-layers/runtime';
import { modelURL } from 'pixelcnn-models';
import type { Page } from 'playwright';
import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json';
import { answerOfCdn, CDN } from '../support/browsers/cdn';
import { chromiumPath } from '../support/browsers/chromium.mjs';
import { visitBuilt } from '../support/browsers/visit-built';
import { docBlocks } from '../support/docs/doc-blocks';
import { temporaryFolder } from '../support/node/temporary-folder';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = temporaryFolder();

const shown = (page: Page) =>
  page.locator('canvas').evaluate((canvas: HTMLCanvasElement) => {
    const { width, height } = canvas;
    return [...(canvas.getContext('2d')?.getImageData(0, 0, width, height).data ?? [])];
  });

/** A page of examples, alone in a folder, whose import map leads to the CDN. */
async function pageOfCdn(name: string) {
  const html = await readFile(join(root, 'examples/pages', name), 'utf8');
  const text = html
    .replaceAll('"../../dist/', `"${CDN}npm/pixelcnn-layers@${packageJson.version}/dist/`)
    .replaceAll('"../../models/', `"${CDN}npm/pixelcnn-models@${packageJson.version}/`)
    .replaceAll(/"\.\.\/\.\.\/node_modules\/(@tensorflow\/[\w-]+)\//g, `"${CDN}npm/$1@4.22.0/`)
    .replaceAll("'../../kit/data/sets/", "'"); // a file beside the page
  await writeFile(join(folder, name), text);
}

const withCdn = (page: Page) => page.route(`${CDN}**`, async (route) => route.fulfill(await answerOfCdn(route.request().url())));

describe.skipIf(chromiumPath === undefined)('a page without a bundler', () => {
  it.each(['the repository', 'a CDN'])('draws digits of a class, without tfjs, from %s', async (where) => {
    const isOfCdn = where === 'a CDN';
    if (isOfCdn) await pageOfCdn('draw.html');
    const [served, path] = isOfCdn ? [folder, 'draw.html'] : [root, 'examples/pages/draw.html'];
    const look = async (page: Page, requests: string[]) => {
      const model = await loadPortable(modelURL('digits-conditional'));
      for (const digit of [3, 8]) {
        await page.locator('#digit').fill(String(digit));
        await page.locator('#digit').dispatchEvent('change');
        await page.locator('#status', { hasText: 'digits in' }).waitFor();
        await expect.poll(() => page.locator('#which').textContent()).toBe(String(digit));
        const images = await sample(model, { numImages: 64, condition: digit, seed: 1 });
        await expect.poll(() => shown(page)).toEqual([...picture(images, model).data]);
      }
      expect(requests.filter((url) => url.includes('tensorflow'))).toEqual([]);
    };
    await visitBuilt(served, look, { path: `/some/folder/${path}`, prepare: withCdn });
  });

  it('draws characters as README says', async () => {
    const block = (await docBlocks()).find(({ file, language }) => file === 'README.md' && language === 'html');
    await writeFile(join(folder, 'page.html'), block?.code ?? '');
    for (const name of ['dist', 'models']) await symlink(join(root, name), join(folder, name), 'junction');
    const look = async (page: Page) => {
      const numInk = async () => (await shown(page)).filter((value, i) => i % 4 === 0 && value === 255).length;
      await expect.poll(numInk).toBeGreaterThan(8 * 16 * 50);
      expect(await numInk()).toBeLessThan((8 * 16 * 576) / 2);
    };
    await visitBuilt(folder, look, { path: '/some/folder/page.html' });
  });

  it('trains and draws, from a CDN', async () => {
    await pageOfCdn('train.html');
    const digits = await readFile(join(root, 'kit/data/sets/digits-train-images.u8'));
    await writeFile(join(folder, 'digits-train-images.u8'), digits.subarray(0, 64 * 64));
    const look = async (page: Page) => {
      await page.locator('#status', { hasText: /^Epoch 2 of 2: [1-4]\.\d\d bits\/dim\. Done$/ }).waitFor();
      const rgba = await shown(page);
      expect(rgba).toHaveLength(4 * 35 * 35);
      expect(new Set(rgba).size).toBeGreaterThan(8); // shades
    };
    await visitBuilt(folder, look, { path: '/some/folder/train.html?epochs=2', prepare: withCdn, isOnGpu: true });
  });
});
