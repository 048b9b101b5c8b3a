// Takes the pictures of the pages, in demo and examples, that the docs show, in headless Chromium, into docs/images: `node scripts/page-pictures.mjs`.

import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { build, preview } from 'vite';
import { chromiumArguments, chromiumPath } from '../tests/support/browsers/chromium.mjs';

const rootOf = (folder) => fileURLToPath(new URL(`../${folder}`, import.meta.url));
const images = fileURLToPath(new URL('../docs/images', import.meta.url));

/** Pixels around the visible part of a page. */
const MARGIN = 16;

if (chromiumPath === undefined) throw new Error('There is no Chromium: apt-get install chromium');
const browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArguments });

/** Builds and serves an example, and opens its page. */
async function open(folder, viewport) {
  const root = rootOf(folder);
  await build({ root, logLevel: 'error' });
  const server = await preview({ root, preview: { host: '127.0.0.1', port: 0 }, logLevel: 'error' });
  const page = await browser.newPage({ viewport, reducedMotion: 'reduce' });
  await page.goto(server.resolvedUrls.local[0]);
  return { page, close: () => server.close() };
}

const demo = await open('demo', { width: 1280, height: 800 });
await demo.page.locator('.wall-map canvas').waitFor(); // all is still
await demo.page.screenshot({ path: `${images}/page.png` });
console.log('docs/images/page.png');

await demo.page.locator('.layers').scrollIntoViewIfNeeded();
const { x, y, width, height } = await demo.page.locator('.layers').boundingBox();
const clip = { x: x - MARGIN, y: y - MARGIN, width: width + 2 * MARGIN, height: height + 2 * MARGIN };
await demo.page.screenshot({ path: `${images}/page-masks.png`, clip });
console.log('docs/images/page-masks.png');
await demo.close();

const files = await preview({
  root: rootOf('.'),
  build: { outDir: '.' },
  preview: { host: '127.0.0.1', port: 0 },
  logLevel: 'error',
});
const runtime = await browser.newPage({ viewport: { width: 420, height: 620 } });
await runtime.goto(new URL('examples/pages/draw.html', files.resolvedUrls.local[0]).href);
await runtime.locator('#status', { hasText: 'digits in' }).waitFor();
await runtime.screenshot({ path: `${images}/runtime-page.png` });
console.log('docs/images/runtime-page.png');
await files.close();

await browser.close();
