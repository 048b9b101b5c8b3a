import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sample } from 'pixelcnn-layers/runtime';
import { PNG } from 'pngjs';
import { build } from 'vite';
import { describe, expect, it } from 'vitest';
import { chromiumPath } from '../support/browsers/chromium.mjs';
import { visitBuilt } from '../support/browsers/visit-built';
import { shippedModel } from '../support/models/shipped';
import { temporaryFolder } from '../support/node/temporary-folder';
import { itRefuses, runWell } from './run-script';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));

const folder = temporaryFolder();

describe('a file for the runtime', () => {
  itRefuses(
    [
      ['FOLDER has neither', ['convert.mjs', '--model', 'FOLDER', '--to', 'FOLDER/x.pixelcnn']],
      ['file: wanted a file, FOLDER is a directory', ['runtime/draw.mjs', 'FOLDER']],
      ["unknown option '--frob'; --help lists the flags", ['runtime/draw.mjs', '--frob']],
    ],
    () => ({ FOLDER: folder }),
  );
});

it('runtime/draw.mjs draws 2,000 digits on all cores, those that one thread draws', async () => {
  const out = join(folder, 'digits.png');
  const { stdout } = await runWell('runtime/draw.mjs', [out]);
  expect(stdout).toContain(`2000 digits, written to ${out}`);
  const { data: drawn } = await sample(await shippedModel('digits'), { numImages: 50, seed: 1 });
  const { width, height, data } = PNG.sync.read(await readFile(out));
  expect([width, height]).toEqual([50 * 18 + 2, 40 * 18 + 2]);
  for (let image = 0; image < 50; image++) {
    for (let pixel = 0; pixel < 64; pixel++) {
      const [x, y] = [2 + 18 * image + 2 * (pixel % 8), 2 + 2 * Math.floor(pixel / 8)];
      const isBlank = drawn[64 * image + pixel] === 0; // as white as the background of a digit
      expect((data[4 * (y * width + x)] as number) === 255).toBe(isBlank);
    }
  }
});

it.skipIf(chromiumPath === undefined)(
  'the page of the runtime is short, and draws digits of a class in a worker, without tfjs',
  async () => {
    const files = ['index.html', 'main.mjs'].map((name) => readFile(`${EXAMPLES}/runtime/${name}`, 'utf8'));
    const lines = (await Promise.all(files)).map((text) => text.split('\n').length - 1);
    expect(lines.reduce((sum, count) => sum + count)).toBeLessThan(60);
    const outDir = join(folder, 'page');
    await build({ root: `${EXAMPLES}/runtime`, logLevel: 'error', build: { outDir } });
    await visitBuilt(outDir, async (page, requests) => {
      await page.locator('#status', { hasText: 'digits in' }).waitFor();
      expect(page.workers().length).toBe(1);
      const model = await shippedModel('digits-conditional');
      for (const digit of [3, 8]) {
        if (digit !== 3) {
          await page.locator('#digit').fill(String(digit));
          await page.locator('#digit').dispatchEvent('change');
          await page.locator('#status', { hasText: 'Drawing' }).waitFor({ state: 'detached' });
          await page.locator('#status', { hasText: 'digits in' }).waitFor();
        }
        expect(await page.locator('#which').textContent()).toBe(String(digit));
        const shown = await page.locator('canvas').evaluate((canvas: HTMLCanvasElement) => {
          const pixels = canvas.getContext('2d')?.getImageData(0, 0, 71, 71).data ?? [];
          return [...pixels].filter((_, i) => i % 4 === 0); // red
        });
        const { data } = await sample(model, { numImages: 64, condition: digit, seed: 1 });
        const expected = new Array<number>(71 * 71).fill(0);
        for (const [i, level] of data.entries()) {
          const [image, row, column] = [Math.floor(i / 64), Math.floor((i % 64) / 8), i % 8];
          const [y, x] = [9 * Math.floor(image / 8) + row, 9 * (image % 8) + column];
          expected[71 * y + x] = Math.round((255 * level) / 16);
        }
        expect(shown).toEqual(expected);
      }
      expect(requests.filter((url) => url.includes('tfjs') || url.includes('tensorflow'))).toEqual([]);
    });
  },
);
