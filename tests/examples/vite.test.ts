import type { Server } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath } from '../support/browsers/chromium.mjs';
import { launchChromium, serve, serveEdited, type Watch, watch } from '../support/browsers/pages';
import { temporaryFolder } from '../support/node/temporary-folder';
import { PATIENCE } from '../support/patience.mjs';

const EXAMPLE = fileURLToPath(new URL('../../examples/vite', import.meta.url));

interface Visit extends Watch {
  status: string;
  figures: string;
  isIsolated: boolean;
  /** Of each of the 16 digits, how many of its pixels are painted, and how many of those are light: ink. */
  digits: { painted: number; light: number }[];
}

/** Opens the page and waits until it is done, or says that it failed. */
async function visit(browser: Browser, address: string): Promise<Visit> {
  const page = await browser.newPage();
  const seen = watch(page);
  const textOf = async (id: string) => (await page.locator(`#${id}`).textContent()) ?? '';
  try {
    await page.goto(address);
    await page.locator('#status.error, #status:has-text("Done")').waitFor({ timeout: PATIENCE });
    const rgba = await page.locator('canvas').evaluate((canvas: HTMLCanvasElement) => {
      const { width, height } = canvas;
      return [...(canvas.getContext('2d')?.getImageData(0, 0, width, height).data ?? [])];
    });
    const isIsolated = await page.evaluate(() => crossOriginIsolated);
    return { status: await textOf('status'), figures: await textOf('figures'), isIsolated, digits: countPixels(rgba), ...seen };
  } finally {
    await page.close();
  }
}

/** Of a canvas 35 pixels wide: four rows of four digits of 8x8, with gaps of one pixel. */
function countPixels(rgba: number[]): Visit['digits'] {
  return Array.from({ length: 16 }, (_, digit) => {
    const at = (i: number) => {
      const row = 9 * Math.floor(digit / 4) + Math.floor(i / 8);
      const column = 9 * (digit % 4) + (i % 8);
      return { red: rgba[4 * (35 * row + column)] ?? 0, alpha: rgba[4 * (35 * row + column) + 3] };
    };
    const painted = Array.from({ length: 64 }, (_, i) => at(i)).filter(({ alpha }) => alpha === 255);
    return { painted: painted.length, light: painted.filter(({ red }) => red >= 128).length };
  });
}

function expectDigits({ status, figures, digits, requests, complaints }: Visit, origin: string) {
  expect(complaints).toEqual([]);
  expect(status).toBe('Done on wasm');
  const bits = Number(figures.match(/^step 20 of 20: (\d\.\d{3}) bits\/dim$/)?.[1]);
  expect(bits).toBeGreaterThan(0);
  expect(bits).toBeLessThan(Math.log2(17));
  for (const { painted, light } of digits) {
    expect(painted).toBe(64);
    expect(light).toBeGreaterThan(0);
  }
  expect([...new Set(requests.map((url) => new URL(url).origin))]).toEqual([origin]);
  expect(requests.filter((url) => /\.wasm/.test(url))).not.toEqual([]);
}

describe.skipIf(chromiumPath === undefined)('the page made by Vite', () => {
  const folder = temporaryFolder();
  let server: Server;
  let browser: Browser;
  let origin: string;

  beforeAll(async () => {
    await build({ root: EXAMPLE, build: { outDir: join(folder, 'built') }, logLevel: 'silent' });
    ({ server, origin } = await serve(join(folder, 'built')));
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it.each([
    ['from any folder, without another host', 'some/folder', false],
    ['where the page may share memory, and tfjs would start threads', 'isolated', true],
  ])('trains and draws when built and served %s', async (_, path, isIsolated) => {
    const seen = await visit(browser, `${origin}/${path}/?steps=20`);
    expectDigits(seen, origin);
    expect(seen.isIsolated).toBe(isIsolated);
  });

  it('does so while it is edited', async () => {
    const vite = await serveEdited(EXAMPLE, join(folder, 'cache'));
    try {
      const { href, origin } = new URL('?steps=20', vite.href);
      expectDigits(await visit(browser, href), origin);
    } finally {
      await vite.close();
    }
  });

  it.each([
    ['backend=nonsense', "?backend: wanted wasm, webgl, webgpu or cpu, got 'nonsense'"],
    ['seed=abc', "?seed: wanted a whole number of at least 0, got 'abc'"],
  ])('says in words what is wrong with ?%s', async (query, message) => {
    const { status, digits } = await visit(browser, `${origin}/some/folder/?${query}`);
    expect(status).toBe(message);
    expect(digits.every(({ painted }) => painted === 0)).toBe(true);
  });
});
